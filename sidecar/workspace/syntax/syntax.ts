// What a file says by its syntax, from one parse: where it may be cut, what it defines, what it
// imports. In: text and the grammar. Out: plain data, nothing of tree-sitter. A grammar is loaded
// when its first file comes.
import treeSitter from "@vscode/tree-sitter-wasm";
import { throwIfCancelled } from "../../errors.ts";
import { Lazy } from "../../lazy.ts";
import { type Borders, plainBorders, readBorders, setPlainBorders } from "./borders.ts";
import { loadGrammar } from "./grammars.ts";
import type { Grammar } from "./languages.ts";
import { definitionTables, importPatterns, listParents, statementParents } from "./tables.ts";
import { isTangled } from "./tangle.ts";

export type SyntaxNode = treeSitter.Node;

/** A name and the lines that say what it is. */
export interface Definition {
  readonly name: string;
  readonly line: number;
  /** Exclusive. */
  readonly endLine: number;
}

/** One file or module that is named by an import, as written, and the names taken from it. */
export interface Import {
  readonly source: string;
  readonly names: readonly string[];
  readonly line: number;
}

export interface Syntax {
  readonly borders: Borders;
  readonly definitions: readonly Definition[];
  readonly imports: readonly Import[];
}

interface LoadedGrammar {
  readonly language: treeSitter.Language;
  readonly borders: treeSitter.Query;
  readonly definitions: treeSitter.Query | null;
  readonly imports: treeSitter.Query | null;
}

const { Parser, Query } = treeSitter;

export class SyntaxReader {
  readonly #grammars = new Map<Grammar, Lazy<LoadedGrammar>>();

  /**
   * Borders alone where `grammar` is null, or what is nested deeper than people write. Inside what the parser could not read, lines are borders
   * as in plain text.
   *
   * @throws CancelledError when `signal` fires, which is looked at while parsing.
   */
  async read(text: string, grammar: Grammar | null, signal?: AbortSignal): Promise<Syntax> {
    if (grammar === null) return plain(text);
    const loaded = await this.#load(grammar);
    throwIfCancelled(signal);
    const parser = new Parser();
    try {
      parser.setLanguage(loaded.language);
      return readTree(parseWith(parser, text, signal), text, loaded);
    } finally {
      parser.delete();
    }
  }

  #load(grammar: Grammar): Promise<LoadedGrammar> {
    const known = this.#grammars.get(grammar) ?? new Lazy(() => loadQueries(grammar));
    this.#grammars.set(grammar, known);
    return known.get();
  }
}

async function loadQueries(grammar: Grammar): Promise<LoadedGrammar> {
  const language = await loadGrammar(grammar);
  const has = (type: string): boolean => language.idForNodeType(type, true) !== null;
  const children = (types: readonly string[], capture: string): string[] =>
    types.filter(has).map((type) => `(${type} (_) @${capture})`);
  const { named = [], patterns = [] } = definitionTables[grammar] ?? {};
  const names = named.filter(has).map((type) => `(${type} name: (_) @name) @definition`);
  return {
    language,
    borders: query(language, [
      ...children(statementParents, "statement"),
      ...children(listParents, "item"),
    ]),
    definitions: queryOrNull(language, [...names, ...patterns]),
    imports: queryOrNull(language, importPatterns[grammar] ?? []),
  };
}

function plain(text: string): Syntax {
  return { borders: plainBorders(text), definitions: [], imports: [] };
}

function query(language: treeSitter.Language, patterns: readonly string[]): treeSitter.Query {
  return new Query(language, patterns.join("\n"));
}

function queryOrNull(
  language: treeSitter.Language,
  patterns: readonly string[],
): treeSitter.Query | null {
  return patterns.length === 0 ? null : query(language, patterns);
}

function parseWith(
  parser: treeSitter.Parser,
  text: string,
  signal: AbortSignal | undefined,
): treeSitter.Tree {
  // Returning true stops the parser, which then has no tree; its type says void.
  const progressCallback = (): boolean => signal?.aborted ?? false;
  const tree = parser.parse(text, null, { progressCallback });
  throwIfCancelled(signal);
  if (tree === null) throw new Error("workspace: the parser stopped without being asked to");
  return tree;
}

function readTree(tree: treeSitter.Tree, text: string, grammar: LoadedGrammar): Syntax {
  try {
    if (isTangled(tree)) return plain(text);
    const root = tree.rootNode;
    const borders = readBorders(grammar.borders.captures(root), text);
    if (root.hasError) setPlainBorders(borders, text, errorLines(root));
    return {
      borders,
      definitions: readDefinitions(grammar.definitions, root),
      imports: readImports(grammar.imports, root),
    };
  } finally {
    tree.delete();
  }
}

/** Line ranges, the end exclusive, that the parser skipped. */
function errorLines(root: SyntaxNode): [start: number, end: number][] {
  return root
    .descendantsOfType("ERROR")
    .filter((node) => node !== null)
    .map((node) => [node.startPosition.row, node.endPosition.row + 1]);
}

function readDefinitions(found: treeSitter.Query | null, root: SyntaxNode): Definition[] {
  const definitions = (found?.matches(root) ?? []).flatMap(({ captures }) => {
    const whole = captures.find(({ name }) => name === "definition")?.node;
    const named = captures.filter(({ name }) => name === "name");
    if (whole === undefined) return [];
    const [line, endLine] = [whole.startPosition.row, whole.endPosition.row + 1];
    return named.map(({ node }) => ({ name: unquoted(node.text), line, endLine }));
  });
  return definitions.sort((a, b) => a.line - b.line || b.endLine - a.endLine);
}

/** Names are matched by patterns of their own, so they are joined to their import by line. */
function readImports(found: treeSitter.Query | null, root: SyntaxNode): Import[] {
  const captures = found?.captures(root) ?? [];
  const imports: (Import & { names: string[] })[] = [];
  for (const { name, node } of captures)
    if (name === "source")
      imports.push({ source: unquoted(node.text), names: [], line: statementLine(node) });
  for (const { name, node } of captures) {
    if (name !== "name") continue;
    const owner = imports.find(({ line }) => line === statementLine(node));
    if (owner !== undefined && !owner.names.includes(node.text)) owner.names.push(node.text);
  }
  return imports;
}

/** The line on which the statement around `node` begins: an import may span several. */
function statementLine(node: SyntaxNode): number {
  const statement = /_(statement|declaration)$/;
  let at: SyntaxNode = node;
  while (at.parent !== null && !statement.test(at.type)) at = at.parent;
  return at.startPosition.row;
}

function unquoted(text: string): string {
  return text.replace(/^["'`](.*)["'`]$/s, "$1");
}
