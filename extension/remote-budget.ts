// Counts the selection, else the document in front, as models elsewhere would, once typing and
// selecting have rested. While nobody looks nothing is counted.
import { type Disposable, EventEmitter, type TextEditor, window, workspace } from "vscode";
import type { RemoteCounts } from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";

export interface Counted extends RemoteCounts {
  of: "selection" | "document";
}

/** Long enough that typing is not accompanied by counting. */
const restMs = 700;

export class RemoteBudget implements Disposable {
  private readonly client: Client;
  private readonly counts = new EventEmitter<Counted | null>();
  /** null: there is nothing that could be counted. */
  readonly onDidCount = this.counts.event;
  private readonly subscriptions: Disposable[];
  private isVisible = false;
  private timer: NodeJS.Timeout | undefined;
  private asked = 0;

  constructor(client: Client) {
    this.client = client;
    const isInFront = (document: unknown) => document === window.activeTextEditor?.document;
    this.subscriptions = [
      this.counts,
      window.onDidChangeActiveTextEditor(() => this.wish()),
      window.onDidChangeTextEditorSelection(() => this.wish()),
      workspace.onDidChangeTextDocument(({ document }) => {
        if (isInFront(document)) this.wish();
      }),
    ];
  }

  watch(isVisible: boolean): void {
    if (isVisible === this.isVisible) return;
    this.isVisible = isVisible;
    this.wish();
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const each of this.subscriptions) each.dispose();
  }

  private wish(): void {
    clearTimeout(this.timer);
    if (this.isVisible) this.timer = setTimeout(() => void this.count(), restMs);
  }

  private async count(): Promise<void> {
    const asked = ++this.asked;
    const chosen = chosenIn(window.activeTextEditor);
    const counted = chosen && (await this.ask(chosen.text));
    // A newer count has been asked for meanwhile.
    if (asked === this.asked) this.counts.fire(counted && { ...counted, of: chosen.of });
  }

  /** null where the text is too long, or no sidecar runs. */
  private async ask(text: string): Promise<RemoteCounts | null> {
    const { countRemote } = await import("../sidecar/protocol.ts");
    return this.client.request(countRemote, { text }).catch(() => null);
  }
}

function chosenIn(editor: TextEditor | undefined): { text: string; of: Counted["of"] } | null {
  if (editor === undefined) return null;
  const { document, selection } = editor;
  return selection.isEmpty
    ? { text: document.getText(), of: "document" }
    : { text: document.getText(selection), of: "selection" };
}
