// The package that users install: small, without weights, and complete by itself.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { useSession } from "./session.ts";

let byteLength = 0;
const { test } = useSession({
  name: "vsix",
  files: { "sums.py": "def add(a, b):\n    return a + b\n\n\n" },
  packExtension(folder) {
    const file = join(folder, "pith.vsix");
    const args = ["package.mjs", "--out", file];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 0, `${stdout}${stderr}`);
    byteLength = statSync(file).size;
    return file;
  },
});

test("the package is at most 30 MB", async () => {
  assert.ok(byteLength > 0 && byteLength <= 30e6, `${byteLength} bytes`);
});

test("the installed package completes", async (session) => {
  const { workbench } = session;
  await workbench.openFile("sums.py", "add");
  await workbench.typeAtEnd("def multiply(a, b):\nreturn");
  assert.notEqual((await workbench.ghostText()).trim(), "");
  await session.takePicture("installed package");
});
