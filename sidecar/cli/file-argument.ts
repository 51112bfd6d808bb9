// A file that the command line names, as text or as bytes. Out: what it holds, or an error that says
// why it is not read.
import { LimitError, UnsupportedError } from "../errors.ts";
import { killAtExit } from "../thread-client.ts";
import { answerLimitMs, hostDisk } from "../workspace/disk.ts";
import { readTextFile, type TextFile } from "../workspace/text-file.ts";

/** What a model's tokenizer splits in some seconds; the text of an editor is a sixteenth of it. */
const byteLimit = 64 * 2 ** 20;

/** @throws UnsupportedError, LimitError */
export async function readTextArgument(file: string): Promise<string> {
  const read = await readTextFile(file, { byteLimit });
  if ("skipped" in read) throw explain(file, read.skipped);
  return read.text;
}

/** Of a text the bytes that its tokens are made of; of anything else those of the file. @throws as above */
export async function readBytesArgument(file: string): Promise<Uint8Array> {
  const read = await readTextFile(file, { byteLimit });
  if ("text" in read) return Buffer.from(read.text);
  if (read.skipped !== "binary") throw explain(file, read.skipped);
  const whole = await hostDisk.readBytes(file, byteLimit);
  if ("skipped" in whole) throw explain(file, whole.skipped);
  return whole.bytes;
}

type Reason = Extract<TextFile, { skipped: string }>["skipped"];

function explain(file: string, reason: Reason): Error {
  if (reason === "hung") killAtExit();
  if (reason === "too-large") return new LimitError(`${file}: exceeds ${byteLimit} bytes`);
  return new UnsupportedError(`${file}: ${words[reason]}`);
}

const words = {
  unreadable: "cannot be read, or is not there",
  "not-a-file": "is no regular file, but a folder, a named pipe, a socket or a device",
  hung: `the file system does not answer within ${answerLimitMs} ms`,
  binary: "is no text in any encoding",
} as const satisfies Partial<Record<Reason, string>>;
