// `pith batch`: JSON lines in, JSON lines out, in the order in which they came. A line that is wrong
// gets its error and the rest goes on.
import { Command } from "commander";
import { errorKind, UnsupportedError } from "../errors.ts";
import type { BatchCompletion, MemoryRequest, ModelFacts } from "../service.ts";
import { complete, EngineThread, score, select, splitTokens } from "../thread-client.ts";
import {
  type BatchLine,
  parseObject,
  type RequestId,
  readId,
  readRequest,
} from "./batch-request.ts";
import { type InputLine, readLines } from "./json-lines.ts";
import { addModelFlags, type ModelFlags, openFlagged, variantFlag } from "./open-model.ts";

export function batchCommand(entry: URL): Command {
  return addModelFlags(new Command("batch"))
    .description("answer requests, a JSON object a line, from standard input")
    .option("--json", "answers are JSON lines, with this flag or without")
    .option("--cold", "keep nothing that an earlier request of the run has made")
    .option("--adapter <file>", "for memory embedded, instead of the one beside the model's file")
    .addOption(variantFlag())
    .addHelpText("after", help)
    .action((flags: BatchFlags) => batch(entry, flags));
}

const help = `
A request:
  {"id": 1, "op": "complete" | "score" | "tokenize" | "select", "path": "src/a.ts", "prefix": "…",
   "suffix": "…", "context": [{"path": "src/b.ts", "text": "…"}], "demonstrations": [{"text": "…"}],
   "memory": "none" | "raw" | "kept" | "embedded", "ratio": 12, "contextBudget": 256, "select": 8,
   "layout": "former" | "latter" | "concatenated", "conditional": true,
   "alignment": "off" | "token" | "exact", "maxTokens": 32, "stop": ["\\n"], "temperature": 0,
   "topP": 1, "seed": 1, "target": "…"}
id and op are needed, and target for op score; memory is "none", alignment "off", maxTokens 32,
temperature 0, topP and seed 1 unless given. A field with another name is an error.

The best of context and of demonstrations come last. raw: as text, cut to its last contextBudget
tokens, or to the ratio's share of them. kept: of every piece of at most 128 tokens what each head of
the model needs of it; ratio alone: as many positions as tokens / ratio; contextBudget: so many
positions, more for what is likelier needed, none finer than ratio; neither: 512, none finer than 24.
embedded: the same with pieces of at most 512 tokens, as virtual tokens of a trained adapter, each
piece with one position more; conditional: compressed with the last 128 tokens of the prefix in front.
The adapter is the safetensors file that --adapter names, else the one beside the model's file with
its name (model.gguf, model.safetensors), else the one of sidecar/adapters where Pith runs from a
checkout; one for other weights is an error. select: so many of the last demonstrations. What was kept or compressed
serves later requests of the run too, unless --cold is given.

layout makes a part of a prefix of more than 512 tokens a memory as well, the best one, kept or
embedded. former: all but the last 512; latter: what is behind the first 512, up to the last line;
concatenated: all up to the last line. tokens counts that part as context.

Op select ranks context and demonstrations for the end of the prefix as the editor does, by what they
define, what the prefix imports (a path says in which language) and what they are like, the best
first; select keeps so many demonstrations. positions is what a text takes by itself in the form, at
the ratio and within the budget asked for, memory "none" being text.

An answer:
  {"id": 1, "text": "…", "finish": "stop" | "length" | "end", "tokens": {…}, "ms": {…}}
  {"id": 1, "nll": 12.3, "targetTokens": 9, "tokens": {…}, "ms": {…}}
  {"id": 1, "selected": [{"kind": "demonstration" | "span", "index": 3, "score": 0.04, "positions": 12}, …],
   "tokens": {…}, "ms": {…}}
  {"id": 1, "ids": […], "pieces": ["base64", …], "tokens": {…}, "ms": {…}}
  {"id": 1, "error": {"kind": "format" | "unsupported" | "limit" | "cancelled" | "internal", "message": "…"}}
  {"id": null, "line": 4, "error": {…}}
With alignment other than "off" an op complete also has
  "alignment": {"way": "exact" | "token" | "off", "keptTokens": n, "tail": "base64", "ids": […], "logWeight": -0.7}
way is token where exact was asked for and the tail was over its limit, off where no continuation can
move the prefix's end; tail are the bytes made again, ids the tokens that hold them; logWeight is the
log of what of the model's mass agreed with them, to rank or weight samples of token by.

ms.load is that of the first answer, in which the model was opened; it is no part of ms.total.

The exit code is 0 when every line was answered, also with errors, and 1 when the model cannot be
opened; then every request is answered with that error.
`;

type Answer = Record<string, unknown>;

interface BatchFlags extends ModelFlags {
  readonly cold?: boolean;
}

interface RunOptions {
  /** Nothing that an earlier request has made is used. */
  readonly isCold: boolean;
}

