// The first defaults of completion, all in one place, to be changed by measurement. A token count
// is a count of cache positions; the sums fit the window with room for memories.

export const defaults = {
  /** Positions of the cache: prompt and answer of one request. */
  window: 4096,
  /** The text before the cursor: at most `tokens`, cut back by at least `step` when it gets longer. */
  prefix: { tokens: 512, step: 128 },
  /**
   * The text behind it. Behind at most `movedTokens` of typed prefix its rows are moved, not run,
   * but for the first `freshTokens` of them, the suffix token included.
   */
  suffix: { tokens: 128, movedTokens: 8, freshTokens: 16 },
  /**
   * A prefix that ends inside a token: `exact` runs at most `nodes` rows for it, else `token` takes
   * over and backs up that many tokens (B = 3 in arXiv 2403.08688).
   */
  alignment: { limits: { nodes: 32, backedUpTokens: 3 } },
  /**
   * Memories: positions for all of them, no finer than a ratio; demonstrations that are encoded
   * together; most tokens of a request's context; bytes of what is encoded that stay
   * in the process, and on the disk.
   */
  memory: {
    budget: 512,
    finestRatio: 24,
    groupedDemonstrations: 8,
    contextTokens: 32_768,
    storeBytes: 256 * 1024 * 1024,
    bankBytes: 1024 * 1024 * 1024,
  },
  /** Longest answers in the editor; `opened`: a line with the block that it opens. */
  answer: { line: 48, block: 160, opened: 96 },
  /** Rows between two looks at the abort signal. */
  chunk: { interactive: 64, idle: 32, batch: 256 },
  /** An answer whose shown tokens have a lower mean log-probability is not shown. */
  minimumMeanLogProbability: -1.6,
  /** After this long without an edit or a request the suffix is run again. */
  idleMs: 2000,
} as const;
