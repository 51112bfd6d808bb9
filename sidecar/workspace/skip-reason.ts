/** Why a file or a span of it is no source of memories: the closed list. */
export const skipReasons = [
  /** By `.gitignore`, `.git/info/exclude` or the user's excludes file of Git. */
  "ignored",
  /** By a file that keeps AI tools away: `aiIgnoreFiles` of ignore-rules.ts. */
  "ai-ignored",
  /** By the setting `pith.exclude`. */
  "excluded",
  /** Installed packages, environments and version control. */
  "dependencies",
  /** It holds a secret, or is of a kind that does. */
  "secret",
  /** It could not be searched for secrets, so it counts as holding one. */
  "unchecked",
  /** A symbolic link met on a walk: what it points to has a place of its own. */
  "link",
  /** Its real place is not in the workspace folder. */
  "outside",
  "too-large",
  /** No text in any encoding. */
  "binary",
  "generated",
  "minified",
  /** A demonstration file without an example that can be read. */
  "malformed",
  /** Gone, or not allowed. */
  "unreadable",
  /** A named pipe, a socket or a device, which is never opened. */
  "not-a-file",
  /** The file system did not answer in time; it is asked again when it has. */
  "hung",
  /** Something of Pith broke on it; it is read again when it changes. */
  "failed",
] as const;

export type SkipReason = (typeof skipReasons)[number];