async function batch(entry: URL, flags: BatchFlags): Promise<void> {
  const thread = new EngineThread(entry);
  const opening = openFlagged(thread, flags);
  // It may fail while the first line is still awaited; who asks first is told.
  opening.catch(() => {});
  const run = new BatchRun(thread, opening, { isCold: flags.cold === true });
  try {
    for await (const line of readLines(process.stdin)) await writeLine(await run.answer(line));
    await opening;
  } finally {
    await thread.stop();
  }
}

class BatchRun {
  readonly #thread: EngineThread;
  readonly #opening: Promise<ModelFacts>;
  readonly #isCold: boolean;
  #isFirst = true;

  constructor(thread: EngineThread, opening: Promise<ModelFacts>, { isCold }: RunOptions) {
    this.#thread = thread;
    this.#opening = opening;
    this.#isCold = isCold;
  }

  async answer(input: InputLine): Promise<Answer> {
    let id: RequestId | null = null;
    try {
      if ("error" in input) throw input.error;
      const value = parseObject(input.text);
      id = readId(value);
      const request = readRequest(value);
      const load = await this.#loadMs();
      return { id: request.id, ...(await this.#run(request, load)) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const failure = { kind: errorKind(error), message };
      return id === null ? { id, line: input.line, error: failure } : { id, error: failure };
    }
  }

  /** What opening the model took, for the first answer; 0 for the others. */
  async #loadMs(): Promise<number> {
    const { ms } = await this.#opening;
    const load = this.#isFirst ? ms.locate + ms.prepare + ms.tokenizer + ms.engine : 0;
    this.#isFirst = false;
    return load;
  }

  #run(request: BatchLine, load: number): Promise<Answer> {
    switch (request.op) {
      case "complete":
        return this.#complete(request, load);
      case "score":
        return this.#score(request, load);
      case "select":
        return this.#select(request, load);
      case "tokenize":
        return this.#tokenize(request, load);
      default:
        throw new UnsupportedError(`op: ${String(request.op satisfies never)} has no answer`);
    }
  }

  async #complete(request: BatchLine, load: number): Promise<Answer> {
    const { path, prefix, suffix, maxTokens, stop, temperature, topP, seed, alignment } = request;
    const answer = await this.#thread.ask(complete, {
      ...{ path, prefix, suffix, memory: memoryOf(request, this.#isCold) },
      ...{ maxTokens, stop, temperature, topP, seed, alignment },
    });
    const { text, finish, tokens, ms } = answer;
    const reason = text === "" && finish === "end" ? { reason: "end-of-text" } : {};
    const tail = alignment === "off" ? {} : { alignment: writeReport(answer.alignment) };
    return { text, finish, ...reason, ...tail, tokens, ms: { ...ms, load } };
  }

  async #score(request: BatchLine, load: number): Promise<Answer> {
    const { path, prefix, suffix, target = "" } = request;
    const { nll, targetTokens, tokens, ms } = await this.#thread.ask(score, {
      ...{ path, prefix, suffix, target, memory: memoryOf(request, this.#isCold) },
    });
    return { nll, targetTokens, tokens, ms: { ...ms, load } };
  }

  async #select(request: BatchLine, load: number): Promise<Answer> {
    const { path, prefix, suffix } = request;
    const form = request.memory === "none" ? "raw" : request.memory;
    const memory = textsAs(form, request, this.#isCold);
    const { selected, tokens, ms } = await this.#thread.ask(select, {
      path,
      prefix,
      suffix,
      memory,
    });
    return { selected, tokens, ms: { ...ms, load } };
  }

  async #tokenize({ prefix }: BatchLine, load: number): Promise<Answer> {
    const start = performance.now();
    const { ids, pieces } = await this.#thread.ask(splitTokens, { text: prefix });
    const none = { suffix: 0, contextBefore: 0, contextAfter: 0, generated: 0 };
    const total = performance.now() - start;
    return {
      ids,
      pieces: pieces.map((piece) => Buffer.from(piece).toString("base64")),
      tokens: { prefix: ids.length, ...none, computed: 0, reused: 0 },
      ms: { load, compress: 0, plan: total, prefill: 0, decode: 0, total },
    };
  }
}

/** What the prompt starts with; undefined: nothing, not even the sink. */
function memoryOf(request: BatchLine, isCold: boolean): MemoryRequest | undefined {
  return request.memory === "none" ? undefined : textsAs(request.memory, request, isCold);
}

function textsAs(form: MemoryRequest["form"], request: BatchLine, isCold: boolean): MemoryRequest {
  const { context, demonstrations, ratio, contextBudget: budget, select } = request;
  const { layout, conditional: isConditional } = request;
  return {
    ...{ form, context, demonstrations, ratio, budget, select },
    ...{ layout, isConditional, isCold },
  };
}

function writeReport({ tail, ...facts }: BatchCompletion["alignment"]): Answer {
  return { ...facts, tail: Buffer.from(tail).toString("base64") };
}

/** Waits until the line is on its way, so that a slow reader is not outrun. */
function writeLine(answer: Answer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${JSON.stringify(answer)}\n`, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
