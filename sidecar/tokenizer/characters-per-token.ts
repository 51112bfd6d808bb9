/**
 * A longer text than this for a token is not tokenised at all, but cut or refused first: a limit on
 * the work for lines without end. Source code has 3 to 4 characters a token.
 */
export const charactersPerToken = 16;
