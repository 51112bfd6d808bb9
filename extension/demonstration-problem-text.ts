// What is wrong with a demonstration file, in the words of the editor's language.
import type { Translate } from "./status-text.ts";

/** By the sidecar's closed list; null for a kind that is not of it. */
export function problemWords(kind: unknown, subject: string, t: Translate): string | null {
  const words: Readonly<Record<string, string>> = {
    "open-front-matter": t("The front matter has no closing line ---."),
    "front-matter": t("The front matter is not YAML that Pith reads: {0}.", subject),
    "unknown-field": t("The field {0} is not one of language, title.", subject),
    "empty-field": t("The field {0} is empty.", subject),
    "wrong-field": t("The field {0} is not plain text.", subject),
    "unknown-language": t(
      "No language is known as {0}; the examples serve documents of exactly that identifier.",
      subject,
    ),
    "open-fence": t("The code fence is never closed: all that follows is its code."),
    "empty-example": t("There is no example between this line *** and the next."),
    "no-example": t("There is no example."),
    "no-task": t("The example has no task before => and is left out."),
    "no-answer": t("The example has no answer behind => and is left out."),
    "second-arrow": t("The example has a second line => and is left out."),
  };
  return typeof kind === "string" ? (words[kind] ?? null) : null;
}
