// Exact prefix conditioning, the part without a model (Phan et al., arXiv 2410.09303; Hayase et al.,
// arXiv 2506.14123). In: the ids of the text before the cursor. Out: the ids that no continuation can
// change, the bytes behind them (the tail), and a trie of *nodes*: canonical token sequences of the
// tail's beginnings from which one more token can reach or cross its end. Such a node and such a token
// are a *cover*. The probability of a continuation is a sum over covers, so their scores decide.
import type { ByteSortedVocabulary } from "../tokenizer/byte-sorted-vocabulary.ts";

/** What the alignment asks of a tokenizer. */
export interface AlignmentTokenizer {
  encodeBytes(bytes: Uint8Array): Uint32Array;
  bytesOf(id: number): Uint8Array;
}

/** A token of the trie. Nodes come in an order in which a parent precedes its children. */
export interface TrieNode {
  id: number;
  /** Index of the parent in the node list; -1: directly behind the kept ids. */
  parent: number;
  /** Number of tokens from the kept ids to this one, at least 1. */
  depth: number;
}

/** A place from which one token can complete the tail. */
export interface CoverStart {
  /** Index of its last token in `nodes`; -1: directly behind the kept ids. */
  node: number;
  /** Bytes of the tail that the token must begin with; never empty. */
  rest: Uint8Array;
}

export interface CoverTrie {
  /** How many of the given ids stay whatever comes. */
  keptCount: number;
  /** The bytes behind them. */
  tail: Uint8Array;
  nodes: readonly TrieNode[];
  starts: readonly CoverStart[];
  /** Whether node and token together are what the tokenizer makes of some continuation of the text. */
  isCanonical(start: CoverStart, id: number): boolean;
}

// How a text can go on, one for each way in which the pre-tokenisers in use treat the next
// characters: nothing, letter, a letter that no token joins to what stands before it (N'Ko), digit,
// punctuation, blank, blank and letter, tab, line ends, blank and line end, contraction, and the
// second to fourth bytes of a cut UTF-8 character.
const probes = ["", "a", "\u07ca", "0", ".", " ", " a", "\t", "\n", "\r\n", " \n", "\n\n", "'s"]
  .map((probe) => new TextEncoder().encode(probe))
  .concat([Uint8Array.of(0x80), Uint8Array.of(0x80, 0x80), Uint8Array.of(0x80, 0x80, 0x80)]);

/** Tokens before the tail that are encoded again with it: enough to hold its pre-token's start. */
const contextTokens = 8;

/**
 * Finds the covers of the text whose encoding is `ids`: some hundred encodings of a line's end, no
 * model run. Null when `ids` are not the encoding of their own bytes, as around a byte that the
 * vocabulary lacks.
 */
export function findCovers(
  tokenizer: AlignmentTokenizer,
  vocabulary: ByteSortedVocabulary,
  ids: Uint32Array,
): CoverTrie | null {
  for (let count = contextTokens; ; count *= 2) {
    const first = Math.max(0, ids.length - count);
    const found = coversBehind(tokenizer, vocabulary, ids.subarray(first));
    // All paths part before the first token of the context: the tail may begin earlier still.
    if (found !== null && (found.keptCount > 0 || first === 0)) {
      return { ...found, keptCount: first + found.keptCount };
    }
    if (first === 0) return null;
  }
}

function coversBehind(
  tokenizer: AlignmentTokenizer,
  vocabulary: ByteSortedVocabulary,
  context: Uint32Array,
): CoverTrie | null {
  const text = concatenated([...context].map((id) => tokenizer.bytesOf(id)));
  // A context that begins inside a pre-token can encode differently: take a longer one.
  if (!startsWith(tokenizer.encodeBytes(text), context)) return null;

  const probed = createProbing(tokenizer, vocabulary, text);
  const paths: { ids: number[]; byteLength: number }[] = [];
  for (let end = text.length - 1; end >= 0; end--) {
    if (!vocabulary.hasStartingWith(text.subarray(end))) continue;
    for (const path of canonicalPaths(tokenizer, probed(end), end))
      paths.push({ ids: path, byteLength: end });
  }
  const keptCount = commonLength(paths.map((path) => path.ids));
  const kept = paths[0]?.ids.slice(0, keptCount) ?? [];
  const keptBytes = concatenated(kept.map((id) => tokenizer.bytesOf(id)));
  const { nodes, ends } = trieOf(paths.map((path) => path.ids.slice(keptCount)));
  const starts = paths.map((path, at) => ({
    node: ends[at] ?? -1,
    rest: text.subarray(path.byteLength),
  }));
  const isCanonical = (start: CoverStart, id: number): boolean => {
    const path = [...kept, ...pathTo(nodes, start.node).map((node) => nodes[node]?.id ?? 0), id];
    const bytes = concatenated(path.map((each) => tokenizer.bytesOf(each)));
    return probes.some((probe) =>
      startsWith(tokenizer.encodeBytes(concatenated([bytes, probe])), path),
    );
  };
  return { keptCount, tail: text.subarray(keptBytes.length), nodes, starts, isCanonical };
}

