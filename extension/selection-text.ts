// The page of Show What Was Selected, in the format of the compressed view: one line a memory. Plain
// text, because every reader, screen readers too, knows how to go through it.
import type {
  MemoryActivity,
  MemoryOutcome,
  MemorySettings,
  SelectedMemory,
  Selection,
} from "../sidecar/protocol.ts";
import { placeLabel, ratioOf } from "./memory-text.ts";
import { type Translate, workOf } from "./status-text.ts";

/** What else is known of memories. */
export interface MemoryState {
  settings: MemorySettings;
  activity: MemoryActivity;
}

/** A head of one line, then a line a candidate, the best first; without candidates why there is none. */
export function selectionText(
  { uri, budget, memories }: Selection,
  { settings, activity }: MemoryState,
  t: Translate,
): string {
  if (memories.length === 0) {
    const work = workOf(activity, t) ?? "";
    if (activity.kind === "unavailable") return `${work}\n`;
    return `${[whyNone(uri, settings, t), work].join("\n").trim()}\n`;
  }
  const name = uri === null ? "" : decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
  const used = memories.reduce((sum, { positions }) => sum + positions, 0);
  const counts = [memories.length, used, budget] as const;
  const head = t("Candidates for {0}: {1}. Positions used: {2} of {3}.", name, ...counts);
  return `${[head, "", ...memories.map((memory) => selectionLine(memory, t))].join("\n")}\n`;
}

/** A line of the compressed view -> the place that it names; null for other lines. */
export function placeInLine(
  line: string,
): { path: string; startLine: number; endLine: number } | null {
  const [, path, first, last] = /^\[[^\]]+\] (.+?):(\d+)-(\d+) {2}\d+ -> \d+/.exec(line) ?? [];
  if (path === undefined) return null;
  return { path, startLine: Number(first) - 1, endLine: Number(last) };
}

function whyNone(uri: string | null, { enable, budget }: MemorySettings, t: Translate): string {
  if (!enable) return t("Memories are switched off by pith.memories.enable.");
  if (budget === 0) return t("Memories have no positions by pith.memories.budget.");
  if (uri === null)
    return t("Nothing has been selected yet. Type in a file of the workspace, then look again.");
  return t("No other place of the workspace and no demonstration is alike, or none was read yet.");
}

function selectionLine(memory: SelectedMemory, t: Translate): string {
  const { tokens, positions, score, outcome } = memory;
  const ratio = ratioOf(tokens, positions);
  const taken = `[${ratio === null ? "-" : `${ratio}x`}] ${placeLabel(memory)}`;
  const why = [outcomeWords(outcome, t), rankingWords(memory.places, t)].join("; ");
  return `${taken}  ${tokens} -> ${positions}  score ${score.toFixed(3)}  ${why}`;
}

function outcomeWords(outcome: MemoryOutcome, t: Translate): string {
  const words: Record<MemoryOutcome, string> = {
    whole: t("whole, being probably needed"),
    compressed: t("compressed"),
    "no-room": t("left out, the budget being used up by better ones"),
  };
  return words[outcome];
}

/** By the names that the sidecar's rankings have. */
function rankingWords(places: SelectedMemory["places"], t: Translate): string {
  const words: Readonly<Record<string, string>> = {
    named: t("defines names used here"),
    imported: t("defines names that the file imports"),
    alike: t("alike in words"),
    demonstrations: t("a demonstration for this language"),
  };
  return Object.entries(places)
    .sort(([, a], [, b]) => a - b)
    .map(([name, place]) => `#${place + 1} ${words[name] ?? name}`)
    .join(", ");
}
