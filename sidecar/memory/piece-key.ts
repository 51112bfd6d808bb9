// What a memory is a memory of, as a name. Within one model and one version of the encoder it
// depends on nothing else.
import { createHash } from "node:crypto";

/** Equal for equal lists of ids. */
export function keyOf(...lists: readonly ArrayLike<number>[]): string {
  const hash = createHash("sha256");
  for (const ids of lists) hash.update(Uint32Array.of(ids.length)).update(Uint32Array.from(ids));
  return hash.digest("hex");
}
