import assert from "node:assert/strict";
import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { Bank } from "../../sidecar/bank/bank.ts";
import { homeFolder, openHome, preparedFolder } from "../../sidecar/catalogue/home.ts";
import { scratchFolder } from "./scratch-store.ts";

const cases: [string, Record<string, string>, NodeJS.Platform, string][] = [
  ["PITH_HOME before all", { PITH_HOME: "/p", XDG_DATA_HOME: "/x" }, "linux", resolve("/p")],
  ["XDG_DATA_HOME on Linux", { XDG_DATA_HOME: "/x" }, "linux", join("/x", "pith")],
  ["the usual folder on Linux", {}, "linux", join(homedir(), ".local/share/pith")],
  ["the usual folder on macOS", {}, "darwin", join(homedir(), "Library/Application Support/Pith")],
  ["LOCALAPPDATA on Windows", { LOCALAPPDATA: "/l" }, "win32", join("/l", "Pith")],
  ["the usual folder on Windows", {}, "win32", join(homedir(), "AppData", "Local", "Pith")],
];
for (const [label, env, platform, expected] of cases)
  test(`${label} is the home`, () => assert.equal(homeFolder(env, platform), expected));

const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777;
const hasModes = process.platform !== "win32";

test("a home is made for its owner alone", { skip: !hasModes }, async (context) => {
  const folder = join(await scratchFolder(context), "pith");
  const { models, prepared } = await openHome(folder);
  for (const each of [folder, models, prepared]) assert.equal(await mode(each), 0o700);
});

test("a folder that was there keeps its mode, the bank in it is its owner's", {
  skip: !hasModes,
}, async (context) => {
  const folder = join(await scratchFolder(context), "shared");
  await mkdir(join(folder, "models"), { recursive: true });
  await chmod(folder, 0o2775);
  await chmod(join(folder, "models"), 0o755);
  const home = await openHome(folder);
  const bank = await Bank.open(home.bank, { cap: 1e6 });
  const modes = [await mode(folder), await mode(home.models), await mode(home.bank)];
  assert.deepEqual(modes, [0o2775, 0o755, 0o700]);
  for (const name of await readdir(home.bank))
    assert.equal(await mode(join(home.bank, name)), 0o600);
  await bank.close();
});

test("a home of another owner is used as far as it can be written", {
  skip: process.getuid?.() !== 0,
}, async (context) => {
  const folder = await scratchFolder(context);
  await chmod(folder, 0o777);
  const nobody = 65_534;
  process.seteuid?.(nobody);
  context.after(() => process.seteuid?.(0));
  const { models } = await openHome(folder);
  process.seteuid?.(0);
  assert.equal((await stat(models)).uid, nobody);
  assert.equal(await mode(folder), 0o777);
});

test("a prepared form is named by source, variant and format", async (context) => {
  const home = await openHome(await scratchFolder(context));
  const folder = preparedFolder(home, { sha256: "ab".repeat(32), variant: "fast", format: 3 });
  assert.equal(folder, join(home.prepared, "abababababababab-fast-v3"));
});
