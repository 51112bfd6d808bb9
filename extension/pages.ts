// Documents that Pith writes and nobody edits, under the scheme `pith:`.
import { type Disposable, EventEmitter, Uri, window, workspace } from "vscode";

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
    workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(`${uri}`)),
  ];

  /** A page that is open already shows the new text. */
  async show(name: string, text: string): Promise<void> {
    const uri = Uri.from({ scheme: "pith", path: `/${name}` });
    this.texts.set(`${uri}`, text);
    this.changes.fire(uri);
    await window.showTextDocument(await workspace.openTextDocument(uri));
  }

  dispose(): void {
    for (const each of this.subscriptions) each.dispose();
  }
}
