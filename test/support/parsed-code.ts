// Source text -> its tree by a shipped grammar, and how many errors the parser finds in it. Stands
// apart from the product's own use of tree-sitter, which it judges.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import treeSitter from "@vscode/tree-sitter-wasm";
import type { Grammar } from "../../sidecar/workspace/syntax/languages.ts";

export type CodeNode = treeSitter.Node;

const folder = dirname(
  createRequire(import.meta.url).resolve("@vscode/tree-sitter-wasm/wasm/tree-sitter.js"),
);

export class CodeParser {
  readonly #parser: treeSitter.Parser;

  private constructor(parser: treeSitter.Parser) {
    this.#parser = parser;
  }

  static async load(grammar: Grammar): Promise<CodeParser> {
    await treeSitter.Parser.init();
    const file = join(folder, `tree-sitter-${grammar}.wasm`);
    const parser = new treeSitter.Parser();
    parser.setLanguage(await treeSitter.Language.load(file));
    return new CodeParser(parser);
  }

  /** Of the whole text: places that the parser skipped (ERROR) or made up (MISSING). */
  countErrors(text: string): number {
    return this.read(text, (root) => {
      let count = 0;
      for (const node of walk(root, ({ hasError }) => hasError))
        if (node.isError || node.isMissing) count += 1;
      return count;
    });
  }

  /** What `look` makes of the root; the tree is gone afterwards. */
  read<T>(text: string, look: (root: CodeNode) => T): T {
    const tree = this.#parser.parse(text);
    if (tree === null) throw new Error("parsed code: the parser has no language");
    try {
      return look(tree.rootNode);
    } finally {
      tree.delete();
    }
  }
}

/** Counts errors with one parser a grammar. */
export class ErrorCounter {
  readonly #parsers = new Map<Grammar, CodeParser>();

  async count(grammar: Grammar, text: string): Promise<number> {
    const parser = this.#parsers.get(grammar) ?? (await CodeParser.load(grammar));
    this.#parsers.set(grammar, parser);
    return parser.countErrors(text);
  }
}

/** All nodes in the order of the text, but for what is below one that `enters` refuses. */
export function* walk(
  node: CodeNode,
  enters: (node: CodeNode) => boolean = () => true,
): Generator<CodeNode> {
  yield node;
  if (!enters(node)) return;
  for (const child of node.children) if (child !== null) yield* walk(child, enters);
}
