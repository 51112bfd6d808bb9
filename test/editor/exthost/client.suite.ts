// The owner of the sidecar inside the extension host, with real processes: whatever is asked of it in
// quick succession, at most one of them runs, and none behind a stop.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setup, suite, teardown, test } from "mocha";
import { extensions, type LogOutputChannel, window, workspace } from "vscode";
import { Client } from "../../../extension/client.ts";
import { readSettings } from "../../../extension/config.ts";

suite("The owner of the sidecar", () => {
  // The same file as the extension's own sidecar, but another command line.
  const program = `${extensions.getExtension("pith.pith")?.extensionPath}/out/./pith.mjs`;
  let log: LogOutputChannel;
  let client: Client;
  /** Processes of the client at each of its starts, before it starts its own. */
  let atStarts: number[][];

  setup(() => {
    log = window.createOutputChannel("Pith under test", { log: true });
    const settings = () => readSettings(workspace.getConfiguration("pith"), workspace.isTrusted);
    client = new Client({ program, log, middleware: {}, readSettings: settings });
    atStarts = [];
    client.onDidChangeCondition(({ kind }) => {
      if (kind === "starting" && client.processId === null) atStarts.push(processesOf(program));
    });
  });

  teardown(async () => {
    await client.stop();
    client.dispose();
    log.dispose();
  });

  test("a stop while the library is still loading lets no sidecar start", async () => {
    const starting = client.start();
    await client.stop();
    await starting;
    assert.deepEqual([client.processId, processesOf(program)], [null, []]);
    await client.start();
    checkRunsAlone();
  });

  test("starts in quick succession start one sidecar", async () => {
    await Promise.all([client.start(), client.start(), client.start()]);
    checkRunsAlone();
  });

  test("restarts in quick succession leave one sidecar, and never have two at once", async () => {
    await client.start();
    const old = client.processId;
    await Promise.all([client.restart(), client.restart()]);
    checkRunsAlone();
    assert.notEqual(client.processId, old);
    const connecting = client.restart();
    await new Promise((resolve) => client.onDidChangeCondition(resolve));
    await Promise.all([connecting, client.restart()]);
    checkRunsAlone();
  });

  test("a stop during a restart is the last word, and waits for the end", async () => {
    await client.start();
    const restarting = client.restart();
    await client.stop();
    assert.deepEqual(processesOf(program), []);
    await restarting;
    assert.deepEqual([client.processId, processesOf(program)], [null, []]);
  });

  function checkRunsAlone(): void {
    assert.deepEqual(processesOf(program), [client.processId]);
    assert.deepEqual(
      atStarts.filter((each) => each.length > 0),
      [],
    );
  }
});

/** Ids of the sidecars that this process started with the program and that have not ended. */
function processesOf(program: string): number[] {
  const list = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" });
  return list.split("\n").flatMap((line) => {
    const [pid, parent, state, ...args] = line.trim().split(/\s+/);
    const isOne = Number(parent) === process.pid && args.join(" ").includes(`${program} serve`);
    return isOne && !state?.startsWith("Z") ? [Number(pid)] : [];
  });
}
