// Which tokens a model has hardly seen: those whose rows of the embedding table still lie where the
// rows of unused tokens lie ("Fishing for Magikarp", Land and Bartolo, arXiv 2405.05417, the
// indicator for tied embeddings: the cosine distance to the mean of the unused rows). In: rows by id.
// Out: ids. The direction that all rows share is taken out first, as there, here as the mean row.
import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../errors.ts";

export interface EmbeddingRows {
  readonly hiddenSize: number;
  /** Rows of `ids`: [ids, hiddenSize]. */
  embed(ids: ArrayLike<number>): Float32Array;
}

/** Of these at most this share is named: the paper's cut for candidates. */
const greatestShare = 0.02;
/**
 * An ordinary token is at 1, at a right angle to the unused ones. In Qwen2.5-Coder's table the ids
 * that it never saw are below 0.001, in SmolLM2's the first hundredth reaches 0.7.
 */
const greatestDistance = 0.5;
/** The mean of all rows is taken from every so many-th. */
const stride = 16;
/** Rows between two turns of the event loop: some milliseconds. */
const pieceRows = 1024;

/**
 * The ids of `ordinary` whose rows are nearest to the mean of those of `unused`, nearest first.
 * @throws CancelledError
 */
export async function findUnderTrained(
  rows: EmbeddingRows,
  ids: { readonly ordinary: readonly number[]; readonly unused: readonly number[] },
  signal?: AbortSignal,
): Promise<number[]> {
  const { ordinary, unused } = ids;
  if (unused.length === 0) return [];
  const sample = ordinary.filter((_, index) => index % stride === 0);
  const shared = await meanOf(rows, sample, signal);
  const centre = (await meanOf(rows, unused, signal)).map(
    (value, column) => value - (shared[column] ?? 0),
  );
  const distances = new Map<number, number>();
  await eachRow(rows, ordinary, signal, (id, row) => {
    distances.set(id, cosineDistance(row, shared, centre));
  });
  return [...distances]
    .filter(([, distance]) => distance <= greatestDistance)
    .sort(([, first], [, second]) => first - second)
    .slice(0, Math.ceil(greatestShare * ordinary.length))
    .map(([id]) => id);
}

/** [hiddenSize] */
async function meanOf(
  rows: EmbeddingRows,
  ids: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const mean = new Float64Array(rows.hiddenSize);
  await eachRow(rows, ids, signal, (_, row) => {
    for (let column = 0; column < mean.length; column++)
      mean[column] = (mean[column] ?? 0) + (row[column] ?? 0) / ids.length;
  });
  return mean;
}

/** 1 - cos of the angle between `row - shared` and `centre`; 1 for a row of zeros. */
function cosineDistance(row: Float32Array, shared: Float64Array, centre: Float64Array): number {
  let product = 0;
  let rowSquared = 0;
  let centreSquared = 0;
  for (let column = 0; column < row.length; column++) {
    const value = (row[column] ?? 0) - (shared[column] ?? 0);
    const other = centre[column] ?? 0;
    product += value * other;
    rowSquared += value * value;
    centreSquared += other * other;
  }
  return 1 - product / (Math.sqrt(rowSquared * centreSquared) || 1);
}

async function eachRow(
  { embed, hiddenSize }: EmbeddingRows,
  ids: readonly number[],
  signal: AbortSignal | undefined,
  use: (id: number, row: Float32Array) => void,
): Promise<void> {
  for (let start = 0; start < ids.length; start += pieceRows) {
    throwIfCancelled(signal);
    const piece = ids.slice(start, start + pieceRows);
    const values = embed(piece); // [piece, hiddenSize]
    for (const [index, id] of piece.entries())
      use(id, values.subarray(index * hiddenSize, (index + 1) * hiddenSize));
    // A completion that came in meanwhile goes first.
    await setImmediate();
  }
}
