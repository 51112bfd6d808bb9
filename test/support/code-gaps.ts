// A syntax tree of whole code -> gaps that typing leaves in such code, by the kind of what is
// missing. Knows the grammars by the names of their nodes alone, so one table serves all.
import { type CodeNode, walk } from "./parsed-code.ts";

export type SyntaxKind = "string" | "empty-line" | "arguments" | "types" | "markup" | "line-end";

/** What stands from `start` to `end` is missing; `before` and `behind` stand around the cursor. */
export interface Gap {
  readonly kind: SyntaxKind;
  readonly start: number;
  readonly end: number;
  readonly before: string;
  readonly behind: string;
}

// Nodes between whose first and last bracket something can be missing, and the kind of it. "types"
// are type arguments, subscripts and bash's tests.
const bracketed: Readonly<Record<string, SyntaxKind>> = {
  template_substitution: "string",
  interpolation: "string",
  expansion: "string",
  command_substitution: "string",
  arguments: "arguments",
  argument_list: "arguments",
  type_arguments: "types",
  type_parameters: "types",
  type_parameter_list: "types",
  type_argument_list: "types",
  template_argument_list: "types",
  template_parameter_list: "types",
  subscript: "types",
  subscript_expression: "types",
  subscript_argument_list: "types",
  index_expression: "types",
  element_reference: "types",
  array_access: "types",
  bracketed_argument_list: "types",
  test_command: "types",
  jsx_expression: "markup",
};
const stringTypes = new Set([
  "string",
  "string_literal",
  "interpreted_string_literal",
  "encapsed_string",
  "interpolated_string_expression",
  "template_string",
]);
const bodyTypes = new Set([
  "statement_block",
  "statement_list",
  "block",
  "compound_statement",
  "body_statement",
  "do_group",
  "do_block",
  "then",
]);
const pairs: Readonly<Record<string, string>> = {
  "{": "}",
  "${": "}",
  "#{": "}",
  "(": ")",
  "$(": ")",
  "[": "]",
  "[[": "]]",
  "<": ">",
};
const closingTokens = new Set([")", "]", "}"]);
const mostCharacters = 80;

export function readGaps(text: string, root: CodeNode): Gap[] {
  const gaps: Gap[] = [];
  for (const node of walk(root)) {
    const kind = bracketed[node.type];
    if (kind !== undefined) gaps.push(...emptied(text, node, kind));
    if (stringTypes.has(node.type)) gaps.push(...inString(text, node));
    if (bodyTypes.has(node.type)) gaps.push(...inBody(text, node));
    if (/^jsx_(opening|self_closing)_element$/.test(node.type)) gaps.push(...inTag(text, node));
    if (node.type === "jsx_element") gaps.push(...inElement(text, node));
  }
  return [...gaps, ...atLineEnds(text, root)];
}

/** Without what stands between the node's brackets, on one line; blanks beside them stay. */
function emptied(text: string, node: CodeNode, kind: SyntaxKind): Gap[] {
  const children = node.children.filter((child) => child !== null);
  const opener = children.find(({ type }) => tokenOf(type) in pairs);
  const closer = children.findLast(
    ({ type }) => type.trim() === pairs[tokenOf(opener?.type ?? "")],
  );
  if (opener === undefined || closer === undefined) return [];
  return between(text, { kind, start: opener.endIndex, end: closer.startIndex });
}

/** PHP's grammar calls the token of "{$" by its blank as well. */
function tokenOf(type: string): string {
  return type.trim();
}

function between(text: string, gap: { kind: SyntaxKind; start: number; end: number }): Gap[] {
  const inner = text.slice(gap.start, gap.end);
  if (inner.trim() === "" || inner.includes("\n") || inner.length > mostCharacters) return [];
  const [before = "", behind = ""] = [/^\s*/.exec(inner)?.[0], /\s*$/.exec(inner)?.[0]];
  return [{ ...gap, before, behind }];
}

