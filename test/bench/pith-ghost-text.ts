// Pith's side of the keystroke trace: the service as the sidecar opens it, without the editor.
import { type OpenModel, openModel } from "../../sidecar/service.ts";
import { traceLanguage, tracePath } from "../support/keystroke-trace.ts";
import { type GhostText, type GhostTextSource, idsOf, type Question } from "./ghost-text.ts";

/** Pith with its default variant and number of threads; the model is on this machine. */
export async function openPith(id: string): Promise<GhostTextSource & { model: OpenModel }> {
  const model = await openModel({ model: id, home: "", threads: 0 });
  if (model === null) throw new Error(`bench: ${id} is not on this machine`);
  return {
    name: `Pith, ${model.facts.variant}`,
    model,
    complete: (question) => completeWith(model, question),
    close: () => model.dispose(),
  };
}

async function completeWith(model: OpenModel, question: Question): Promise<GhostText> {
  const { prefix, suffix, prompt } = question;
  const document = { file: null, path: tracePath, languageId: traceLanguage, prefix, suffix };
  const start = performance.now();
  const { text, tokens } = await model.completeInline({
    ...document,
    ...{ multiline: "auto", alignment: "off" },
  });
  const elapsedMs = performance.now() - start;
  const promptRows = idsOf(prompt).length - tokens.reused;
  return {
    text,
    generated: tokens.generated,
    promptRows,
    reused: tokens.reused,
    decodeRows: tokens.computed - promptRows,
    elapsedMs,
  };
}
