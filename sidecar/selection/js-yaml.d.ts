// js-yaml brings no types of its own; this is what Pith calls.
declare module "js-yaml" {
  /** Every scalar is a string, whatever it looks like. */
  export const FAILSAFE_SCHEMA: object;

  export class YAMLException extends Error {
    readonly reason: string;
    /** Lines are counted from 0. */
    readonly mark?: { readonly line: number };
  }

  /** @throws YAMLException */
  export function load(text: string, options: { schema: object }): unknown;
}
