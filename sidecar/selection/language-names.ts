// The languages that demonstrations may name: VS Code's identifiers, also by the names that people
// write for them.

/** VS Code's own (its page "Language Identifiers") and those of widespread extensions. */
const identifiers = new Set(
  `abap ada apex asm astro awk bat bibtex c clojure cmake coffeescript cpp crystal csharp css cuda-cpp
  cython d dart diff dockercompose dockerfile dotenv elixir elm erlang fortran fsharp gdscript
  git-commit git-rebase gleam glsl go go.mod graphql groovy haml handlebars haskell haxe hlsl html ini
  java javascript javascriptreact json json5 jsonc jsonl julia kotlin latex less lisp lua luau makefile
  markdown matlab mdx mojo nim nix objective-c objective-cpp ocaml pascal perl perl6 php plaintext
  powershell prisma prolog properties proto proto3 pug purescript python qml r racket raku razor reason
  rescript restructuredtext ruby rust sass scala scheme scss search-result shaderlab shellscript slim
  solidity sql starlark stylus svelte swift systemverilog tcl terraform tex toml twig typescript
  typescriptreact typst vala vb verilog vhdl vue vue-html wgsl xml xsl yaml zig`.split(/\s+/),
);

const otherNames: Readonly<Record<string, string>> = {
  "c#": "csharp",
  "c++": "cpp",
  "f#": "fsharp",
  "objective c": "objective-c",
  "shell script": "shellscript",
  "visual basic": "vb",
  bash: "shellscript",
  cs: "csharp",
  docker: "dockerfile",
  golang: "go",
  js: "javascript",
  jsx: "javascriptreact",
  kt: "kotlin",
  md: "markdown",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "shellscript",
  shell: "shellscript",
  text: "plaintext",
  ts: "typescript",
  tsx: "typescriptreact",
  yml: "yaml",
};

export interface NamedLanguage {
  /** What an editor calls a document's language; `name` itself where it is not known. */
  readonly id: string;
  readonly isKnown: boolean;
}

/** Case does not matter in a name that is known. */
export function languageNamed(name: string): NamedLanguage {
  const lower = name.toLowerCase();
  const id = otherNames[lower] ?? lower;
  return identifiers.has(id) ? { id, isKnown: true } : { id: name, isKnown: false };
}
