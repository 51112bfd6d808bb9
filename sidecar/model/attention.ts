// One layer's attention without its weights, for whoever wants to know what the rows of a run looked
// at: the decoder hands out queries, keys and values as they go into its own attention, and here the
// probabilities are computed again and averaged, so that no table of them leaves the graph. It
// serves every layer. Inputs but the first as in decoder.ts:
//
//   query_key_value   [1, seq, (heads + 2 kvHeads) headDim], before rotation
//   received          [kvHeads, total], mean over the rows and the query heads of a group
import { GraphBuilder } from "../onnx/graph-builder.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import type { DecoderWeights } from "./weights.ts";

/** The model file; the rotary tables are where `weights` says. */
export function buildAttention(
  shape: Hyperparameters,
  weights: Pick<DecoderWeights, "cosines" | "sines">,
): Uint8Array {
  const { headCount, kvHeadCount, headDim } = shape;
  const graph = new GraphBuilder();
  const past = [1, kvHeadCount, "past", headDim];
  const probabilities = "probabilities";
  graph.groupQueryAttention(
    {
      queryKeyValue: graph.input("query_key_value", "float32", [
        1,
        "seq",
        (headCount + 2 * kvHeadCount) * headDim,
      ]),
      pastKey: graph.input("past.key", "float32", past),
      pastValue: graph.input("past.value", "float32", past),
      lastIndices: graph.input("seqlens_k", "int32", [1]),
      totalLength: graph.input("total_len", "int32", []),
      cosines: graph.initializer(weights.cosines),
      sines: graph.initializer(weights.sines),
      positions: graph.input("position_ids", "int64", [1, "seq"]),
      bias: graph.input("attention_bias", "float32", [1, 1, "seq", "visible"]),
    },
    { presentKey: "present.key", presentValue: "present.value", probabilities },
    shape,
  );
  const groups = graph.reshape(probabilities, [kvHeadCount, headCount / kvHeadCount, 0, 0]);
  // Over [kvHeads, group, seq, total].
  const received = graph.reduce("ReduceMean", groups, { axes: [1, 2], name: "received" });
  graph.output(received, "float32", [kvHeadCount, "total"]);
  return graph.finish();
}
