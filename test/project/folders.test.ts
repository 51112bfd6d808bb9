// The folders of a workspace: which one holds a file, and what stays true when rules or settings change.
import assert from "node:assert/strict";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { UnsupportedError } from "../../sidecar/errors.ts";
import { Folders } from "../../sidecar/project/folders.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

const files = {
  ".git/HEAD": "",
  "a.ts": "export const a = 1;\n",
  "part/b.ts": "export const b = 1;\n",
  "part/ways.pith.md": "Greet\n=>\nhello();\n",
};

async function open(context: TestContext, below: readonly string[] = [""]) {
  const folder = await scratchFolder(context, files);
  const roots = below.map((path) => join(folder, path));
  const folders = new Folders((text) => text.length / 4);
  folders.configure({ folders: roots, exclude: [] });
  /** Names defined in the file, by the folder that counts. */
  const definitions = async (path: string): Promise<string[]> => {
    const found = await folders.require(join(folder, path));
    await found.folder.readRest(() => {});
    return found.folder.spansIn(found.path).flatMap(({ defines }) => defines);
  };
  return { folder, roots, folders, definitions };
}

test("of nested folders the innermost holds a file", async (context) => {
  const { folder, folders } = await open(context, ["", "part"]);
  const [outer, inner] = [join(folder, "a.ts"), join(folder, "part/b.ts")];
  assert.deepEqual((await folders.find(outer))?.path, "a.ts");
  const found = await folders.find(inner);
  assert.deepEqual([found?.root, found?.path], [join(folder, "part"), "b.ts"]);
  assert.equal(await folders.find(`${folder}-not/a.ts`), null);
  await assert.rejects(folders.require(`${folder}-not/a.ts`), UnsupportedError);
});

test("a file says what it does in the encoding that the editor names for its language", async (context) => {
  const { folder, folders } = await open(context);
  await writeFile(join(folder, "a.ts"), Buffer.from("2f2f2082a082a20a", "hex")); // Shift JIS
  const text = async (encodings: Record<string, string>): Promise<string | undefined> => {
    folders.configure({ folders: [folder], exclude: [], encodings });
    const found = await folders.require(join(folder, "a.ts"));
    await found.folder.readRest(() => {});
    return found.folder.spansIn("a.ts")[0]?.text;
  };
  assert.equal(await text({ "*": "shiftjis" }), "// あい\n");
  assert.equal(
    await text({ "*": "shiftjis", typescript: "iso88591" }),
    "// \u201a\u00a0\u201a\u00a2\n",
  );
  assert.equal(await text({ "*": "utf8", typescript: "shiftjis" }), "// あい\n");
});

test("a folder that is a link is read, and its files have the names that the editor has for them", async (context) => {
  const { folder, folders, definitions } = await open(context);
  const link = `${folder}-link`;
  await symlink(folder, link);
  context.after(() => rm(link));
  folders.configure({ folders: [link], exclude: [] });
  const found = await folders.require(join(link, "part/b.ts"));
  assert.deepEqual([found.root, found.path], [link, "part/b.ts"]);
  await found.folder.readRest(() => {});
  assert.equal(found.folder.spansIn("part/b.ts").length, 1);
  await assert.rejects(definitions("a.ts"), UnsupportedError);
});

test("a link that is closed leaves the file to the editor that has it open still", async (context) => {
  const { folder, folders, definitions } = await open(context);
  const [file, link] = [join(folder, "a.ts"), join(folder, "link.ts")];
  await symlink(file, link);
  await folders.edit(file, "export const typed = 1;\n");
  await folders.edit(link, "export const typed = 1;\n");
  await folders.edit(link, null);
  assert.deepEqual(await definitions("a.ts"), ["typed"]);
  await folders.edit(file, null);
  assert.deepEqual(await definitions("a.ts"), ["a"]);
});

test("a folder that is not there holds nothing", async (context) => {
  const { folder, folders } = await open(context, ["none"]);
  assert.equal(await folders.find(join(folder, "none/a.ts")), null);
});

