// llama.cpp for the speed benchmark: node-llama-cpp's prebuilt library, called directly, since the
// package's own decode step adds a thread change and a promise a token. The functions are llama.h's;
// its parameter structures are passed as numbered words, whose places are checked by their defaults.
import { join } from "node:path";
import { bestId } from "../../sidecar/engine/sampler.ts";
import { importForeignFunctions, llamaLibraries } from "./peers.ts";
import type { SpeedEngine } from "./speed-engine.ts";

export interface LlamaSpeedOptions {
  readonly weights: string;
  readonly threads: number;
  readonly capacity: number;
  readonly flashAttention: boolean;
}

/** Words of llama_context_params that are set here, with llama.cpp's defaults for those that have one. */
const contextWords = {
  capacity: { at: 0, preset: 512 },
  batch: { at: 1, preset: 2048 },
  microBatch: { at: 2, preset: 512 },
  threads: { at: 7, preset: 4 },
  batchThreads: { at: 8, preset: 4 },
  flashAttention: { at: 13, preset: -1 >>> 0 }, // LLAMA_FLASH_ATTN_TYPE_AUTO
} as const;

export async function loadLlamaSpeed(options: LlamaSpeedOptions): Promise<SpeedEngine> {
  const { koffi, call, vocabularySize } = await openLibrary();
  const model = call("void* llama_model_load_from_file(str path, LlamaModelParams params)")(
    options.weights,
    call("LlamaModelParams llama_model_default_params()")(),
  );
  const context = createContext(call, model, options);
  const memory = call("void* llama_get_memory(void* context)")(context);
  const remove = call("bool llama_memory_seq_rm(void* memory, int32 id, int32 from, int32 to)");
  const decode = call("int32 llama_decode(void* context, LlamaBatch batch)");
  const logitsOf = call("void* llama_get_logits_ith(void* context, int32 index)");
  const idCount = vocabularySize(model);
  const sequenceIds = Int32Array.of(0); // Of every token; the batch holds its address.
  let length = 0;

  /** Appends `ids`; the logits of the last one are asked for, and computed when this returns. */
  function append(ids: Int32Array): void {
    const count = ids.length;
    const batch = {
      n_tokens: count,
      token: ids,
      embd: null,
      pos: Int32Array.from(ids, (_, index) => length + index),
      n_seq_id: new Int32Array(count).fill(1),
      seq_id: new BigUint64Array(count).fill(koffi.address(sequenceIds)),
      logits: Int8Array.from(ids, (_, index) => (index === count - 1 ? 1 : 0)),
    };
    const code: number = decode(context, batch);
    if (code !== 0) throw new Error(`llama_decode: ${code}`);
    logitsOf(context, count - 1);
    length += count;
  }

  function truncate(to: number): void {
    remove(memory, 0, to, -1);
    length = to;
  }

  return {
    prefill: async (ids, chunk) => {
      for (let start = 0; start < ids.length; start += chunk)
        append(Int32Array.from(ids.slice(start, start + chunk)));
    },
    truncate,
    decode: async (ids) => {
      for (const id of ids) append(Int32Array.of(id));
    },
    bestId: () =>
      bestId(koffi.decode(logitsOf(context, -1), koffi.array("float", idCount, "Typed"))),
  };
}

type Call = Awaited<ReturnType<typeof openLibrary>>["call"];

/** Structures are opaque words, at least as long as llama.h's; both are passed and returned whole. */
async function openLibrary() {
  const { default: koffi } = await importForeignFunctions();
  const folder = await llamaLibraries();
  const open = (name: string) => koffi.load(join(folder, name), { global: true, lazy: true });
  open("libggml-base.so");
  const ggml = open("libggml.v0.5.0.so");
  const library = open("libllama.v0.5.0.so");
  koffi.struct("LlamaModelParams", { words: koffi.array("uint64", 32) });
  koffi.struct("LlamaContextParams", { words: koffi.array("uint32", 64, "Typed") });
  koffi.struct("LlamaBatch", {
    n_tokens: "int32",
    token: "void*",
    embd: "void*",
    pos: "void*",
    n_seq_id: "void*",
    seq_id: "void*",
    logits: "void*",
  });
  const call = (declaration: string) => library.func(declaration);
  const silent = koffi.register(
    () => {},
    koffi.pointer(koffi.proto("void LlamaLog(int level, str text, void* data)")),
  );
  call("void llama_log_set(void* log, void* data)")(silent, null);
  ggml.func("void ggml_backend_load_all_from_path(str folder)")(folder);
  call("void llama_backend_init()")();
  const vocabularyOf = call("void* llama_model_get_vocab(void* model)");
  const countIds = call("int32 llama_vocab_n_tokens(void* vocabulary)");
  return {
    koffi,
    call,
    vocabularySize: (model: unknown): number => countIds(vocabularyOf(model)),
  };
}

function createContext(call: Call, model: unknown, options: LlamaSpeedOptions): unknown {
  const params: { words: Uint32Array } = call(
    "LlamaContextParams llama_context_default_params()",
  )();
  for (const [name, { at, preset }] of Object.entries(contextWords))
    if (params.words[at] !== preset)
      throw new Error(`llama.h: ${name} is ${params.words[at]} by default, expected ${preset}`);
  params.words[contextWords.capacity.at] = options.capacity;
  params.words[contextWords.threads.at] = options.threads;
  params.words[contextWords.batchThreads.at] = options.threads;
  params.words[contextWords.flashAttention.at] = options.flashAttention ? 1 : 0;
  return call("void* llama_init_from_model(void* model, LlamaContextParams params)")(model, params);
}
