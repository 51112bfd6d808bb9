// Keys lie in the cache with their position already turned into them (RoPE, arXiv 2104.09864): pair i
// of a key at position p is rotated by p * base^(-2i / headDim). Rotations add up, so a key moves to
// another position by one more rotation, by the difference of the positions. Values hold no position.
import type { CacheShape } from "./engine-model.ts";

/** Cosine and sine of every pair's angle for one distance. */
export interface Rotation {
  readonly cosines: Float64Array; // [headDim / 2]
  readonly sines: Float64Array; // [headDim / 2]
}

export type RotaryShape = Pick<CacheShape, "headDim" | "ropeBase" | "rotaryInterleaved">;

/** The rotation that moves a key by `distance` positions, towards the end if positive. */
export function rotationBy({ headDim, ropeBase }: RotaryShape, distance: number): Rotation {
  const angles = Float64Array.from(
    { length: headDim / 2 },
    (_, pair) => distance * ropeBase ** ((-2 * pair) / headDim),
  );
  return { cosines: angles.map(Math.cos), sines: angles.map(Math.sin) };
}

/** Rotates every row of `keys` [rows, headDim] in place. */
export function rotateKeys(keys: Float32Array, rotation: Rotation, shape: RotaryShape): void {
  const { headDim, rotaryInterleaved } = shape;
  const { cosines, sines } = rotation;
  const pairCount = headDim / 2;
  const pairStep = rotaryInterleaved ? 2 : 1;
  const partner = rotaryInterleaved ? 1 : pairCount;
  for (let row = 0; row < keys.length; row += headDim) {
    for (let pair = 0; pair < pairCount; pair++) {
      const at = row + pair * pairStep;
      const cosine = cosines[pair]!;
      const sine = sines[pair]!;
      const x = keys[at]!;
      const y = keys[at + partner]!;
      keys[at] = x * cosine - y * sine;
      keys[at + partner] = x * sine + y * cosine;
    }
  }
}
