// Tensor bytes -> floats, rounded as ggml and gguf-py round them: every intermediate is a float32.
import { halfValues } from "./half.ts";
import { type FloatType, isFloatType, type TensorType } from "./tensor-type.ts";
import { unpackBlocks } from "./unpack.ts";

/** `elementCount` is a multiple of the type's block, and `bytes` holds exactly that many blocks. */
export function dequantize(
  type: TensorType,
  bytes: Uint8Array,
  elementCount: number,
): Float32Array {
  if (isFloatType(type)) return readFloats(type, bytes, elementCount);
  const { blockSize, centre, codes, scales, minima } = unpackBlocks(type, bytes, elementCount);
  const values = new Float32Array(elementCount);
  for (let index = 0; index < elementCount; index++) {
    const block = Math.floor(index / blockSize);
    // The sum of two float32 is rounded once by the store; the product has to be rounded first.
    const product = Math.fround(scales[block]! * (codes[index]! - centre));
    values[index] = minima === null ? product : product + minima[block]!;
  }
  return values;
}

function readFloats(type: FloatType, bytes: Uint8Array, elementCount: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(elementCount);
  const bits = new Uint32Array(values.buffer);
  for (let index = 0; index < elementCount; index++) {
    if (type === "F16") values[index] = halfValues[view.getUint16(index * 2, true)]!;
    // A BF16 is the upper half of a float32; bits are copied, so that NaNs stay as they are.
    else if (type === "BF16") bits[index] = view.getUint16(index * 2, true) << 16;
    else bits[index] = view.getUint32(index * 4, true);
  }
  return values;
}
