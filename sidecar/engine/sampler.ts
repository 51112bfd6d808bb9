// Logits -> one id. Greedy at temperature 0; else softmax at the temperature, cut to the smallest
// set of ids that has `topP` of the mass (nucleus sampling, arXiv 1904.09751), and a draw.
// Vocabularies have 150,000 ids and a step some milliseconds, so nothing here sorts or copies them
// all: a histogram over the distance to the best logit leaves few ids to sort.
import assert from "node:assert/strict";
import { createRandom } from "./random.ts";

export interface SamplerOptions {
  /** 0 is greedy: the best logit, the lowest id among equals, whatever the seed. */
  readonly temperature: number;
  /** From 0 to 1; 1 keeps every id. */
  readonly topP: number;
  readonly seed: number;
}

/**
 * The ids that may be chosen, applied before temperature and top-p. A list and not a mask or a
 * predicate: a tail of typed text leaves a handful of ids, and the choice then costs that handful.
 */
export type TokenFilter = Uint32Array;

export interface Choice {
  readonly id: number;
  /** Natural logarithm, under the model's own distribution: no temperature, top-p or filter. */
  readonly logProbability: number;
}

/** `logits` [vocabulary] are read and not kept; `admitted` is not empty. */
export type Sampler = (logits: Float32Array, admitted?: TokenFilter) => Choice;

/** Draws follow from the seed alone: equal options and equal logits give equal ids. */
export function createSampler({ temperature, topP, seed }: SamplerOptions): Sampler {
  assert(temperature >= 0 && topP >= 0 && topP <= 1);
  const random = createRandom(seed);
  return (logits, admitted) => {
    const best = bestId(logits, admitted);
    const isGreedy = temperature === 0 || topP === 0;
    const id = isGreedy ? best : draw({ logits, admitted, best, temperature, topP }, random());
    const highest = admitted === undefined ? logits[best] : undefined;
    return { id, logProbability: logProbability(logits, id, highest) };
  };
}

/** The lowest id among those with the highest logit. */
export function bestId(logits: Float32Array, admitted?: TokenFilter): number {
  if (admitted !== undefined) return bestOf(logits, admitted);
  assert(logits.length > 0, "at least one id is admitted");
  let best = 0;
  let highest = logits[0]!;
  for (let id = 1; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > highest) {
      highest = logit;
      best = id;
    }
  }
  return best;
}

function bestOf(logits: Float32Array, admitted: TokenFilter): number {
  assert(admitted.length > 0, "at least one id is admitted");
  let best = admitted[0]!;
  for (const id of admitted) {
    const [logit, highest] = [logits[id]!, logits[best]!];
    if (logit > highest || (logit === highest && id < best)) best = id;
  }
  return best;
}

/** Natural logarithm of the softmax of `logits` at `id`; `highest` is the best logit, if known. */
export function logProbability(
  logits: Float32Array,
  id: number,
  highest = logits[bestId(logits)]!,
): number {
  let mass = 0;
  for (let index = 0; index < logits.length; index++) mass += expOfMinus(highest - logits[index]!);
  return logits[id]! - highest - Math.log(mass);
}

/** Natural logarithm of the sum of the exponentials of `logits`, or of the admitted ones alone. */
export function logNormaliser(logits: Float32Array, admitted?: TokenFilter): number {
  const best = bestId(logits, admitted);
  if (admitted === undefined) return logits[best]! - logProbability(logits, best, logits[best]);
  let mass = 0;
  for (const id of admitted) mass += expOfMinus(logits[best]! - logits[id]!);
  return logits[best]! + Math.log(mass);
}

interface Distribution {
  readonly logits: Float32Array;
  readonly admitted: TokenFilter | undefined;
  readonly best: number;
  readonly temperature: number;
  readonly topP: number;
}

/** The ids with a logit above `lastLogit`, and those at it up to `lastId`. */
interface Nucleus {
  readonly lastLogit: number;
  readonly lastId: number;
  /** Sum of the weights: the softmax times the best id's share. */
  readonly mass: number;
}

/** The id at `uniform` (0 up to 1) of the nucleus, its ids in ascending order. */
function draw(distribution: Distribution, uniform: number): number {
  const { logits, admitted } = distribution;
  const { lastLogit, lastId, mass } = findNucleus(distribution);
  const count = admitted?.length ?? logits.length;
  let left = uniform * mass;
  let chosen = lastId;
  for (let index = 0; index < count && left >= 0; index++) {
    const id = admitted === undefined ? index : admitted[index]!;
    const logit = logits[id]!;
    if (logit > lastLogit || (logit === lastLogit && id <= lastId)) {
      left -= weightOf(distribution, id);
      chosen = id;
    }
  }
  return chosen;
}

function findNucleus(distribution: Distribution): Nucleus {
  const { logits, topP } = distribution;
  const masses = bucketMasses(distribution);
  const wanted = topP * masses.reduce((sum, mass) => sum + mass, 0);
  let mass = 0;
  let bucket = 0;
  while (bucket < BUCKETS - 1 && mass + masses[bucket]! < wanted) mass += masses[bucket++]!;
  const border = idsInBucket(distribution, bucket).sort((a, b) => logits[b]! - logits[a]! || a - b);
  let last = distribution.best;
  for (const id of border) {
    last = id;
    mass += weightOf(distribution, id);
    if (mass >= wanted) break;
  }
  return { lastLogit: logits[last]!, lastId: last, mass };
}

const BUCKETS = 256;
/** A distance to the best of more than this weighs nothing: 152,000 times e^-32 is 2e-9. */
const FAR = 32;

function bucketMasses(distribution: Distribution): Float64Array {
  const { logits, admitted } = distribution;
  const masses = new Float64Array(BUCKETS);
  const count = admitted?.length ?? logits.length;
  for (let index = 0; index < count; index++) {
    const id = admitted === undefined ? index : admitted[index]!;
    const distance = distanceOf(distribution, id);
    if (distance < FAR) masses[bucketOf(distance)]! += expOfMinus(distance);
  }
  return masses;
}

function idsInBucket(distribution: Distribution, bucket: number): number[] {
  const { logits, admitted } = distribution;
  const ids: number[] = [];
  const count = admitted?.length ?? logits.length;
  for (let index = 0; index < count; index++) {
    const id = admitted === undefined ? index : admitted[index]!;
    const distance = distanceOf(distribution, id);
    if (distance < FAR && bucketOf(distance) === bucket) ids.push(id);
  }
  return ids;
}

function bucketOf(distance: number): number {
  return Math.floor(distance * (BUCKETS / FAR));
}

function distanceOf({ logits, best, temperature }: Distribution, id: number): number {
  return (logits[best]! - logits[id]!) / temperature;
}

function weightOf(distribution: Distribution, id: number): number {
  return expOfMinus(distanceOf(distribution, id));
}

const STEPS = 256;
const exponentials = Float64Array.from({ length: FAR * STEPS }, (_, step) =>
  Math.exp(-step / STEPS),
);

/**
 * e^-distance for distance >= 0, and 0 beyond FAR. A table and the Taylor series to the second order
 * (relative error below 1e-8): Math.exp over 152,000 logits takes a tenth of a decode step.
 */
function expOfMinus(distance: number): number {
  const position = distance * STEPS;
  if (!(position < FAR * STEPS)) return 0;
  const step = Math.floor(position);
  const rest = (step - position) / STEPS;
  return exponentials[step]! * (1 + rest * (1 + rest / 2));
}
