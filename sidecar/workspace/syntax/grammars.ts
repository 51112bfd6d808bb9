// The shipped grammars, each loaded once a process, when its first text comes.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import treeSitter from "@vscode/tree-sitter-wasm";
import { Lazy } from "../../lazy.ts";
import type { Grammar } from "./languages.ts";

const { Language, Parser } = treeSitter;
const grammarFolder = dirname(
  createRequire(import.meta.url).resolve("@vscode/tree-sitter-wasm/wasm/tree-sitter.js"),
);
const languages = new Map<Grammar, Lazy<treeSitter.Language>>();

export function loadGrammar(grammar: Grammar): Promise<treeSitter.Language> {
  const language = languages.get(grammar) ?? new Lazy(() => load(grammar));
  languages.set(grammar, language);
  return language.get();
}

async function load(grammar: Grammar): Promise<treeSitter.Language> {
  await Parser.init();
  return await Language.load(join(grammarFolder, `tree-sitter-${grammar}.wasm`));
}
