// What is wrong with demonstration files, for the editor's list of problems: of open documents as they
// are typed, of the others as they lie on the disk. Says each thing once and takes it back when it is
// mended.
import { pathToFileURL } from "node:url";
import {
  type Diagnostic,
  DiagnosticSeverity,
  type PublishDiagnosticsParams,
} from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { FileProblem } from "../project/folders.ts";
import type { DemonstrationProblem } from "../selection/demonstration-problem.ts";
import { parseDemonstrations } from "../selection/demonstrations.ts";
import { filePath } from "./document-path.ts";

export class DemonstrationDiagnostics {
  readonly #publish: (params: PublishDiagnosticsParams) => void;
  /** Paths of files that are open; they are not what the disk says. */
  readonly #open = new Set<string>();
  /** What was said last of other files, by path. */
  #told = new Map<string, string>();

  constructor(publish: (params: PublishDiagnosticsParams) => void) {
    this.#publish = publish;
  }

  /** A document of any kind was opened, changed or, with null for its text, closed. */
  noteDocument({ uri, languageId, version }: TextDocument, text: string | null): void {
    if (languageId !== "pith-demonstrations" && !uri.endsWith(".pith.md")) return;
    const file = filePath(uri) ?? uri;
    this.#told.delete(file);
    if (text === null) this.#open.delete(file);
    else this.#open.add(file);
    const problems = text === null ? [] : parseDemonstrations(text).problems;
    this.#publish({ uri, version, diagnostics: diagnosticsOf(problems) });
  }

  /** All that is wrong on the disk now. */
  noteDisk(problems: readonly FileProblem[]): void {
    const files = new Set([...this.#told.keys(), ...problems.map(({ file }) => file)]);
    for (const file of files)
      if (!this.#open.has(file))
        this.#tell(file, diagnosticsOf(problems.filter((each) => each.file === file)));
  }

  #tell(file: string, diagnostics: Diagnostic[]): void {
    const said = JSON.stringify(diagnostics);
    if (said === this.#told.get(file)) return;
    if (diagnostics.length === 0) this.#told.delete(file);
    else this.#told.set(file, said);
    this.#publish({ uri: pathToFileURL(file).href, diagnostics });
  }
}

function diagnosticsOf(problems: readonly DemonstrationProblem[]): Diagnostic[] {
  return problems.map(({ line, kind, subject, message, isWarning }) => ({
    // A character behind the end of a line is its end.
    range: {
      start: { line: line - 1, character: 0 },
      end: { line: line - 1, character: 10_000 },
    },
    severity: isWarning ? DiagnosticSeverity.Warning : DiagnosticSeverity.Error,
    source: "Pith",
    code: kind,
    message,
    data: subject,
  }));
}
