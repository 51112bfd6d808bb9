// Stands between the editor and the sidecar for every inline completion: waits for a pause in the
// typing, offers the rest of a text that the user types over without asking again, and drops an
// answer that was made for an older version of the document.
import type { InlineCompletionContext, Position, TextDocument } from "vscode";
import {
  type CancellationToken,
  commands,
  InlineCompletionItem,
  InlineCompletionTriggerKind,
  Range,
  window,
} from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { CompletionReport } from "../sidecar/protocol.ts";
import { blendLatency, debounceMs } from "./debounce.ts";
import { restOf, type Shown } from "./type-through.ts";

type Provide = NonNullable<Middleware["provideInlineCompletionItems"]>;
type Ask = Parameters<Provide>[4];

/** Assumed until the first measurement. */
const firstLatencyMs = 300;
/** Whoever pauses this long between two keys is not typing on. */
const betweenKeysMs = 300;

export class InlineCompletions {
  private shown: Shown | null = null;
  private latencyMs: number | null = null;
  private refused: CompletionReport | null = null;
  /** Requests not answered yet, those taken back too, and when the last one came. */
  private waiting = 0;
  private askedAt = 0;
  private readonly trace: (message: string) => void;

  /** `trace` gets a line for every completion that needed no request, or whose answer was dropped. */
  constructor(trace: (message: string) => void) {
    this.trace = trace;
  }

  /** Learns how long an answer takes from those for which the model ran to the end. */
  observe(report: CompletionReport): void {
    this.refused = report.reason === "model-loading" ? report : null;
    const isBrokenOff = report.reason === "cancelled" || report.reason === "superseded";
    if (report.tokens.generated > 0 && !isBrokenOff)
      this.latencyMs = blendLatency(this.latencyMs, report.latencyMs);
  }

  /** The model is there: asks again where somebody waits since it was not. */
  async askAgain(): Promise<void> {
    const { refused } = this;
    this.refused = null;
    const document = window.activeTextEditor?.document;
    const isWaiting = `${document?.uri}` === refused?.uri && document?.version === refused?.version;
    // The editor asks once about a version of a document, unless a person wishes it.
    if (refused !== null && isWaiting)
      await commands.executeCommand("editor.action.inlineSuggest.trigger");
  }

  /** Forgets what is on screen: the model or the settings are others now. */
  forget(): void {
    this.shown = null;
  }

  /** Whether somebody types, or a request is being answered: what has time had better wait. */
  get isBusy(): boolean {
    return this.waiting > 0 || Date.now() - this.askedAt < betweenKeysMs;
  }

  readonly provide: Provide = async (...request) => {
    this.waiting++;
    this.askedAt = Date.now();
    try {
      return await this.answer(...request);
    } finally {
      this.waiting--;
    }
  };

  private async answer(
    ...[document, position, context, token, next]: Parameters<Provide>
  ): Promise<InlineCompletionItem[] | null> {
    const isAutomatic = isWithoutWish(context);
    const rest = isAutomatic ? this.continued(document, position) : null;
    if (rest !== null) return [rest];
    const { version } = document;
    const isStale = () => token.isCancellationRequested || document.version !== version;
    if (isAutomatic) await pause(debounceMs(this.latencyMs ?? firstLatencyMs), token);
    if (isStale()) return this.drop("before it was sent");
    const item = await firstItem(next, [document, position, context, token]);
    if (isStale()) return this.drop("after it was answered");
    this.shown = item && shownBy(item, document, position);
    return item && [item];
  }

  private continued(document: TextDocument, position: Position): InlineCompletionItem | null {
    if (this.shown === null) return null;
    const { uri, head, tail } = textAround(document, position);
    const rest = restOf(this.shown, uri, head, tail);
    if (rest === null) return null;
    this.trace(`typed over, ${rest.text.length} characters left`);
    const range = new Range(position, position.translate(0, rest.replaced));
    return new InlineCompletionItem(rest.text, range);
  }

  private drop(when: string): null {
    this.trace(`superseded ${when}`);
    return null;
  }
}

/** Not asked for by a key of its own, and not a preview of an entry of the suggestion list. */
function isWithoutWish({ triggerKind, selectedCompletionInfo }: InlineCompletionContext): boolean {
  return triggerKind === InlineCompletionTriggerKind.Automatic && !selectedCompletionInfo;
}

async function firstItem(
  next: Ask,
  request: Parameters<Ask>,
): Promise<InlineCompletionItem | null> {
  const answer = await next(...request);
  const item = (Array.isArray(answer) ? answer : answer?.items)?.[0];
  if (!item) return null;
  // Without a range the editor would replace the word and the rest of the line.
  const [, position] = request;
  item.range ??= new Range(position, position);
  return item;
}

/** Only a text that is put in at the cursor can be typed over. */
function shownBy(
  item: InlineCompletionItem,
  document: TextDocument,
  position: Position,
): Shown | null {
  const { insertText: text, range } = item;
  if (typeof text !== "string" || !range?.start.isEqual(position) || !range.isSingleLine)
    return null;
  const replaced = range.end.character - position.character;
  return { ...textAround(document, position), text, replaced };
}

function textAround(document: TextDocument, position: Position) {
  const text = document.getText();
  const offset = document.offsetAt(position);
  return { uri: document.uri.toString(), head: text.slice(0, offset), tail: text.slice(offset) };
}

function pause(ms: number, token: CancellationToken): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(finish, ms);
    const subscription = token.onCancellationRequested(finish);
    function finish(): void {
      clearTimeout(timer);
      subscription.dispose();
      done();
    }
  });
}
