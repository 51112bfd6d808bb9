// Documents that Pith writes and nobody edits, under the scheme `pith:`.
import {
  type Disposable,
  EventEmitter,
  languages,
  type TextEditor,
  Uri,
  window,
  workspace,
} from "vscode";

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

  /** A page that is open already shows the new text. */
  async show(name: string, text: string, language = "plaintext"): Promise<TextEditor> {
    const uri = Uri.from({ scheme: "pith", path: `/${name}` });
    this.texts.set(`${uri}`, text);
    this.changes.fire(uri);
    const document = await workspace.openTextDocument(uri);
    await languages.setTextDocumentLanguage(document, language);
    return window.showTextDocument(document);
  }

  dispose(): void {
    for (const each of this.subscriptions) each.dispose();
  }
}
