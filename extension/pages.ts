// Documents that Pith writes and nobody edits, under the scheme `pith:`.
import {
  commands,
  type Disposable,
  EventEmitter,
  languages,
  type TextDocument,
  type TextEditor,
  Uri,
  window,
  workspace,
} from "vscode";

interface Page {
  name: string;
  text: string;
}

export class Pages implements Disposable {
  /** By address, as long as the document is open. */
  private readonly texts = new Map<string, string>();
  private readonly changes = new EventEmitter<Uri>();
  private readonly subscriptions = [
    this.changes,
    workspace.registerTextDocumentContentProvider("pith", {
      onDidChange: this.changes.event,
      provideTextDocumentContent: (uri) => this.texts.get(`${uri}`) ?? "",
    }),
    // A document that gets another language is said to be closed too, and is not.
    workspace.onDidCloseTextDocument(({ uri, isClosed }) => {
      if (isClosed) this.texts.delete(`${uri}`);
    }),
  ];

  async show(name: string, text: string, language = "plaintext"): Promise<TextEditor> {
    return window.showTextDocument(await this.open({ name, text }, language));
  }

  /** Side by side, with the differences marked. */
  async showDiff(
    title: string,
    [left, right]: readonly [Page, Page],
    language: string,
  ): Promise<void> {
    const { uri: before } = await this.open(left, language);
    const { uri: after } = await this.open(right, language);
    await commands.executeCommand("vscode.diff", before, after, title);
  }

  /** A page that is open already shows the new text. */
  private async open({ name, text }: Page, language: string): Promise<TextDocument> {
    const uri = Uri.from({ scheme: "pith", path: `/${name}` });
    this.texts.set(`${uri}`, text);
    this.changes.fire(uri);
    const document = await workspace.openTextDocument(uri);
    return languages.setTextDocumentLanguage(document, language);
  }

  dispose(): void {
    for (const each of this.subscriptions) each.dispose();
  }
}
