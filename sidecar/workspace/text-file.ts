// One file as the text that an editor would show of it, or why there is none. Every text that Pith
// reads for the user comes through here: sources, rule files, demonstrations, the command line.
import { type Disk, type FileBytes, hostDisk } from "./disk.ts";
import { decodeText } from "./text-encoding.ts";

export interface TextFileOptions {
  /** A longer file is not read. */
  readonly byteLimit: number;
  /** As the editor's `files.encoding` names it; without a name it is found by the bytes. */
  readonly encoding?: string | undefined;
  readonly disk?: Disk | undefined;
}

/** Without a byte order mark, and with the line ends that the file has. */
export type TextFile =
  | { readonly text: string }
  | Extract<FileBytes, { skipped: string }>
  | { readonly skipped: "binary" };

/** Never throws for what the disk does, and never takes longer than `answerLimitMs`. */
export async function readTextFile(
  path: string,
  { byteLimit, encoding, disk = hostDisk }: TextFileOptions,
): Promise<TextFile> {
  const read = await disk.readBytes(path, byteLimit);
  if ("skipped" in read) return read;
  const text = decodeText(read.bytes, encoding);
  return text === null ? { skipped: "binary" } : { text };
}
