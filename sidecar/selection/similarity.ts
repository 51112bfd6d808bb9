// How alike two things are. Sets and vectors come in, a number goes out, the larger the more alike.
import assert from "node:assert/strict";

/** |a ∩ b| / |a ∪ b|, 0 for two empty sets. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const each of small) if (large.has(each)) shared += 1;
  const all = a.size + b.size - shared;
  return all === 0 ? 0 : shared / all;
}

/** From -1 to 1; 0 where a vector is zero. */
export function cosine(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let index = 0; index < a.length; index += 1) {
    const x = a[index] ?? 0;
    const y = b[index] ?? 0;
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  const norm = Math.sqrt(squareA * squareB);
  return norm === 0 ? 0 : product / norm;
}

/** One bit a dimension, set where the value is above zero: [ceil(dimensions / 32)]. */
export function signBits(vector: Float32Array): Uint32Array {
  const bits = new Uint32Array(Math.ceil(vector.length / 32));
  for (let index = 0; index < vector.length; index += 1)
    if ((vector[index] ?? 0) > 0)
      bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31));
  return bits;
}

/** Bits in which `a` differs from the words of `b` from `start` on. */
export function hamming(a: Uint32Array, b: Uint32Array, start = 0): number {
  let count = 0;
  for (let word = 0; word < a.length; word += 1)
    count += bitCount((a[word] ?? 0) ^ (b[start + word] ?? 0));
  return count;
}

/** Bits set in 32: sums of neighbours in 2, 4 and 8 bits, and one multiplication for the rest. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
