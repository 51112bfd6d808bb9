// Runs a prepared graph once from an empty cache, for tests of the graph alone: no engine between.
// biome-ignore lint/style/noRestrictedImports: the graph is tested without the engine
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { PreparedModel } from "../../sidecar/model/prepare.ts";
import type { Rows } from "./tiny-forward.ts";

export interface GraphResult {
  readonly logits: Float32Array; // [positions, vocabulary]
  readonly hidden: Float32Array; // [positions, hidden]
  /** [layer][heads, positions, positions], where asked for. */
  readonly attention: readonly Float32Array[];
}

/** All positions of `embeddings` at once, with the logits of every one. */
export async function runGraph(
  model: PreparedModel,
  embeddings: Rows,
  options: { readonly attention?: boolean } = {},
): Promise<GraphResult> {
  const { layerCount, kvHeadCount, headDim, hiddenSize } = model.hyperparameters;
  const file = options.attention ? model.engine.attentionGraphFile : model.engine.graphFile;
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const length = embeddings.length;
  const feeds: Record<string, Tensor> = {
    inputs_embeds: new Tensor("float32", flat(embeddings), [1, length, hiddenSize]),
    seqlens_k: new Tensor("int32", Int32Array.of(length - 1), [1]),
    total_len: new Tensor("int32", Int32Array.of(length), []),
    position_ids: new Tensor("int64", new BigInt64Array(length), [1, length]),
    attention_bias: new Tensor("float32", new Float32Array(length * length), [
      1,
      1,
      length,
      length,
    ]),
    logit_pos: new Tensor(
      "int64",
      BigInt64Array.from({ length }, (_, at) => BigInt(at)),
      [length],
    ),
  };
  for (let layer = 0; layer < layerCount; layer++)
    for (const part of ["key", "value"])
      feeds[`past.${layer}.${part}`] = new Tensor("float32", new Float32Array(0), [
        1,
        kvHeadCount,
        0,
        headDim,
      ]);
  const wanted = session.outputNames.filter((name) => name !== "nocopy");
  const outputs = await session.run(feeds, wanted);
  await session.release();
  const values = (name: string) => outputs[name]?.data as Float32Array;
  return {
    logits: values("logits"),
    hidden: values("hidden"),
    attention: wanted.filter((name) => name.startsWith("attention.")).map(values),
  };
}

function flat(rows: Rows): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...row]));
}