test("a rule file that changes counts at once, and the texts of open editors stay", async (context) => {
  const { folder, folders, definitions } = await open(context);
  await folders.edit(join(folder, "a.ts"), "export const open = 1;\n");
  assert.deepEqual(await definitions("part/b.ts"), ["b"]);
  const rules = join(folder, ".gitignore");
  await writeFile(rules, "part/b.ts\n");
  await folders.touch(rules);
  assert.deepEqual(await definitions("part/b.ts"), []);
  assert.deepEqual(await definitions("a.ts"), ["open"]);
});

test("a rule file in a folder that is left out changes nothing", async (context) => {
  const { folder, folders } = await open(context);
  const file = join(folder, "a.ts");
  const before = await folders.require(file);
  const rules = join(folder, "node_modules/some/.gitignore");
  await mkdir(dirname(rules), { recursive: true });
  await writeFile(rules, "*\n");
  assert.equal((await folders.touch(rules)).areRulesOther, false);
  assert.equal((await folders.require(file)).folder, before.folder);
  // One that hides itself and all beside it counts.
  await writeFile(join(folder, "part/.gitignore"), "*\n");
  assert.equal((await folders.touch(join(folder, "part/.gitignore"))).areRulesOther, true);
});

test("a pattern that is excluded counts at once, other settings open nothing anew", async (context) => {
  const { roots, folders, definitions, folder } = await open(context);
  assert.deepEqual(await definitions("part/b.ts"), ["b"]);
  const before = await folders.require(join(folder, "a.ts"));
  folders.configure({ folders: [...roots], exclude: [] });
  const same = await folders.require(join(folder, "a.ts"));
  assert.equal(same.folder, before.folder);
  folders.configure({ folders: roots, exclude: ["part/"] });
  assert.deepEqual(await definitions("part/b.ts"), []);
});

test("demonstrations are listed though nothing was read, and nothing else is read for it", async (context) => {
  const { folder, folders } = await open(context);
  const [demonstration, ...others] = await folders.demonstrations();
  assert.deepEqual([demonstration?.file, others], [join(folder, "part/ways.pith.md"), []]);
  const found = await folders.require(join(folder, "a.ts"));
  assert.deepEqual(found.folder.spansIn(""), []);
  await folders.edit(join(folder, "part/ways.pith.md"), "One\n***\nTwo\n");
  assert.equal((await folders.demonstrations()).length, 2);
});

test("texts and changes reach every folder that holds the file", async (context) => {
  const { folder, folders } = await open(context, ["", "part"]);
  const { folder: outer } = await folders.require(join(folder, "a.ts"));
  await outer.readRest(() => {});
  const definitions = async () => {
    await outer.readRest(() => {});
    return outer.spansIn("part/b.ts").flatMap(({ defines }) => defines);
  };
  await folders.edit(join(folder, "part/b.ts"), "export const open = 1;\n");
  assert.deepEqual(await definitions(), ["open"]);
  await folders.edit(join(folder, "part/b.ts"), null);
  await writeFile(join(folder, "part/b.ts"), "export const saved = 1;\n");
  await folders.touch(join(folder, "part/b.ts"));
  assert.deepEqual(await definitions(), ["saved"]);
});

test("a demonstration in two folders is listed once, in the innermost", async (context) => {
  const { folders } = await open(context, ["", "part"]);
  assert.deepEqual(
    (await folders.demonstrations()).map(({ path }) => path),
    ["ways.pith.md"],
  );
});

test("rules of the outer folder count in the inner one at once", async (context) => {
  const { folder, folders, definitions } = await open(context, ["", "part"]);
  assert.deepEqual(await definitions("part/b.ts"), ["b"]);
  await writeFile(join(folder, ".gitignore"), "b.ts\n");
  await folders.touch(join(folder, ".gitignore"));
  assert.deepEqual(await definitions("part/b.ts"), []);
});
