// `npm run test:electron`: the tests of the extension host in a desktop VS Code, which is downloaded
// unless VSCODE names one. Not part of `npm test`, which needs no display and no such download.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runTests } from "@vscode/test-electron";

const { VSCODE } = process.env;
const profile = mkdtempSync(join(tmpdir(), "pith-electron-"));
await runTests({
  ...(VSCODE === undefined ? {} : { vscodeExecutablePath: VSCODE }),
  extensionDevelopmentPath: resolve("."),
  extensionTestsPath: resolve("out/test/editor/exthost/index.cjs"),
  launchArgs: ["--user-data-dir", profile, "--disable-extensions", "--disable-workspace-trust"],
});
