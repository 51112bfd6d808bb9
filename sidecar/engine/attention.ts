// How much the rows of a run look at every position, found beside the decoder: its graph hands out
// what goes into each layer's attention, and a graph of that attention alone, without weights and
// so almost without memory, computes the probabilities again and hands back their mean.
//
// Graph, inputs: query_key_value f32 [1, rows, (heads + 2 kvHeads) headDim] before rotation;
// past.key|value f32 [1, kvHeads, capacity, headDim], rows of a cache up to the run's first; the
// others as in cache-way.ts. Output: received f32 [kvHeads, total], the mean over the rows and the
// query heads of a group.
import assert from "node:assert/strict";
import { placeFeeds, type Step } from "./cache-way.ts";
import type { ModelShape } from "./engine-model.ts";
import { floatTensor, type Session, type Tensors } from "./session.ts";

/** Where a step of `rows` shall put what goes into its attention. */
export function attentionResults(rows: number, shape: ModelShape): Tensors {
  const width = (shape.headCount + 2 * shape.kvHeadCount) * shape.headDim;
  const layers = Array.from({ length: shape.layerCount }, (_, layer) => [
    `query_key_value.${layer}`,
    floatTensor(new Float32Array(rows * width), [rows, width]),
  ]);
  return Object.fromEntries(layers);
}

/**
 * Adds what a step looked at to the means of a run of `rowCount` rows, of which it is a part.
 * @param attention by layer [kvHeads, positions]
 */
export async function addAttention(
  session: Session,
  step: Step,
  {
    attention,
    rowCount,
  }: { readonly attention: readonly Float32Array[]; readonly rowCount: number },
): Promise<void> {
  const { cache, rows, results } = step;
  const { kvHeadCount, headDim } = cache.shape;
  const past = [1, kvHeadCount, cache.capacity, headDim];
  const place = placeFeeds(step);
  for (const [layer, means] of attention.entries()) {
    const queryKeyValue = results[`query_key_value.${layer}`];
    const {
      keys: { [layer]: keys },
      values: { [layer]: values },
    } = cache;
    assert(queryKeyValue !== undefined && keys !== undefined && values !== undefined);
    const feeds = {
      ...place,
      query_key_value: floatTensor(queryKeyValue.data as Float32Array, [1, ...queryKeyValue.dims]),
      "past.key": floatTensor(keys, past),
      "past.value": floatTensor(values, past),
    };
    const { received } = await session.run(feeds, ["received"]);
    assert(received !== undefined);
    const share = received.data as Float32Array; // [kvHeads, total]
    const total = share.length / kvHeadCount;
    const positions = means.length / kvHeadCount;
    for (const [index, value] of share.entries()) {
      const at = Math.floor(index / total) * positions + (index % total);
      means[at] = (means[at] ?? 0) + (value * rows) / rowCount;
    }
  }
}
