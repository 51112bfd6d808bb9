// Syntax errors of a document with another text at its cursor, by incremental parsing. In: the text
// around the cursor, keystroke after keystroke. Out: counts of errors, nothing of tree-sitter. The
// last tree of a document is kept, edited by what differs in the new text, and parsed again from
// there; so is each text that is tried.
import { setImmediate as nextTurn } from "node:timers/promises";
import treeSitter from "@vscode/tree-sitter-wasm";
import { loadGrammar } from "./grammars.ts";
import { type Grammar, grammarOf } from "./languages.ts";

export interface TreeDocument {
  readonly path: string;
  /** The editor's language identifier, or "". */
  readonly languageId: string;
  /** All the text before and behind the cursor. */
  readonly prefix: string;
  readonly suffix: string;
}

/** What the completer asks of a document, under the name it has there. */
export interface TreeCounter {
  count(text: string, replaced: number): number | null;
}

interface Limits {
  /** UTF-16 code units of a document. */
  readonly characters: number;
  /** Documents whose trees are kept. */
  readonly documents: number;
  /** [ms] For a document's tree, for all counts at one place, and for a part of a large document. */
  readonly treeMs: number;
  readonly countsMs: number;
  readonly sliceMs: number;
}

/**
 * A parser reads a megabyte in some 300 ms and what a keystroke changes in well below one; a first
 * tree comes with a first prompt, which takes longer.
 */
const defaultLimits: Limits = {
  ...{ characters: 500_000, documents: 8 },
  ...{ treeMs: 100, countsMs: 25, sliceMs: 4 },
};

interface KeptTree {
  readonly grammar: Grammar;
  readonly text: string;
  readonly tree: treeSitter.Tree;
}

const { Parser } = treeSitter;

/** Trees of the documents that are edited. They make counting fast; the counts are as without. */
export class DocumentTrees {
  /** By path, the last used one last. */
  readonly #kept = new Map<string, KeptTree>();
  readonly #parsers = new Map<Grammar, treeSitter.Parser>();
  /** Paths of documents that are being read between other work. */
  readonly #reading = new Set<string>();
  readonly #limits: Limits;

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** null where no grammar reads the document, or where it is too large. */
  async open(document: TreeDocument): Promise<TreeCounter | null> {
    const { prefix, suffix, languageId, path } = document;
    const grammar = grammarOf(languageId, path);
    if (grammar === null || prefix.length + suffix.length > this.#limits.characters) return null;
    const language = await loadGrammar(grammar);
    const parser = this.#parsers.get(grammar) ?? new Parser().setLanguage(language);
    this.#parsers.set(grammar, parser);
    // Parsed when it is asked for first: most often nothing is generated until then.
    let base: KeptTree | null | undefined;
    let startMs = 0;
    return {
      count: (text, replaced) => {
        if (base === undefined) {
          base = this.#treeOf(path, { grammar, parser, text: `${prefix}${suffix}` });
          startMs = performance.now();
        }
        const endMs = startMs + this.#limits.countsMs;
        return base && countWith(parser, base, { at: prefix.length, text, replaced, endMs });
      },
    };
  }

  /** null where it took too long: it is then read between other work, for the next time. */
  #treeOf(
    path: string,
    { grammar, parser, text }: { grammar: Grammar; parser: treeSitter.Parser; text: string },
  ): KeptTree | null {
    const last = this.#kept.get(path);
    const old = last?.grammar === grammar ? last : null;
    if (old?.text === text) return this.#use(path, old);
    if (old === null && this.#reading.has(path)) return null;
    const tree = parse(parser, text, {
      old: old && edited(old, text),
      endMs: performance.now() + this.#limits.treeMs,
    });
    if (tree !== null) return this.#keep(path, { grammar, text, tree });
    if (parser.language !== null && !this.#reading.has(path))
      void this.#readSlowly(path, { grammar, language: parser.language, text });
    return null;
  }

  #use(path: string, kept: KeptTree): KeptTree {
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    return kept;
  }

  #keep(path: string, kept: KeptTree): KeptTree {
    this.#kept.get(path)?.tree.delete();
    this.#use(path, kept);
    for (const [oldest, { tree }] of this.#kept) {
      if (this.#kept.size <= this.#limits.documents) break;
      tree.delete();
      this.#kept.delete(oldest);
    }
    return kept;
  }

  async #readSlowly(
    path: string,
    { grammar, language, text }: { grammar: Grammar; language: treeSitter.Language; text: string },
  ): Promise<void> {
    this.#reading.add(path);
    // One of its own: it goes on where it was stopped.
    const parser = new Parser().setLanguage(language);
    try {
      for (let tree: treeSitter.Tree | null = null; tree === null; ) {
        await nextTurn();
        const endMs = performance.now() + this.#limits.sliceMs;
        tree = parse(parser, text, { old: null, endMs, goesOn: true });
        if (tree !== null) this.#keep(path, { grammar, text, tree });
      }
    } finally {
      parser.delete();
      this.#reading.delete(path);
    }
  }
}

