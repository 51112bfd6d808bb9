// Whether the cache may be updated in place. That rests on details of one version of the runtime
// (session.ts), so it is tried at every start: a short decode in both ways must agree, and the new
// rows must have been written into the cache's own arrays.
import { type CacheWay, createCacheWay } from "./cache-way.ts";
import type { ModelShape } from "./engine-model.ts";
import { KvCache } from "./kv-cache.ts";
import { floatTensor, type Session } from "./session.ts";

/** In place if that works with this graph and runtime, else copied. */
export async function selectCacheWay(session: Session, shape: ModelShape): Promise<CacheWay> {
  const inPlace = createCacheWay("in-place");
  return (await isFaithful(inPlace, session, shape)) ? inPlace : createCacheWay("copied");
}

/** Whether `way` does with this graph and runtime what copying does. */
export async function isFaithful(
  way: CacheWay,
  session: Session,
  shape: ModelShape,
): Promise<boolean> {
  const expected = await decodeShortly(session, shape, createCacheWay("copied"));
  // A runtime that refuses one tensor as a feed and as a target leaves the way of copies.
  const found = await decodeShortly(session, shape, way).catch(() => null);
  return found !== null && agrees(found, expected);
}

const PROMPT = 3;
const CAPACITY = 8;

/** Everything that three rows at once and a fourth behind them leave behind. */
async function decodeShortly(
  session: Session,
  shape: ModelShape,
  way: CacheWay,
): Promise<Float32Array[]> {
  const cache = new KvCache(shape, CAPACITY);
  const logits = new Float32Array(shape.vocabularySize);
  const results = { logits: floatTensor(logits, [1, 1, shape.vocabularySize]) };
  for (const rows of [PROMPT, 1]) {
    const lengths = Int32Array.of(cache.length + rows);
    const embeds = madeUpRows(rows * shape.hiddenSize, cache.length);
    const logitRows = [rows - 1];
    await way.run(session, { cache, embeds, rows, lengths, logitRows, results, parents: null });
    cache.lengths.set(lengths);
  }
  const { keys, values } = cache.copyBlock(0, PROMPT + 1);
  return [logits, ...keys, ...values];
}

/** Any numbers will do that differ from row to row; embeddings have about this size. */
function madeUpRows(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => 0.05 * Math.sin(1 + seed + 3 * index));
}

function agrees(found: Float32Array[], expected: Float32Array[]): boolean {
  return expected.every((array, index) => isClose(found[index] ?? new Float32Array(0), array));
}

/** The same kernels on the same numbers: only the order of a sum may differ. */
function isClose(found: Float32Array, expected: Float32Array): boolean {
  const size = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return (
    found.length === expected.length &&
    size > 0 &&
    expected.every((value, index) => Math.abs(value - (found[index] ?? 0)) <= 1e-3 * size)
  );
}
