// What the extension and the token-budget view say to each other. All words come from the extension,
// in the language of the editor: the view lays them out and knows no meaning of its own.

/** extension -> view */
export type ToView = { kind: "show"; view: BudgetView };

/** view -> extension */
export type FromView = { kind: "ready" } | { kind: "budget"; positions: number };

export interface BudgetView {
  outcome: Outcome;
  /** Positions of the window by source. null when the model was not asked. */
  window: Gauge | null;
  /** Positions for all memories. */
  slider: Slider;
  /** Milliseconds by stage. */
  time: Gauge | null;
  facts: List;
  /** Tokens of the text in front by the encodings of models elsewhere. */
  elsewhere: List;
  dropped: { title: string; sentences: string[] };
  history: Table;
}

export interface Outcome {
  sentence: string;
  isEmpty: boolean;
}

export interface Gauge {
  title: string;
  /** Beside the title: how much of how much. */
  summary: string;
  /** The whole gauge in a sentence, for those who do not see it. */
  description: string;
  /** What the full width stands for. */
  scale: number;
  bars: Bar[];
}

export interface Bar {
  /** Chooses the colour. */
  kind: string;
  label: string;
  value: string;
  /** Where it begins and how long it is, on the gauge's scale. */
  start: number;
  length: number;
  /** The bars that it stands for, of the same length together; none where it stands for itself. */
  parts: Bar[];
}

export interface Slider {
  label: string;
  value: number;
  /** What is said of a value; `{0}` stands for the number. */
  valueText: string;
  /** Of the values, from 0 on. */
  greatest: number;
  step: number;
  /** Why moving it changes nothing at present; null where it does. */
  note: string | null;
}

export interface List {
  title: string;
  entries: { label: string; value: string }[];
}

export interface Table {
  title: string;
  columns: string[];
  /** Newest first; a cell for each column. */
  rows: string[][];
}
