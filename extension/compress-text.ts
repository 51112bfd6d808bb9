// What became of files, folders or lines that were to become memories, in words.
import type { CompressReport } from "../sidecar/protocol.ts";
import { limitSentence, ratioOf } from "./memory-text.ts";
import type { Language, Translate } from "./status-text.ts";

export function compressSentence(
  { files, spans, tokens, positions, skipped, nothing = [], limits = [] }: CompressReport,
  language: Language,
): string {
  const { t, locale } = language;
  const number = new Intl.NumberFormat(locale);
  const left = t("Left out: {0}.", number.format(skipped.length));
  const ratio = ratioOf(tokens, positions);
  const [why] = nothing;
  const told = limits.map((each) => ` ${limitSentence(each, language)}`).join("");
  if (ratio === null && skipped.length === 0 && why !== undefined)
    return `${t("Nothing became a memory: {0}.", reasonWords(why.reason, t))}${told}`;
  if (ratio === null) return `${t("Nothing became a memory.")} ${left}${told}`;
  const made = t(
    "Memories: {0}, files: {1}. Tokens: {2}, in {3} positions at least ({4}x).",
    ...[spans, files, tokens, positions, ratio].map((count) => number.format(count)),
  );
  return `${skipped.length === 0 ? made : `${made} ${left}`}${told}`;
}

/** A line for each file or folder that was left out. */
export function skippedText({ skipped }: CompressReport, t: Translate): string {
  return skipped.map(({ path, reason }) => `${path}: ${reasonWords(reason, t)}\n`).join("");
}

/** By the words of the sidecar's closed list. */
function reasonWords(reason: string, t: Translate): string {
  const words: Readonly<Record<string, string>> = {
    ignored: t("left out by an ignore file of git"),
    "ai-ignored": t("left out by an ignore file for AI tools"),
    excluded: t("left out by pith.exclude"),
    dependencies: t("installed packages or version control"),
    secret: t("it may hold secrets"),
    unchecked: t("it could not be searched for secrets"),
    link: t("a symbolic link"),
    outside: t("outside of the workspace"),
    "too-large": t("too large"),
    binary: t("no text"),
    generated: t("made by a program"),
    minified: t("shortened for machines"),
    malformed: t("no valid demonstration file"),
    empty: t("there is no text for one"),
    demonstrations: t("demonstrations become memories where they are used"),
    unreadable: t("it cannot be read"),
    "not-a-file": t("no regular file"),
    hung: t("the file system did not answer in time"),
    failed: t("Pith failed to read it; the log says why"),
  };
  return words[reason] ?? reason;
}
