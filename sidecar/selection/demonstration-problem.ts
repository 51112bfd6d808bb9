// What may be wrong with a demonstration file, and how it is said: the closed list.

const texts = {
  "open-front-matter": () => "the front matter has no closing line ---",
  "front-matter": (subject: string) => `the front matter is not YAML that Pith reads: ${subject}`,
  "unknown-field": (subject: string) => `the field ${subject} is not one of language, title`,
  "empty-field": (subject: string) => `the field ${subject} is empty`,
  "wrong-field": (subject: string) => `the field ${subject} is not plain text`,
  "unknown-language": (subject: string) =>
    `no language is known as ${subject}; the examples serve documents of exactly that identifier`,
  "open-fence": () => "the code fence is never closed: all that follows is its code",
  "empty-example": () => "there is no example between this line *** and the next",
  "no-example": () => "there is no example",
  "no-task": () => "the example has no task before => and is left out",
  "no-answer": () => "the example has no answer behind => and is left out",
  "second-arrow": () => "the example has a second line => and is left out",
} as const satisfies Record<string, (subject: string) => string>;

export type ProblemKind = keyof typeof texts;

export const problemKinds = Object.keys(texts) as readonly ProblemKind[];

/** Nothing is lost by these: every example is there, if not as it was meant. */
const warnings: ReadonlySet<ProblemKind> = new Set([
  "unknown-field",
  "empty-field",
  "wrong-field",
  "unknown-language",
  "open-fence",
  "empty-example",
  "no-example",
]);

export interface DemonstrationProblem {
  /** Of the file, from 1. */
  readonly line: number;
  readonly kind: ProblemKind;
  /** What the text names, as JSON where it comes from the file; empty for kinds that name nothing. */
  readonly subject: string;
  readonly message: string;
  /** Every example is there all the same. */
  readonly isWarning: boolean;
}

export function problemAt(line: number, kind: ProblemKind, subject = ""): DemonstrationProblem {
  return { line, kind, subject, message: texts[kind](subject), isWarning: warnings.has(kind) };
}

/** Of the file, cut to what a line can hold. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