/** The whole text of a string, and for PHP and format strings what stands in their braces. */
function inString(text: string, node: CodeNode): Gap[] {
  const whole = /^([\w$@]*["'`])(.*)(["'`])$/.exec(text.slice(node.startIndex, node.endIndex));
  if (whole === null) return [];
  const [, opening = "", inner = ""] = whole;
  const start = node.startIndex + opening.length;
  const gaps =
    inner.length < 3 ? [] : between(text, { kind: "string", start, end: start + inner.length });
  const hasNodes = node.children.some((child) => child !== null && child.type in bracketed);
  const braces = hasNodes ? [] : [...inner.matchAll(/(?<=\{\$?)[\w$][^{}"'`]*(?=\})/g)];
  const inBraces = braces.flatMap((found) => {
    const from = start + found.index;
    return between(text, { kind: "string", start: from, end: from + found[0].length });
  });
  return [...gaps, ...inBraces];
}

/** An empty line, indented as an editor indents it, before each statement of a body. */
function inBody(text: string, node: CodeNode): Gap[] {
  return node.namedChildren.flatMap((child) => {
    if (child === null || child.startPosition.row === node.startPosition.row) return [];
    const lineStart = text.lastIndexOf("\n", child.startIndex - 1) + 1;
    const before = text.slice(lineStart, child.startIndex);
    if (before.trim() !== "" || before === "") return [];
    const behind = text[lineStart - 2] === "\r" ? "\r\n" : "\n";
    return [{ kind: "empty-line", start: lineStart, end: lineStart, before, behind }];
  });
}

/** A tag without its attributes. */
function inTag(text: string, node: CodeNode): Gap[] {
  const children = node.children.filter((child) => child !== null);
  const attributes = children.filter(({ type }) => type.startsWith("jsx_"));
  const [first, last] = [attributes[0], attributes.at(-1)];
  if (first === undefined || last === undefined) return [];
  return between(text, { kind: "markup", start: first.startIndex, end: last.endIndex });
}

/** An element without what is in it, as `<p>‸</p>`. */
function inElement(text: string, node: CodeNode): Gap[] {
  const [first, last] = [node.children[0], node.children.at(-1)];
  if (first == null || last == null || last.startIndex - first.endIndex < 1) return [];
  const inner = text.slice(first.endIndex, last.startIndex);
  if (inner.trim() === "" || inner.length > 5 * mostCharacters) return [];
  return [{ kind: "markup", start: first.endIndex, end: last.startIndex, before: "", behind: "" }];
}

interface Token {
  readonly type: string;
  readonly start: number;
}

/** Lines cut in front of a token; of what is missing the closers of open brackets stay. */
function atLineEnds(text: string, root: CodeNode): Gap[] {
  const tokens: Token[] = [];
  for (const { childCount, startIndex: start, endIndex, type } of walk(root))
    if (childCount === 0 && endIndex > start) tokens.push({ type, start });
  return tokens.flatMap(({ type, start }, index) => {
    const end = start + (/\r?\n|$/.exec(text.slice(start))?.index ?? 0);
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    if (/comment|string|content|text|word/.test(type) || text.slice(start, end).length < 3)
      return [];
    if (!/\w\W*\w/.test(text.slice(lineStart, start))) return [];
    const behind = closersOf(tokens, index, end);
    return behind === null ? [] : [{ kind: "line-end", start, end, before: "", behind }];
  });
}

/** Closers up to `end` of what was open before; null when something is left open there. */
function closersOf(tokens: readonly Token[], from: number, end: number): string | null {
  let closers = "";
  const open: string[] = [];
  for (let index = from; index < tokens.length; index += 1) {
    const { type, start } = tokens[index] ?? { type: "", start: end };
    if (start >= end) break;
    if (/^[$#]?[({[]$/.test(type)) open.push(type);
    else if (closingTokens.has(type) && open.pop() === undefined) closers += type;
  }
  return open.length > 0 ? null : closers;
}
