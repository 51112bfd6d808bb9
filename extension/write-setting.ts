// Changes a setting of Pith's where the change will count.
import { ConfigurationTarget, workspace } from "vscode";

/** For the user as a whole, unless the workspace has a value of its own, which goes before. */
export async function writeSetting(name: string, value: unknown): Promise<void> {
  const configuration = workspace.getConfiguration("pith");
  const isOwn = configuration.inspect(name)?.workspaceValue !== undefined;
  const target = isOwn ? ConfigurationTarget.Workspace : ConfigurationTarget.Global;
  await configuration.update(name, value, target);
}
