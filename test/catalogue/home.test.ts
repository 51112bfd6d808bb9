import assert from "node:assert/strict";
import { chmod, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
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

test("the home is made for its owner alone, and closed when it was open", async (context) => {
  const folder = join(await scratchFolder(context), "pith");
  const home = await openHome(folder);
  const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  if (process.platform === "win32") return; // Windows has no such modes.
  for (const each of Object.values(home)) assert.equal(await mode(each), 0o700);
  await chmod(folder, 0o755);
  await openHome(folder);
  assert.equal(await mode(folder), 0o700);
});

test("a prepared form is named by source, variant and format", async (context) => {
  const home = await openHome(await scratchFolder(context));
  const folder = preparedFolder(home, { sha256: "ab".repeat(32), variant: "fast", format: 3 });
  assert.equal(folder, join(home.prepared, "abababababababab-fast-v3"));
});
