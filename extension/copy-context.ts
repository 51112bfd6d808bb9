// Copy Compressed Context: what of the workspace matters at the cursor, as text within a budget, for a
// model elsewhere. Nothing is sent: it goes to the clipboard.
import { commands, env, l10n, ProgressLocation, type QuickPickItem, window } from "vscode";
import { copyContext, type Encoding } from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";
import { tell } from "./messages.ts";

const usualBudget = 2000;
const greatestBudget = 1_000_000;

export async function copyCompressedContext(client: Client): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined) return tell(l10n.t("Pith: open the file that the context is for."));
  const choice = await window.showQuickPick(encodings(client), {
    title: l10n.t("Pith: Copy Compressed Context"),
    placeHolder: l10n.t("Whose tokens the budget is counted in"),
  });
  const budget = choice && (await askBudget(choice.label));
  if (choice === undefined || budget === undefined) return;
  const { document, selection } = editor;
  const { line, character } = selection.active;
  const place = { uri: `${document.uri}`, line, character };
  const title = l10n.t("Pith: choosing the context");
  const { text, tokens, spans } = await window.withProgress(
    { location: ProgressLocation.Window, title },
    () => client.request(copyContext, { ...place, budget, encoding: choice.encoding }),
  );
  if (spans === 0) return tellNone(budget);
  await env.clipboard.writeText(text);
  const number = new Intl.NumberFormat(env.language);
  const counts = [number.format(tokens), choice.label, number.format(spans)] as const;
  await tell(l10n.t("Pith: copied {0} tokens of {1}. Places of the workspace: {2}.", ...counts));
}

/** Which models count so is how OpenAI's tiktoken maps them. */
function encodings({ condition }: Client): (QuickPickItem & { encoding: Encoding })[] {
  const model = "model" in condition ? condition.model : "Pith";
  return [
    { label: "o200k", description: "GPT-4o, GPT-5", encoding: "o200k" },
    { label: "cl100k", description: "GPT-4, GPT-3.5", encoding: "cl100k" },
    { label: model, description: l10n.t("the model that completes"), encoding: "model" },
  ];
}

async function askBudget(whose: string): Promise<number | undefined> {
  const isBudget = (text: string) =>
    /^\d+$/.test(text) && Number(text) > 0 && Number(text) <= greatestBudget;
  const text = await window.showInputBox({
    title: l10n.t("Pith: Copy Compressed Context"),
    prompt: l10n.t("At most how many tokens of {0}", whose),
    value: `${usualBudget}`,
    validateInput: (given) =>
      isBudget(given) ? null : l10n.t("A whole number from 1 to {0}", greatestBudget),
  });
  return text === undefined ? undefined : Number(text);
}

async function tellNone(budget: number): Promise<void> {
  const show = l10n.t("Show What Was Selected");
  const message = l10n.t("Pith: nothing was copied: no place fits into {0} tokens.", budget);
  if ((await window.showInformationMessage(message, show)) === show)
    await commands.executeCommand("pith.showSelection");
}
