import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { CancelledError, FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { ModelOwner } from "../../sidecar/server/model-owner.ts";
import {
  complete,
  completeInline,
  describe,
  EngineThread,
  splitTokens,
} from "../../sidecar/thread-client.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { realWeights } from "../support/weights.ts";

const entry = new URL("../../thread.mjs", import.meta.url);
let scratch = "";
let thread: EngineThread;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "pith-thread-"));
  await writeFile(join(scratch, "tiny.gguf"), makeTinyGguf().bytes);
  thread = new EngineThread(entry);
});
after(async () => {
  await thread.stop();
  await rm(scratch, { recursive: true, force: true });
});

const tiny = () => ({ model: join(scratch, "tiny.gguf"), home: scratch, threads: 1 });
const request = {
  ...{ prefix: "a", maxTokens: 3, stop: [], temperature: 0, topP: 1, seed: 1 },
  alignment: "off" as const,
};

test("nothing is answered before a model is open, and the thread lives on", async () => {
  await assert.rejects(thread.ask(complete, request), /no model is open/);
  assert.equal((await thread.open(tiny()))?.variant, "lossless");
  assert.equal((await thread.ask(complete, request)).tokens.generated, 3);
});

test("a model replaces the one that was open", async () => {
  await thread.open(tiny());
  assert.equal(await thread.open({ ...tiny(), model: "smollm2-135m" }), null);
  await assert.rejects(thread.ask(complete, request), /no model is open/);
});

test("errors keep their class on the way", async () => {
  await writeFile(join(scratch, "cut.gguf"), makeTinyGguf().bytes.subarray(0, 5000));
  const cut = { ...tiny(), model: join(scratch, "cut.gguf") };
  await assert.rejects(thread.open(cut), FormatError);
  await assert.rejects(thread.open({ ...tiny(), model: "gpt-9" }), UnsupportedError);
  await thread.open(tiny());
  await assert.rejects(thread.ask(complete, { ...request, maxTokens: 5000 }), LimitError);
});

test("progress comes while a model is prepared", async () => {
  const stages: string[] = [];
  const home = join(scratch, "progress");
  await thread.open({ ...tiny(), home }, { onProgress: ({ stage }) => stages.push(stage) });
  assert.equal(stages[0], "preparing");
  assert.equal(stages.at(-1), "loading");
});

test("bytes come back as bytes", async () => {
  await thread.open(tiny());
  const { pieces } = await thread.ask(splitTokens, { text: "abc" });
  assert.ok(pieces.every((piece) => piece instanceof Uint8Array));
  assert.equal(Buffer.concat(pieces).toString(), "abc");
});

test("a cancel stops a prompt within a chunk, and the next request is answered", async () => {
  await realWeights("smollm2-135m");
  await thread.open({ model: "smollm2-135m", home: "", threads: 0 });
  const rows = async () => Number.parseInt((await thread.ask(describe, {}))["rows run"] ?? "", 10);
  const before = await rows();
  const controller = new AbortController();
  const prefix = "value = compute(1)\n".repeat(500);
  const long = thread.ask(complete, { ...request, prefix }, controller.signal);
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(long, CancelledError);
  const stopped = (await rows()) - before;
  assert.ok(stopped < 2500, `${stopped} of 3000 rows`);
  assert.equal((await thread.ask(complete, request)).tokens.generated, 3);
});

test("a request that is cancelled before it is sent does no work", async () => {
  await thread.open(tiny());
  await assert.rejects(thread.ask(complete, request, AbortSignal.abort()), CancelledError);
});

test("a thread that cannot start is an error for everyone who asks", async () => {
  const broken = new EngineThread(pathToFileURL(join(scratch, "none.mjs")));
  await assert.rejects(broken.ask(complete, request), /engine thread: ended: .*none\.mjs/);
  await assert.rejects(broken.ask(complete, request), /engine thread: ended/);
  assert.match(await broken.ended, /none\.mjs/);
});

test("a thread that is stopped takes the requests back that wait for it", async () => {
  const stopped = new EngineThread(entry);
  await stopped.open(tiny());
  const waiting = stopped.ask(complete, { ...request, maxTokens: 400 });
  const rejected = assert.rejects(waiting, CancelledError);
  await stopped.stop();
  await rejected;
  await assert.rejects(stopped.ask(complete, request), /engine thread: ended/);
});

/** Opens whatever it is asked to, and ends at the first completion. */
const crashing = `
import { parentPort } from "node:worker_threads";
const ms = { locate: 0, prepare: 0, tokenizer: 0, engine: 0 };
const result = { id: "any", sha256: "", variant: "lossless", threads: 1, ms };
parentPort.on("message", ({ id, method }) => {
  if (method === "openModel") parentPort.postMessage({ jsonrpc: "2.0", id, result });
  if (method === "completeInline") throw new Error("out of everything");
});
`;

test("after a crash the state says so, and the next request starts the engine again", async () => {
  const file = join(scratch, "crashing.mjs");
  await writeFile(file, crashing);
  const kinds: string[] = [];
  let told = () => {};
  const failures: unknown[] = [];
  const owner = new ModelOwner({
    entry: pathToFileURL(file),
    onOpen: () => {},
    onFailure: (error) => failures.push(error),
    sizeOf: async () => null,
    onState: ({ kind }) => {
      kinds.push(kind);
      told();
    },
  });
  const reach = async (kind: string) => {
    while (owner.state.kind !== kind) await new Promise<void>((resolve) => (told = resolve));
    return owner.state;
  };
  owner.open(tiny());
  await reach("ready");
  const document = {
    file: null,
    path: "",
    languageId: "",
    prefix: "",
    suffix: "",
    multiline: "auto",
    alignment: "off",
  } as const;
  const answer = owner.ready?.ask(completeInline, document);
  await assert.rejects(answer ?? Promise.resolve(), /engine thread: ended: out of everything/);
  assert.match(JSON.stringify(await reach("failed")), /the engine ended: out of everything/);
  assert.equal(owner.ready, null);
  await reach("ready");
  assert.deepEqual(kinds, ["loading", "ready", "failed", "loading", "ready"]);
  assert.deepEqual(failures, []);
  await owner.stop();
});