/** A tree of the text, or null when it is `endMs` before there is one. */
function parse(
  parser: treeSitter.Parser,
  text: string | treeSitter.ParseCallback,
  { old, endMs, goesOn = false }: { old: treeSitter.Tree | null; endMs: number; goesOn?: boolean },
): treeSitter.Tree | null {
  // Returning true stops the parser, which then has no tree; its type says void.
  const progressCallback = (): boolean => performance.now() > endMs;
  const tree = parser.parse(text, old, { progressCallback });
  old?.delete();
  if (tree === null && !goesOn) parser.reset();
  return tree;
}

interface Trial {
  /** Where the text is put in. */
  readonly at: number;
  readonly text: string;
  readonly replaced: number;
  readonly endMs: number;
}

function countWith(
  parser: treeSitter.Parser,
  base: KeptTree,
  { at, text, replaced, endMs }: Trial,
): number | null {
  if (text === "" && replaced === 0) return countFaults(base.tree);
  const rest = replaced - text.length;
  const read = (index: number): string => {
    if (index < at) return base.text.slice(index, Math.min(at, index + chunk));
    if (index < at + text.length) return text.slice(index - at);
    return base.text.slice(index + rest, index + rest + chunk);
  };
  const old = base.tree.copy();
  edit(old, base.text, { start: at, oldEnd: at + replaced, inserted: text });
  const tree = parse(parser, read, { old, endMs });
  if (tree === null) return null;
  const count = countFaults(tree);
  tree.delete();
  return count;
}

/** Code units that the parser takes at once. */
const chunk = 4096;

/** A copy of the tree of `old`, with what differs in `text` marked. */
function edited(old: KeptTree, text: string): treeSitter.Tree {
  const tree = old.tree.copy();
  const shorter = Math.min(old.text.length, text.length);
  let start = 0;
  while (start < shorter && old.text.charCodeAt(start) === text.charCodeAt(start)) start += 1;
  let same = 0;
  const last = (each: string): number => each.charCodeAt(each.length - 1 - same);
  while (same < shorter - start && last(old.text) === last(text)) same += 1;
  const inserted = text.slice(start, text.length - same);
  edit(tree, old.text, { start, oldEnd: old.text.length - same, inserted });
  return tree;
}

function edit(
  tree: treeSitter.Tree,
  text: string,
  { start, oldEnd, inserted }: { start: number; oldEnd: number; inserted: string },
): void {
  const startPosition = pointAt(text, start);
  tree.edit({
    ...{ startIndex: start, oldEndIndex: oldEnd, newEndIndex: start + inserted.length },
    startPosition,
    oldEndPosition: moved(startPosition, text.slice(start, oldEnd)),
    newEndPosition: moved(startPosition, inserted),
  });
}

function pointAt(text: string, index: number): treeSitter.Point {
  return moved({ row: 0, column: 0 }, text.slice(0, index));
}

function moved({ row, column }: treeSitter.Point, by: string): treeSitter.Point {
  let rows = 0;
  let lineStart = 0;
  for (let end = by.indexOf("\n"); end >= 0; end = by.indexOf("\n", lineStart)) {
    rows += 1;
    lineStart = end + 1;
  }
  return { row: row + rows, column: by.length - lineStart + (rows === 0 ? column : 0) };
}

/** ERROR and MISSING nodes. */
function countFaults(tree: treeSitter.Tree): number {
  const cursor = tree.walk();
  let count = 0;
  for (let isDone = false; !isDone; ) {
    const { isError, isMissing, hasError } = cursor.currentNode;
    if (isError || isMissing) count += 1;
    if (hasError && cursor.gotoFirstChild()) continue;
    while (!isDone && !cursor.gotoNextSibling()) isDone = !cursor.gotoParent();
  }
  cursor.delete();
  return count;
}
