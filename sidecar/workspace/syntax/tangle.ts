// Whether a tree is one that no person writes, found without walking it: what is asked of such trees
// takes time by the square of their depth, or of the parts of an error, 40 s at 30,000.
import type treeSitter from "@vscode/tree-sitter-wasm";

/** Code of people is nested some 30 nodes deep; generated tables and chains of `else if` some hundred. */
const deepest = 500;
/** Parts of one stretch that the parser could not read. */
const widestError = 2_000;
/** Nodes between two that are looked at; so many levels more may be missed. */
const stride = 256;

export function isTangled({ rootNode }: treeSitter.Tree): boolean {
  return isDeep(rootNode) || (rootNode.hasError && hasWideError(rootNode));
}

function isDeep(root: treeSitter.Node): boolean {
  const cursor = root.walk();
  try {
    for (let index = 0; index < root.descendantCount; index += stride) {
      cursor.gotoDescendant(index);
      if (cursor.currentDepth > deepest) return true;
    }
    return false;
  } finally {
    cursor.delete();
  }
}

function hasWideError(root: treeSitter.Node): boolean {
  if (root.isError && root.childCount > widestError) return true;
  return root.descendantsOfType("ERROR").some((node) => (node?.childCount ?? 0) > widestError);
}
