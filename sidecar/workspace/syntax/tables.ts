// What the grammars call the things that are looked for, as data: node types come from the
// `node-types.json` of each grammar. A type that a grammar lacks is left out of its query, so one
// table serves all where languages agree.
import type { Grammar } from "./languages.ts";

/** Nodes whose children are statements, members or declarations. */
export const statementParents: readonly string[] = [
  "program",
  "module",
  "source_file",
  "translation_unit",
  "compilation_unit",
  "stylesheet",
  "statement_block",
  "statement_list",
  "block",
  "body_statement",
  "compound_statement",
  "do_group",
  "class_body",
  "interface_body",
  "enum_body",
  "declaration_list",
  "field_declaration_list",
  "switch_body",
  "switch_case",
  "switch_default",
  "switch_block",
  "match_block",
  "then",
];

/** Nodes whose children stand on lines of their own where a statement is long. */
export const listParents: readonly string[] = [
  "object",
  "array",
  "arguments",
  "argument_list",
  "object_type",
  "named_imports",
  "export_clause",
  "dictionary",
  "list",
  "set",
  "tuple",
  "import_spec_list",
  "composite_literal",
  "literal_value",
  "enumerator_list",
  "enum_member_declaration_list",
  "initializer_list",
  "enum_variant_list",
  "array_creation_expression",
  "hash",
];

/** What stands in front of a statement and belongs to it. */
export const leadingTypes: ReadonlySet<string> = new Set([
  "comment",
  "line_comment",
  "block_comment",
  "attribute_item",
  "decorator",
]);

const typescriptDefinitions = [
  "function_declaration",
  "generator_function_declaration",
  "function_signature",
  "class_declaration",
  "abstract_class_declaration",
  "interface_declaration",
  "type_alias_declaration",
  "enum_declaration",
  "internal_module",
  "method_definition",
  "method_signature",
  "abstract_method_signature",
  "public_field_definition",
];
const topLevelVariables = ["", "(export_statement declaration: "].flatMap((open) =>
  ["lexical_declaration", "variable_declaration"].map(
    (type) =>
      `(program ${open}(${type} (variable_declarator name: (identifier) @name))${open && ")"}) @definition`,
  ),
);
const commonJsExports = [
  "(assignment_expression left: (member_expression property: (property_identifier) @name) right: [(function_expression) (arrow_function) (class)]) @definition",
  '((assignment_expression left: (member_expression object: (identifier) @object property: (property_identifier) @name)) @definition (#eq? @object "exports"))',
];

/** Where a grammar defines a name: nodes with a field `name`, and patterns for the rest. */
export const definitionTables: Readonly<
  Partial<Record<Grammar, { readonly named: readonly string[]; readonly patterns?: string[] }>>
> = {
  typescript: { named: typescriptDefinitions, patterns: topLevelVariables },
  tsx: { named: typescriptDefinitions, patterns: topLevelVariables },
  javascript: {
    named: typescriptDefinitions,
    patterns: [
      ...topLevelVariables,
      ...commonJsExports,
      "(field_definition property: (property_identifier) @name) @definition",
    ],
  },
  python: {
    named: ["function_definition", "class_definition"],
    patterns: [
      "(module (expression_statement (assignment left: (identifier) @name)) @definition)",
      "(class_definition body: (block (expression_statement (assignment left: (identifier) @name)) @definition))",
    ],
  },
  java: {
    named: [
      "class_declaration",
      "interface_declaration",
      "enum_declaration",
      "record_declaration",
      "method_declaration",
      "constructor_declaration",
      "enum_constant",
    ],
    patterns: [
      "(field_declaration declarator: (variable_declarator name: (identifier) @name)) @definition",
    ],
  },
  go: {
    named: [
      "function_declaration",
      "method_declaration",
      "type_spec",
      "const_spec",
      "var_spec",
      "method_elem",
    ],
  },
  rust: {
    named: [
      "function_item",
      "function_signature_item",
      "struct_item",
      "enum_item",
      "trait_item",
      "type_item",
      "const_item",
      "static_item",
      "mod_item",
      "macro_definition",
    ],
  },
  cpp: {
    named: [
      "class_specifier",
      "struct_specifier",
      "enum_specifier",
      "namespace_definition",
      "alias_declaration",
      "preproc_def",
      "preproc_function_def",
    ],
    patterns: [
      "(function_declarator declarator: [(identifier) (field_identifier)] @name) @definition",
      "(function_declarator declarator: (qualified_identifier name: (identifier) @name)) @definition",
      "(type_definition declarator: (type_identifier) @name) @definition",
    ],
  },
  "c-sharp": {
    named: [
      "class_declaration",
      "interface_declaration",
      "struct_declaration",
      "enum_declaration",
      "record_declaration",
      "delegate_declaration",
      "method_declaration",
      "constructor_declaration",
      "property_declaration",
    ],
  },
  php: {
    named: [
      "function_definition",
      "class_declaration",
      "interface_declaration",
      "trait_declaration",
      "enum_declaration",
      "method_declaration",
    ],
    patterns: ["(const_element (name) @name) @definition"],
  },
  ruby: {
    named: ["method", "singleton_method", "class", "module"],
    patterns: ["(assignment left: (constant) @name) @definition"],
  },
  bash: { named: ["function_definition"] },
};

const javascriptImports = [
  "(import_statement source: (string) @source) @import",
  "(export_statement source: (string) @source) @import",
  '((call_expression function: (identifier) @require arguments: (arguments . (string) @source)) @import (#eq? @require "require"))',
  "(call_expression function: (import) arguments: (arguments . (string) @source)) @import",
  "(import_clause (identifier) @name)",
  "(import_specifier name: (identifier) @name)",
  "(export_statement (export_clause (export_specifier name: (identifier) @name)) source: (string))",
  '(variable_declarator name: [(identifier) @name (object_pattern [(shorthand_property_identifier_pattern) @name (pair_pattern key: (property_identifier) @name)])] value: (call_expression function: (identifier) @require (#eq? @require "require")))',
];

/** Which files a file names, for the languages whose names are resolved. */
export const importPatterns: Readonly<Partial<Record<Grammar, readonly string[]>>> = {
  typescript: javascriptImports,
  tsx: javascriptImports,
  javascript: javascriptImports,
  python: [
    "(import_from_statement module_name: (_) @source) @import",
    "(import_statement name: [(dotted_name) @source (aliased_import name: (dotted_name) @source)]) @import",
    "(import_from_statement name: [(dotted_name) @name (aliased_import name: (dotted_name) @name)])",
  ],
};
