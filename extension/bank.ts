// The bank of memories on the disk.
import { env, l10n, window } from "vscode";
import { purgeBank, readBank } from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";
import { tell } from "./messages.ts";

export async function purge(client: Client): Promise<void> {
  const { memories, byteLength } = await client.request(readBank);
  if (memories === 0) return tell(l10n.t("Pith: the bank is empty."));
  const number = new Intl.NumberFormat(env.language, { maximumFractionDigits: 1 });
  const counts = [number.format(memories), number.format(byteLength / 1e6)] as const;
  const remove = l10n.t("Delete");
  const question = l10n.t(
    "Delete all memories from this machine ({0}, {1} MB)? They are made again when they are needed.",
    ...counts,
  );
  const answer = await window.showWarningMessage(question, { modal: true }, remove);
  if (answer !== remove) return;
  await client.request(purgeBank);
  await tell(l10n.t("Pith: {0} memories deleted, {1} MB.", ...counts));
}
