// Shades tokens on a page by the share of heads that kept them. An editor that shows a page again has
// lost its decorations, so they are kept as long as the document is open.
import {
  type Disposable,
  l10n,
  Range,
  type TextEditor,
  type TextEditorDecorationType,
  ThemeColor,
  window,
  workspace,
} from "vscode";
import { percentOf, type Shade } from "./kept-text.ts";

/** package.json has a colour for each but the first, in every kind of theme. */
const levels = [0, 1, 2, 3, 4];

export class Shades implements Disposable {
  private types: readonly TextEditorDecorationType[] = [];
  /** By address. */
  private readonly shades = new Map<string, readonly Shade[]>();
  private readonly subscriptions = [
    window.onDidChangeVisibleTextEditors((editors) => {
      for (const editor of editors) this.paint(editor);
    }),
    workspace.onDidCloseTextDocument(({ uri, isClosed }) => {
      if (isClosed) this.shades.delete(`${uri}`);
    }),
  ];

  show(editor: TextEditor, shades: readonly Shade[]): void {
    this.shades.set(`${editor.document.uri}`, shades);
    this.paint(editor);
  }

  dispose(): void {
    for (const each of [...this.subscriptions, ...this.types]) each.dispose();
  }

  private paint(editor: TextEditor): void {
    const shades = this.shades.get(`${editor.document.uri}`);
    if (shades === undefined) return;
    if (this.types.length === 0) this.types = levels.map(decorationType);
    for (const [level, type] of this.types.entries()) {
      const ofLevel = shades.filter((shade) => levelOf(shade) === level);
      editor.setDecorations(type, ofLevel.map(decorationOf));
    }
  }
}

function decorationType(level: number): TextEditorDecorationType {
  const shade = level === 0 ? {} : { backgroundColor: new ThemeColor(`pith.kept${level}`) };
  // A colour of the language's own might not be legible on the shade.
  return window.createTextEditorDecorationType({
    ...shade,
    color: new ThemeColor("editor.foreground"),
  });
}

/** Nothing kept is no shade; a quarter of the shares for each of the others. */
function levelOf({ share }: Shade): number {
  return Math.ceil(share * (levels.length - 1));
}

function decorationOf({ line, start, end, share }: Shade) {
  const hoverMessage = l10n.t("Kept by {0} % of the heads", percentOf(share));
  return { range: new Range(line, start, line, end), hoverMessage };
}
