// Which language a file is in, by its name, and which of the shipped grammars reads it.
import { basename, extname } from "node:path";

/** The name of a grammar file: `tree-sitter-NAME.wasm`. */
export type Grammar =
  | "typescript"
  | "tsx"
  | "javascript"
  | "python"
  | "java"
  | "go"
  | "rust"
  | "cpp"
  | "c-sharp"
  | "php"
  | "ruby"
  | "bash"
  | "css";

export interface Language {
  /** The identifier that VS Code gives the language, as `typescriptreact`. */
  readonly id: string;
  /** Null where no grammar is shipped: such text is cut at blank lines. */
  readonly grammar: Grammar | null;
}

/** Language id, grammar, endings of file names. C is read as C++, which it nearly is a part of. */
const table: readonly [id: string, grammar: Grammar | null, endings: string][] = [
  ["typescript", "typescript", ".ts .mts .cts"],
  ["typescriptreact", "tsx", ".tsx"],
  ["javascript", "javascript", ".js .mjs .cjs"],
  ["javascriptreact", "javascript", ".jsx"],
  ["python", "python", ".py .pyi .pyw"],
  ["java", "java", ".java"],
  ["go", "go", ".go"],
  ["rust", "rust", ".rs"],
  ["c", "cpp", ".c .h"],
  ["cpp", "cpp", ".cpp .cc .cxx .hpp .hh .hxx"],
  ["csharp", "c-sharp", ".cs"],
  ["php", "php", ".php"],
  ["ruby", "ruby", ".rb .rake"],
  ["shellscript", "bash", ".sh .bash"],
  ["css", "css", ".css"],
  ["kotlin", null, ".kt .kts"],
  ["swift", null, ".swift"],
  ["scala", null, ".scala"],
  ["lua", null, ".lua"],
  ["sql", null, ".sql"],
  ["html", null, ".html .htm"],
  ["scss", null, ".scss"],
  ["vue", null, ".vue"],
  ["svelte", null, ".svelte"],
  ["json", null, ".json .jsonc"],
  ["yaml", null, ".yaml .yml"],
  ["toml", null, ".toml"],
  ["markdown", null, ".md"],
];

const byEnding = new Map<string, Language>(
  table.flatMap(([id, grammar, endings]) =>
    endings.split(" ").map((ending): [string, Language] => [ending, { id, grammar }]),
  ),
);
/** Texts that hold data or prose, and no code. */
const dataIds = new Set(["json", "yaml", "toml", "markdown", "plaintext"]);
const plainText: Language = { id: "plaintext", grammar: null };

const byId = new Map(table.map(([id, grammar]) => [id, grammar]));

/** By the editor's identifier, else, where that says nothing, by the name. */
export function grammarOf(languageId: string, path: string): Grammar | null {
  return byId.has(languageId) ? (byId.get(languageId) ?? null) : languageOf(path).grammar;
}

/** Plain text for a name that says nothing. */
export function languageOf(path: string): Language {
  return byEnding.get(extname(basename(path)).toLowerCase()) ?? plainText;
}

/** Whether a file of this name holds code, or demonstrations of it. */
export function isSourceName(path: string): boolean {
  return path.endsWith(".pith.md") || !dataIds.has(languageOf(path).id);
}
