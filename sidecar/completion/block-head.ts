// Whether a line begins a block, in the languages whose blocks begin with a colon, with a word or on
// a line of their own; everywhere else an open bracket says so. By the line and the editor's language
// identifier alone.
import { scanBrackets } from "./brackets.ts";

const colonBlocks = new Set(["python", "gdscript", "nim", "cython", "starlark"]);
const wordBlocks = new Set(["ruby", "lua", "luau", "shellscript", "julia", "elixir", "crystal"]);
const blockWord = /(?:^|\s)(?:do|then|else|begin|repeat)(?:\s*\|[^|]*\|)?$/;
/** Where a statement has an end of its own, which the closers of its line do not hold. */
const endedStatements = new Set("c cpp objective-c csharp java rust php dart css scss".split(" "));
const headOfStatement =
  /^\s*(?:[}\])]\s*)*(?:(?:export|default|async|public|private|protected|static|final|pub)\s+)*(?:if|elif|elsif|else if|unless|for|foreach|while|until|switch|match|catch|except|with|using|lock|def|fn|func|fun|function)\b/;
const bareHead = /^(?:\}\s*)?(?:else|try|do|finally)$/;
const declaration =
  /^(?:[\w:<>,*&[\]?~]+\s+)+[\w:~]+\s*(?:<[\w\s,]*>\s*)?\(.*\)(?:\s*(?:const|noexcept|override|final|throws [\w., ]+))*$|^(?:[a-z]+\s+)*(?:class|struct|interface|enum|namespace|record|trait|union)\s[^;{}]*$/;

export function isHeadOfStatement(line: string): boolean {
  return headOfStatement.test(line);
}

export function endsStatements(languageId: string): boolean {
  return endedStatements.has(languageId);
}

/** Whether a block begins behind `text`, the end of a line without its blanks. */
export function beginsBlock(text: string, languageId: string, isInBrackets: boolean): boolean {
  if (text.endsWith(":") && colonBlocks.has(languageId)) return !isInBrackets;
  return wordBlocks.has(languageId) && blockWord.test(text);
}

/** Whether `line` begins a block, or a comment, that goes on below it. */
export function opensBlock(line: string, languageId: string): boolean {
  const text = line.trim();
  const isInBrackets = scanBrackets(line).openers.length > 0;
  const isInComment = text.startsWith("/*") && !text.includes("*/");
  if (isInBrackets || isInComment || text.endsWith("=>")) return true;
  if (beginsBlock(text, languageId, isInBrackets)) return true;
  if (wordBlocks.has(languageId)) return headOfStatement.test(text) && !/\bend\b/.test(text);
  if (colonBlocks.has(languageId)) return false;
  if (bareHead.test(text)) return true;
  if (headOfStatement.test(text)) return isHeadAlone(text);
  return endedStatements.has(languageId) && declaration.test(text);
}

/** Whether nothing follows the brackets of the head, as in `if (a)` but not in `if (a) b()`. */
function isHeadAlone(text: string): boolean {
  if (!text.endsWith(")")) return false;
  const [first, ...others] = scanBrackets(text.slice(0, -1)).openers;
  return first?.index === text.indexOf("(") && others.length === 0;
}
