// What is compared in in-context learning: how many demonstrations, which, and in which form.
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import { createRandom } from "../../sidecar/engine/random.ts";
import { cosine } from "../../sidecar/selection/similarity.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import type { Pooled } from "./in-context-adapter.ts";
import {
  bestLast,
  demonstrate,
  drawBalanced,
  type Example,
  type InContextSet,
  joinDemonstrations,
  type ScoredExample,
  selectAlike,
  shuffle,
} from "./in-context-set.ts";

export interface Column {
  readonly name: string;
  /** Without a memory there is not even the sink. */
  readonly memory: (item: Example) => MemoryRequest | undefined | Promise<MemoryRequest>;
}

type Form =
  | { readonly form: "raw" }
  | { readonly form: "kept" | "embedded"; readonly ratio: number };

interface Ranking {
  readonly name: string;
  /** The `count` demonstrations for a text, the best last. */
  readonly select: (text: string, count: number) => Example[] | Promise<Example[]>;
}

const none: Column = { name: "none", memory: () => undefined };
const raw: Form = { form: "raw" };
const embedded: Form = { form: "embedded", ratio: 12 };

/** Drawn at random, as many of each label; last come those selected for each item. */
export function drawnColumns(set: InContextSet, seed: number): Column[] {
  const alike = byJaccard(set, "alike");
  return [
    none,
    ...[4, 16, 64].map((count) => drawn(set, seed, count, raw)),
    ...[4, 16, 64].map((count) => drawn(set, seed, count, kept(12))),
    ...[16, 64].map((count) => drawn(set, seed, count, kept(4))),
    selected(set, alike, 16, kept(12)),
    selected(set, alike, 4, raw),
  ];
}

/** By an adapter's virtual tokens, and what they are compared with (UniICL's tables). */
export function adapterColumns(set: InContextSet, seed: number, pooled: Pooled): Column[] {
  const rankings = [byJaccard(set, "by Jaccard"), byVirtualTokens(set, pooled)];
  return [
    none,
    ...[4, 16, 64].flatMap((count) => [
      drawn(set, seed, count, raw),
      drawn(set, seed, count, embedded),
      ...rankings.flatMap((ranking) => [
        selected(set, ranking, count, raw),
        selected(set, ranking, count, embedded),
      ]),
    ]),
  ];
}

function drawn(set: InContextSet, seed: number, count: number, form: Form): Column {
  const texts = drawBalanced(set, count, createRandom(seed)).map((each) => demonstrate(set, each));
  const memory = { ...request(form), demonstrations: texts.map((text) => ({ text })) };
  return { name: `${count} ${nameOf(form)}`, memory: () => memory };
}

/** A piece each, because a group would depend on what else is selected. */
function selected(set: InContextSet, { name, select }: Ranking, count: number, form: Form): Column {
  return {
    name: `${count} ${name}, ${nameOf(form)}`,
    memory: async ({ text }) => ({
      ...request(form),
      context: (await select(text, count)).map((each) => ({ text: demonstrate(set, each) })),
    }),
  };
}

function byJaccard(set: InContextSet, name: string): Ranking {
  return { name, select: (text, count) => selectAlike(set, text, count) };
}

function byVirtualTokens(set: InContextSet, pooled: Pooled): Ranking {
  const select = async (text: string, count: number) => {
    const query = await pooled(set.ask(text));
    const scored: ScoredExample[] = [];
    for (const example of set.demonstrations) {
      const vector = await pooled(demonstrate(set, example));
      scored.push({ example, score: cosine(query, vector) });
    }
    return bestLast(scored, count);
  };
  return { name: "by virtual tokens", select };
}

/** All demonstrations of the set in 64 long ones; so many raw ones as the window takes. */
export function longColumns(set: InContextSet, seed: number, tokenizer: Tokenizer): Column[] {
  const texts = shuffle(joinDemonstrations(set, 64, tokenizer), createRandom(seed));
  const least = Math.min(...texts.map((text) => tokenizer.encode(`${text}\n`).length));
  const long = (count: number, form: Form): Column => {
    const demonstrations = texts.slice(-count).map((text) => ({ text }));
    const memory = { ...request(form), demonstrations };
    return { name: `${count} of ${least} tokens or more, ${nameOf(form)}`, memory: () => memory };
  };
  return [
    ...[1, 4, 16, 32].map((count) => long(count, raw)),
    ...[4, 16, 64].map((count) => long(count, kept(12))),
    long(64, kept(24)),
  ];
}

function kept(ratio: number): Form {
  return { form: "kept", ratio };
}

function nameOf(form: Form): string {
  return form.form === "raw" ? "raw" : `${form.form} ${form.ratio}x`;
}

function request(form: Form): MemoryRequest {
  return { ...form, demonstrations: [], context: [], isCold: false };
}
