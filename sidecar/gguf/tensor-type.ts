// The tensor types of GGUF that Pith reads. Numbers are ggml.h's `enum ggml_type`; sizes are those
// of the `block_*` structures in ggml-common.h.

export interface BlockLayout {
  readonly code: number;
  /** Elements a block holds. */
  readonly elements: number;
  /** Bytes a block takes in the file. */
  readonly bytes: number;
}

export const blockLayouts = {
  F32: { code: 0, elements: 1, bytes: 4 },
  F16: { code: 1, elements: 1, bytes: 2 },
  Q4_0: { code: 2, elements: 32, bytes: 18 },
  Q4_1: { code: 3, elements: 32, bytes: 20 },
  Q5_0: { code: 6, elements: 32, bytes: 22 },
  Q5_1: { code: 7, elements: 32, bytes: 24 },
  Q8_0: { code: 8, elements: 32, bytes: 34 },
  Q4_K: { code: 12, elements: 256, bytes: 144 },
  Q5_K: { code: 13, elements: 256, bytes: 176 },
  Q6_K: { code: 14, elements: 256, bytes: 210 },
  BF16: { code: 30, elements: 1, bytes: 2 },
} as const satisfies Record<string, BlockLayout>;

export type TensorType = keyof typeof blockLayouts;

/** Types that hold one number per element and no block structure. */
export type FloatType = "F32" | "F16" | "BF16";

export type BlockType = Exclude<TensorType, FloatType>;

export const tensorTypes = Object.keys(blockLayouts) as readonly TensorType[];

export function tensorTypeOf(code: number): TensorType | undefined {
  return tensorTypes.find((type) => blockLayouts[type].code === code);
}

export function isFloatType(type: TensorType): type is FloatType {
  return blockLayouts[type].elements === 1;
}

/** Bytes that `elementCount` elements take in the file; the count is a multiple of the block. */
export function byteLengthOf(type: TensorType, elementCount: number): number {
  return (elementCount / blockLayouts[type].elements) * blockLayouts[type].bytes;
}
