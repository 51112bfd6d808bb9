// Runs the tests that live in VS Code's extension host, in VS Code in the browser.
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startCodeServer } from "./code-server.ts";
import { addressOf, emptyFolder, serverEnvironment, startBrowser } from "./session.ts";

test("the tests in the extension host pass", { timeout: 180_000 }, async () => {
  const folder = emptyFolder("exthost");
  const report = join(folder, "report.txt");
  writeFileSync(report, "");
  const code = await runInHost(folder, report);
  const lines = readFileSync(report, "utf8");
  assert.equal(code, 0, `${lines}see ${join(folder, "host.log")}`);
  assert.match(lines, /^ok a completion that is asked for/m);
  assert.match(lines, /^ok a stop while the library/m);
});

/** @returns what `run()` came to: 0 when it resolved, 1 when it threw. */
async function runInHost(folder: string, report: string): Promise<number> {
  const settings = { "pith.model": "smollm2-135m", "pith.trace": "messages" };
  const env = { ...serverEnvironment(folder), PITH_TEST_REPORT: report };
  const server = await startCodeServer({ folder, settings, env });
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    // The workbench calls these two, as it does for VS Code's own test runner for the web.
    const exit = new Promise<number>((done) => page.exposeFunction("codeAutomationExit", done));
    const log = join(folder, "host.log");
    await page.exposeFunction("codeAutomationLog", (kind: string, words: unknown[]) =>
      appendFileSync(log, `${kind} ${words.join(" ")}\n`),
    );
    const tests = resolve("out/test/editor/exthost/index.cjs");
    await page.goto(addressOf(server.authority, { workspace: join(folder, "workspace"), tests }));
    return await Promise.race([exit, delay(150_000, 98, { ref: false })]);
  } finally {
    await browser.close();
    await server.stop();
  }
}
