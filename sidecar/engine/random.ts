// xoshiro128** 1.1 (Blackman and Vigna, arXiv 1805.01407), its state filled from the seed by
// splitmix32, the 32-bit finaliser of MurmurHash3 over a Weyl sequence. Not for secrets.

/** Uniform in [0, 1), 32 bits a draw; equal seeds give equal sequences on every machine. */
export function createRandom(seed: number): () => number {
  const next = splitMix(seed);
  let [a, b, c, d] = [next(), next(), next(), next()];
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result / 2 ** 32;
  };
}

/** Seeds of more than 32 bits count in full; fractions are dropped. */
function splitMix(seed: number): () => number {
  const low = Math.trunc(seed) >>> 0;
  const high = Math.trunc(seed / 2 ** 32) | 0;
  let state = low ^ Math.imul(high, 0x85ebca6b);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
