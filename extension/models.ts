// The model manager: choosing, downloading, deleting models and using a file of one's own.
import { l10n, type QuickPickItem, window, workspace } from "vscode";
import type { ModelEntry } from "../sidecar/protocol.ts";
import * as protocol from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";
import { requestWithProgress } from "./progress.ts";
import { writeSetting } from "./write-setting.ts";

/** Makes another model the one that completes; one that is not there yet is offered for download. */
export async function chooseModel(client: Client): Promise<void> {
  const title = l10n.t("Pith: Choose Model");
  const entry = await pickModel(await client.request(protocol.listModels), title);
  if (entry === null) return;
  if (entry.state !== "present" && !(await download(client, entry))) return;
  await writeSetting("model", entry.id);
}

/** Fetches the model that the settings name, or asks which one when that one is present. */
export async function downloadModel(client: Client): Promise<void> {
  const absent = (await client.request(protocol.listModels)).filter(
    ({ state }) => state !== "present",
  );
  const current = absent.find(({ id }) => id === workspace.getConfiguration("pith").get("model"));
  const entry = current ?? (await pickModel(absent, l10n.t("Pith: Download Model")));
  if (entry !== null) await download(client, entry);
}

export async function deleteModel(client: Client): Promise<void> {
  const models = await client.request(protocol.listModels);
  const onDisk = models.filter(({ state }) => state !== "absent");
  const entry = await pickModel(onDisk, l10n.t("Pith: Delete Model"));
  if (entry === null) return;
  const remove = l10n.t("Delete");
  const question = l10n.t(
    "Delete {0} ({1}) from this machine?",
    entry.id,
    megabytes(entry.byteLength),
  );
  const answer = await window.showWarningMessage(question, { modal: true }, remove);
  if (answer === remove) await client.request(protocol.deleteModel, { id: entry.id });
}

export async function useModelFile(): Promise<void> {
  const [file] =
    (await window.showOpenDialog({
      title: l10n.t("Pith: Use a Local Model File"),
      filters: { GGUF: ["gguf"] },
    })) ?? [];
  if (file !== undefined) await writeSetting("model", file.fsPath);
}

/** Offers the download of a model that completions wait for; a notification, nothing modal. */
export async function offerDownload(client: Client, model: string): Promise<void> {
  const models = await client.request(protocol.listModels);
  const entry = models.find(({ id }) => id === model);
  const choose = l10n.t("Choose Another");
  const useFile = l10n.t("Use a Local File");
  const fetch = entry && l10n.t("Download ({0})", megabytes(entry.byteLength));
  const actions = [...(fetch === undefined ? [] : [fetch]), choose, useFile];
  const message = l10n.t("Pith completes code once the model {0} is on this machine.", model);
  const answer = await window.showInformationMessage(message, ...actions);
  if (answer === undefined) return;
  if (answer === choose) return chooseModel(client);
  if (answer === useFile) return useModelFile();
  if (entry) await download(client, entry);
}

/** @returns whether the model is there now; false when the user broke it off. */
async function download(client: Client, { id }: ModelEntry): Promise<boolean> {
  const title = l10n.t("Pith: downloading {0}", id);
  const entry = await requestWithProgress(client, title, protocol.downloadModel, { id });
  return entry !== null;
}

async function pickModel(models: ModelEntry[], title: string): Promise<ModelEntry | null> {
  const current = workspace.getConfiguration("pith").get("model");
  const items = models.map((entry) => ({ ...itemOf(entry, entry.id === current), entry }));
  const placeHolder = models.length === 0 ? l10n.t("There is none.") : "";
  const item = await window.showQuickPick(items, { title, placeHolder });
  return item?.entry ?? null;
}

function itemOf(entry: ModelEntry, isCurrent: boolean): QuickPickItem {
  const { id, title, licence, byteLength, state, file } = entry;
  const states = {
    present: l10n.t("on this machine"),
    partial: l10n.t("partly downloaded"),
    absent: l10n.t("not downloaded"),
  };
  const description = [megabytes(byteLength), licence, states[state]].join(" · ");
  const label = isCurrent ? `$(check) ${title}` : title;
  return { label, description, detail: state === "absent" ? id : file };
}

function megabytes(byteLength: number): string {
  return `${Math.round(byteLength / 1e6)} MB`;
}
