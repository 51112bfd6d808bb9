// Settings with which VS Code opens no dialog, shows no welcome, asks no service and lets ghost text
// be seen: without them a test would have to click things away that have nothing to do with Pith.

const noWelcome = {
  "workbench.startupEditor": "none",
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "workbench.tips.enabled": false,
  "update.showReleaseNotes": false,
};

const noNetwork = {
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "workbench.enableExperiments": false,
  "workbench.settings.enableNaturalLanguageSearch": false,
  "npm.fetchOnlinePackageInfo": false,
};

const noChat = {
  "chat.disableAIFeatures": true,
  "chat.commandCenter.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
};

/** The suggestion list would hide ghost text, and language servers of other kinds add noise. */
const onlyGhostText = {
  "editor.inlineSuggest.enabled": true,
  "editor.quickSuggestions": { other: "off", comments: "off", strings: "off" },
  "editor.suggestOnTriggerCharacters": false,
  "editor.parameterHints.enabled": false,
  "editor.wordBasedSuggestions": "off",
  "editor.minimap.enabled": false,
  "editor.accessibilitySupport": "off",
  "git.enabled": false,
  "window.commandCenter": false,
  "files.simpleDialog.enable": true,
  "files.autoSave": "off",
};

export const quietSettings: Record<string, unknown> = {
  "security.workspace.trust.enabled": false,
  ...noWelcome,
  ...noNetwork,
  ...noChat,
  ...onlyGhostText,
};
