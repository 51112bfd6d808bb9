// The far context of the benchmark: sixteen spans of real code and the text near the cursor, and the
// same after an edit in one of the spans.
import { encodeHeader, type PromptLayout } from "../../sidecar/completion/layout.ts";
import type { ContextSpan } from "../../sidecar/completion/request.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { readCorpus } from "../support/corpus.ts";
import { keystrokes, tracePath } from "../support/keystroke-trace.ts";

export interface FarContext {
  readonly spans: readonly ContextSpan[];
  readonly path: string;
  /** The text before the cursor. */
  readonly near: string;
}

const languages: readonly string[] = ["typescript", "javascript", "python", "java"];
const spanCount = 16;

/**
 * Spans of different files or different places, each the fewest whole lines of at least
 * `tokens.far / 16` tokens, and the fewest of at least `tokens.near` before the cursor, headers
 * included.
 */
export function makeFarContext(
  layout: PromptLayout,
  tokenizer: Tokenizer,
  tokens: { readonly far: number; readonly near: number },
): FarContext {
  const count = (path: string, text: string): number =>
    encodeHeader(layout, tokenizer, path).length + tokenizer.encode(text).length;
  const sources = readCorpus()
    .filter(({ language }) => languages.includes(language))
    .map(({ name, text }) => ({ path: `src/${name}`, lines: text.split("\n") }));
  const spans: ContextSpan[] = [];
  for (let turn = 0; spans.length < spanCount; turn += 1) {
    const source = sources[turn % sources.length];
    if (source === undefined) throw new Error("bench: no source files in the corpus");
    const { path, lines } = source;
    const length = shortest(lines.length, (each) => {
      const text = `${lines.slice(0, each).join("\n")}\n`;
      return count(path, text) >= tokens.far / spanCount;
    });
    if (length === null) continue;
    spans.push({ path, text: lines.splice(0, length).join("\n") });
  }
  const before = (keystrokes(1)[0]?.prefix ?? "").split("\n");
  const length = shortest(
    before.length,
    (each) => count(tracePath, before.slice(-each).join("\n")) >= tokens.near,
  );
  return { spans, path: tracePath, near: before.slice(-(length ?? before.length)).join("\n") };
}

/** With a new line in the middle of a span. */
export function edit({ spans, ...rest }: FarContext, index: number, line: string): FarContext {
  const edited = spans.map(({ path, text }, span) => {
    if (span !== index) return { path, text };
    const lines = text.split("\n");
    return { path, text: lines.toSpliced(Math.floor(lines.length / 2), 0, line).join("\n") };
  });
  return { ...rest, spans: edited };
}

/** The raw prompt: spans, header, near text. */
export function idsOfRaw(
  layout: PromptLayout,
  tokenizer: Tokenizer,
  { spans, path, near }: FarContext,
): number[] {
  const header = (of = "") => encodeHeader(layout, tokenizer, of);
  return [
    ...spans.flatMap((span) => [...header(span.path), ...tokenizer.encode(`${span.text}\n`)]),
    ...header(path),
    ...tokenizer.encode(near),
  ];
}

/** The least length up to `most` that is enough; null: none is. */
function shortest(most: number, isEnough: (length: number) => boolean): number | null {
  for (let length = 1; length <= most; length += 1) if (isEnough(length)) return length;
  return null;
}
