// Two files of a project: the second cannot be completed rightly without the first.
export const shipping = `export interface Parcel {
  readonly grams: number;
}

/** The carrier that takes parcels of this weight. */
export function chooseCarrierByWeight(parcel: Parcel): string {
  return parcel.grams > 2000 ? "heavy" : "light";
}
`;

/** `$0` is the cursor. */
export const order = `import type { Parcel } from "./shipping.ts";

/** Says who carries the parcel. */
export function describeParcel(parcel: Parcel): string {
  const carrier = choose$0`;
