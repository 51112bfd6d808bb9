// The decoder of the llama and qwen2 architectures as a graph, straight from the first norm to the
// logits, fed by embeddings. All rows of a batch are one list, x [n, hidden] with n = batch * seq;
// only attention sees which rows follow each other. Tensor names of the GGUF on the left:
//
//   attn_norm            n = rms(x)
//   attn_q, attn_k, attn_v (+ bias)   q, k, v = n W'                 rows stacked, one product
//   rope, cache          q and k rotated by position; llama's GGUF has their rows permuted, so its
//                        pairs are (2i, 2i + 1), qwen2's are (i, i + headDim / 2)
//   attn_output          x += softmax(q k' / sqrt(headDim), causal) v W'
//   ffn_norm             n = rms(x)
//   ffn_gate, ffn_up     h = silu(n Wg') * (n Wu')                   rows stacked, one product
//   ffn_down             x += h W'
//   output_norm, output  logits = rms(x) W'; token_embd where `output` is missing
//
// A run: `seqlens_k` is each row's valid length less one, `total_len` the greatest length, past and
// new together; `logit_pos` are the positions of the input whose logits are wanted, none at all is
// allowed. `position_ids` and `attention_bias` are for several continuations in one run: a row stands
// at its own position and sees what the bias leaves. The first output is a sequence on purpose, see the
// engine's session. What goes into each layer's attention is an output too, `query_key_value.{layer}`
// [n, (heads + 2 kvHeads) headDim] before rotation, see attention.ts; it is computed anyway.
import { GraphBuilder, type Value } from "../onnx/graph-builder.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import { createAdaptedProduct, createFineProduct, createProduct } from "./product.ts";
import type { DecoderWeights } from "./weights.ts";

export interface DecoderOptions {
  /**
   * Adds the inputs `lora.{layer}.{product}.a` and `.b`, which `createAdaptedProduct` describes; the
   * products are query_key_value, output, gate_up and down. A graph of its own, because even factors
   * of rank 0 take 2 to 4 % of the 135M's decode step.
   */
  readonly hasFactors: boolean;
  /** 4 rounds the inputs of coded matrices to 8 bits, as llama.cpp does; 0 keeps float32. */
  readonly accuracyLevel: 0 | 4;
  /** Whether the head's inputs keep 16 bits. */
  readonly isHeadFine: boolean;
}

/** The model file; its weights are where `weights` says. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a straight recipe in the model's order
export function buildDecoder(
  hyperparameters: Hyperparameters,
  weights: DecoderWeights,
  options: DecoderOptions,
): Uint8Array {
  const { headCount, kvHeadCount, headDim, hiddenSize, vocabularySize } = hyperparameters;
  const epsilon = hyperparameters.normEpsilon;
  const graph = new GraphBuilder();
  const multiply = createProduct(graph, options.accuracyLevel);
  const adapted = createAdaptedProduct(graph, multiply, options.hasFactors);

  // Inputs, and the outputs that engines look for.
  const embeddings = graph.input("inputs_embeds", "float32", ["batch", "seq", hiddenSize]);
  const lastIndices = graph.input("seqlens_k", "int32", ["batch"]);
  const totalLength = graph.input("total_len", "int32", []);
  const logitPositions = graph.input("logit_pos", "int64", ["n"]);
  const positions = graph.input("position_ids", "int64", ["batch", "seq"]);
  const bias = graph.input("attention_bias", "float32", [1, 1, "seq", "visible"]);
  const cosines = graph.initializer(weights.cosines);
  const sines = graph.initializer(weights.sines);
  graph.sequenceConstruct(lastIndices, "nocopy");
  graph.sequenceOutput("nocopy", "int32");
  const past = ["batch", kvHeadCount, "past", headDim];
  const present = ["batch", kvHeadCount, "total", headDim];

  // The residual stream, and the shapes that turn rows into [batch, seq, ..] again.
  const packedWidth = (headCount + 2 * kvHeadCount) * headDim;
  const packedShape = graph.shapeLike(embeddings, packedWidth);
  const hiddenShape = graph.shapeLike(embeddings, hiddenSize);
  let residual = graph.reshape(embeddings, [-1, hiddenSize]); // [n, hidden]
  let delta: Value | null = null; // [n, hidden], what the layer before still has to add to it
  for (const [index, layer] of weights.layers.entries()) {
    // Norm before attention; it also adds the delta of the layer before.
    const attentionGain = graph.initializer(layer.attentionNorm);
    let normalized: Value;
    if (delta === null) normalized = graph.rmsNorm(residual, attentionGain, epsilon);
    else
      ({ normalized, residual } = graph.addAndRmsNorm(residual, delta, {
        gain: attentionGain,
        epsilon,
      }));

    // Attention over the cache and the new positions.
    const presentKey = `present.${index}.key`;
    const presentValue = `present.${index}.value`;
    const factors = (product: string) => `lora.${index}.${product}`;
    const packed = adapted(
      normalized,
      layer.queryKeyValue,
      factors("query_key_value"),
      `query_key_value.${index}`,
    );
    const context = graph.groupQueryAttention(
      {
        queryKeyValue: graph.reshapeTo(packed, packedShape),
        pastKey: graph.input(`past.${index}.key`, "float32", past),
        pastValue: graph.input(`past.${index}.value`, "float32", past),
        lastIndices,
        totalLength,
        cosines,
        sines,
        positions,
        bias,
      },
      { presentKey, presentValue },
      { headCount, kvHeadCount, headDim, rotaryInterleaved: hyperparameters.rotaryInterleaved },
    ); // [batch, seq, heads headDim]
    graph.output(presentKey, "float32", present);
    graph.output(presentValue, "float32", present);
    graph.output(packed, "float32", ["rows", packedWidth]);
    const contextRows = graph.reshape(context, [-1, headCount * headDim]);
    delta = adapted(contextRows, layer.attentionOutput, factors("output"));

    // Norm before the feed-forward part.
    const feedForwardGain = graph.initializer(layer.feedForwardNorm);
    ({ normalized, residual } = graph.addAndRmsNorm(residual, delta, {
      gain: feedForwardGain,
      epsilon,
    }));

    // Feed-forward: gate and up in one product, [n, feedForward] each.
    const gateAndUp = adapted(normalized, layer.gateAndUp, factors("gate_up"));
    const [gate, up] = graph.splitInHalves(gateAndUp);
    delta = adapted(graph.elementwise("Mul", graph.silu(gate), up), layer.down, factors("down"));
  }

  // Final norm; only the wanted positions go through the head, a fifth of the work.
  const outputNorm = { gain: graph.initializer(weights.outputNorm), epsilon };
  if (delta === null) throw new Error("a decoder has at least one layer");
  const { normalized } = graph.addAndRmsNorm(residual, delta, outputNorm);
  const hidden = graph.reshapeTo(normalized, hiddenShape, "hidden");
  graph.output(hidden, "float32", ["batch", "seq", hiddenSize]);
  const wanted = graph.gatherPositions(hidden, logitPositions); // [batch, n, hidden]
  const headProduct = options.isHeadFine ? createFineProduct(graph, multiply) : multiply;
  const logits = headProduct(graph.reshape(wanted, [-1, hiddenSize]), weights.head);
  graph.reshapeTo(logits, graph.shapeLike(wanted, vocabularySize), "logits");
  graph.output("logits", "float32", ["batch", "n", vocabularySize]);
  return graph.finish();
}