/** The encodings that can show a border of `text` at `end`. */
type Probing = (end: number) => readonly Uint32Array[];

function createProbing(
  tokenizer: AlignmentTokenizer,
  vocabulary: ByteSortedVocabulary,
  text: Uint8Array,
): Probing {
  const encodeBehind = (head: Uint8Array, continuations: readonly Uint8Array[]) =>
    continuations.map((each) => tokenizer.encodeBytes(concatenated([head, each])));
  let ofWholeText: readonly Uint32Array[] | null = null;
  return (end) => {
    // Inside a white-space run the pre-tokeniser alone sets borders, so the whole text must show them.
    const isInsideRun = end > 0 && isWhiteSpace(text[end - 1]) && isWhiteSpace(text[end]);
    if (!isInsideRun) return encodeBehind(text.subarray(0, end), probes);
    ofWholeText ??= encodeBehind(text, [...probes, ...runEnds(vocabulary, text)]);
    return ofWholeText;
  };
}

/**
 * How the white-space run that ends `text` can go on within one token: how much follows decides where
 * the run is cut (behind two line ends SmolLM2 has one token for six blanks, none for seven).
 */
function runEnds(vocabulary: ByteSortedVocabulary, text: Uint8Array): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (let end = text.length - 1; isWhiteSpace(text[end]); end--) {
    for (const surplus of vocabulary.whiteSpaceBehind(text.subarray(end)))
      found.set(Buffer.from(surplus).toString("latin1"), surplus);
  }
  return [...found.values()];
}

/** The token sequences in `encodings` that end at the byte `end`. */
function canonicalPaths(
  tokenizer: AlignmentTokenizer,
  encodings: readonly Uint32Array[],
  end: number,
): number[][] {
  const found = new Map<string, number[]>();
  for (const ids of encodings) {
    const path = upTo(tokenizer, ids, end);
    if (path !== null) found.set(path.join(), path);
  }
  return [...found.values()];
}

/** The leading ids that make exactly `byteLength` bytes; null when a token crosses that place. */
function upTo(
  tokenizer: AlignmentTokenizer,
  ids: Uint32Array,
  byteLength: number,
): number[] | null {
  const path: number[] = [];
  let length = 0;
  for (const id of ids) {
    if (length >= byteLength) break;
    length += tokenizer.bytesOf(id).length;
    path.push(id);
  }
  return length === byteLength ? path : null;
}

function trieOf(paths: readonly (readonly number[])[]): { nodes: TrieNode[]; ends: number[] } {
  const nodes: TrieNode[] = [];
  const ends = paths.map((path) => {
    let parent = -1;
    path.forEach((id, index) => {
      let at = nodes.findIndex((node) => node.parent === parent && node.id === id);
      if (at < 0) at = nodes.push({ id, parent, depth: index + 1 }) - 1;
      parent = at;
    });
    return parent;
  });
  return { nodes, ends };
}

/** The nodes from the kept ids to `node`, in order; none for -1. */
export function pathTo(nodes: readonly TrieNode[], node: number): number[] {
  const path: number[] = [];
  for (let at = node; at >= 0; at = nodes[at]?.parent ?? -1) path.push(at);
  return path.reverse();
}

function commonLength(paths: readonly (readonly number[])[]): number {
  const [first = [], ...others] = paths;
  let length = first.length;
  for (const path of others) {
    let same = 0;
    while (same < length && path[same] === first[same]) same++;
    length = same;
  }
  return length;
}

function startsWith(ids: Uint32Array, beginning: ArrayLike<number>): boolean {
  for (let at = 0; at < beginning.length; at++) if (ids[at] !== beginning[at]) return false;
  return true;
}

function isWhiteSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
