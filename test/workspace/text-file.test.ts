// One file as text, or why it is none: what it is, how long, and whether the disk answers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import * as host from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Disk, type DiskCalls } from "../../sidecar/workspace/disk.ts";
import { readTextFile } from "../../sidecar/workspace/text-file.ts";
import { scratchFolder } from "./scratch-folder.ts";

const byteLimit = 16;

const lengths: [label: string, content: string | Uint8Array, expected: object][] = [
  ["nothing", "", { text: "" }],
  ["as long as the limit", "a".repeat(byteLimit), { text: "a".repeat(byteLimit) }],
  ["a byte longer", "a".repeat(byteLimit + 1), { skipped: "too-large" }],
  [
    "cut in a character at the limit",
    Buffer.from(`ä${"ü".repeat(8)}`).subarray(0, 16),
    { text: "äüüüüüüü" },
  ],
  [
    "half a character there",
    Buffer.from(`aä${"ü".repeat(8)}`).subarray(0, 16),
    { text: "aäüüüüüü" },
  ],
  ["with a mark", Buffer.from("\ufeffa\r\n", "utf16le"), { text: "a\r\n" }],
  ["no text", Buffer.from("a\0b"), { skipped: "binary" }],
];
for (const [label, content, expected] of lengths)
  test(label, async (context) => {
    const folder = await scratchFolder(context, { a: content });
    assert.deepEqual(await readTextFile(join(folder, "a"), { byteLimit }), expected);
  });

test("in the encoding that the editor names", async (context) => {
  const folder = await scratchFolder(context, { a: Buffer.from("d7dcbcdb", "hex") });
  const read = await readTextFile(join(folder, "a"), { byteLimit, encoding: "gbk" });
  assert.deepEqual(read, { text: "总价" });
});

test("what is gone is unreadable, and no other thing than a file is opened", async (context) => {
  const folder = await scratchFolder(context, {});
  await host.mkdir(join(folder, "folder"));
  await makePipe(join(folder, "pipe"));
  await openSocket(context, join(folder, "socket"));
  await host.symlink("/dev/zero", join(folder, "zeros"));
  await host.symlink(join(folder, "pipe"), join(folder, "link"));
  await host.symlink(join(folder, "loop"), join(folder, "loop"));
  const opened: string[] = [];
  const open: DiskCalls["open"] = (path, flags) => {
    opened.push(path);
    return host.open(path, flags);
  };
  const disk = new Disk({ ...host, open });
  const reasons = ["folder", "pipe", "socket", "zeros", "link", "gone", "loop"].map(
    async (name) => {
      const read = await readTextFile(join(folder, name), { byteLimit, disk });
      return `${name} ${"skipped" in read ? read.skipped : "read"}`;
    },
  );
  assert.deepEqual(await Promise.all(reasons), [
    ...["folder not-a-file", "pipe not-a-file", "socket not-a-file", "zeros not-a-file"],
    ...["link not-a-file", "gone unreadable", "loop unreadable"],
  ]);
  assert.deepEqual(opened, []);
});

test("a file that becomes a pipe between the look and the opening is not waited for", async (context) => {
  const folder = await scratchFolder(context, { a: "a" });
  const path = join(folder, "a");
  const open: DiskCalls["open"] = async (path, flags) => {
    await host.rm(path);
    await makePipe(path);
    return await host.open(path, flags);
  };
  const read = await readTextFile(path, { byteLimit, disk: new Disk({ ...host, open }) });
  assert.deepEqual(read, { skipped: "not-a-file" });
});

test("a file that grows while it is read is read to the limit", async (context) => {
  const folder = await scratchFolder(context, { a: "a" });
  const path = join(folder, "a");
  const open: DiskCalls["open"] = async (path, flags) => {
    const file = await host.open(path, flags);
    const found = await file.stat();
    await host.appendFile(path, "b".repeat(byteLimit));
    return Object.assign(file, { stat: async () => found });
  };
  const read = await readTextFile(path, { byteLimit, disk: new Disk({ ...host, open }) });
  assert.deepEqual(read, { skipped: "too-large" });
});

async function makePipe(path: string): Promise<void> {
  execFileSync("mkfifo", [path]);
}

async function openSocket(context: TestContext, path: string): Promise<void> {
  const server = createServer().listen(path);
  context.after(() => server.close());
  await once(server, "listening");
}
