// Switches completions for a language, a workspace or everywhere.
import { ConfigurationTarget, l10n, type QuickPickItem, window, workspace } from "vscode";
import { isLanguageOn, readSettings } from "./config.ts";
import { writeSetting } from "./write-setting.ts";

export async function toggle(): Promise<void> {
  const choice = await window.showQuickPick(switches(), {
    title: l10n.t("Pith: Enable or Disable Completions"),
  });
  await choice?.flip();
}

/** One entry for each place where completions can be switched, saying what picking it would do. */
function switches(): (QuickPickItem & { flip(): Thenable<void> })[] {
  const configuration = workspace.getConfiguration("pith");
  const { enable, languages } = readSettings(configuration, true);
  const languageId = window.activeTextEditor?.document.languageId;
  const language = (id: string) => {
    const isOn = isLanguageOn(languages, id);
    const label = isOn ? l10n.t("Disable for {0}", id) : l10n.t("Enable for {0}", id);
    return { label, flip: () => writeSetting("languages", { ...languages, [id]: !isOn }) };
  };
  const inWorkspace = {
    label: enable ? l10n.t("Disable for this workspace") : l10n.t("Enable for this workspace"),
    flip: () => configuration.update("enable", !enable, ConfigurationTarget.Workspace),
  };
  const everywhere = {
    label: enable ? l10n.t("Disable everywhere") : l10n.t("Enable everywhere"),
    flip: () => setEverywhere(!enable),
  };
  return [
    ...(languageId === undefined ? [] : [language(languageId)]),
    ...(workspace.workspaceFolders === undefined ? [] : [inWorkspace]),
    everywhere,
  ];
}

/** A value of the workspace's own would go before the one for the user. */
async function setEverywhere(isOn: boolean): Promise<void> {
  const configuration = workspace.getConfiguration("pith");
  await configuration.update("enable", isOn, ConfigurationTarget.Global);
  if (configuration.inspect("enable")?.workspaceValue !== undefined)
    await configuration.update("enable", undefined, ConfigurationTarget.Workspace);
}
