// What is compared in in-context learning: how many demonstrations, which, and in which form.
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import { createRandom } from "../../sidecar/engine/random.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import {
  demonstrate,
  drawBalanced,
  type Example,
  type InContextSet,
  joinDemonstrations,
  selectAlike,
  shuffle,
} from "./in-context-set.ts";

export interface Column {
  readonly name: string;
  /** Without a memory there is not even the sink. */
  readonly memory: (item: Example) => MemoryRequest | undefined;
}

type Form = { readonly form: "raw" } | { readonly form: "kept"; readonly ratio: number };

const none: Column = { name: "none", memory: () => undefined };
const raw: Form = { form: "raw" };

/** Drawn at random, as many of each label; last come those selected for each item. */
export function drawnColumns(set: InContextSet, seed: number): Column[] {
  const drawn = (count: number, form: Form): Column => {
    const texts = drawBalanced(set, count, createRandom(seed)).map((each) =>
      demonstrate(set, each),
    );
    const memory = { ...request(form), demonstrations: texts.map((text) => ({ text })) };
    return { name: `${count} ${nameOf(form)}`, memory: () => memory };
  };
  // A piece each, because a group would depend on what else is selected.
  const selected = (count: number, form: Form): Column => ({
    name: `${count} alike, ${nameOf(form)}`,
    memory: ({ text }) => ({
      ...request(form),
      context: selectAlike(set, text, count).map((each) => ({ text: demonstrate(set, each) })),
    }),
  });
  return [
    none,
    ...[4, 16, 64].map((count) => drawn(count, raw)),
    ...[4, 16, 64].map((count) => drawn(count, kept(12))),
    ...[16, 64].map((count) => drawn(count, kept(4))),
    selected(16, kept(12)),
    selected(4, raw),
  ];
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
  return form.form === "raw" ? "raw" : `kept ${form.ratio}x`;
}

function request(form: Form): MemoryRequest {
  return { ...form, demonstrations: [], context: [], isCold: false };
}
