#!/usr/bin/env node
// The process's entry: runs the verb that the arguments name. The server is loaded by its verb alone,
// and the engine only in its thread, so that no verb waits for what another needs.
import { readFileSync } from "node:fs";
import { runCommandLine } from "./cli/command-line.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const entry = new URL("./thread.mjs", import.meta.url);
const counter = new URL("./counter.mjs", import.meta.url);

process.exitCode = await runCommandLine(process.argv.slice(2), {
  entry,
  version,
  async serve() {
    const { serve } = await import("./server/server.ts");
    serve({ entry, counter, version });
  },
});
