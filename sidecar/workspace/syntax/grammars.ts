// The shipped grammars, each loaded once a process, when its first text comes.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import treeSitter from "@vscode/tree-sitter-wasm";
import type { Grammar } from "./languages.ts";

const { Language, Parser } = treeSitter;
const grammarFolder = dirname(
  createRequire(import.meta.url).resolve("@vscode/tree-sitter-wasm/wasm/tree-sitter.js"),
);
const loading = new Map<Grammar, Promise<treeSitter.Language>>();

export function loadGrammar(grammar: Grammar): Promise<treeSitter.Language> {
  const known = loading.get(grammar);
  if (known !== undefined) return known;
  const language = load(grammar);
  loading.set(grammar, language);
  // A load that failed is tried again.
  language.catch(() => loading.delete(grammar));
  return language;
}

async function load(grammar: Grammar): Promise<treeSitter.Language> {
  await Parser.init();
  return await Language.load(join(grammarFolder, `tree-sitter-${grammar}.wasm`));
}
