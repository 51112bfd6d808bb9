// A model whose weights have an adapter's LoRA added: W + B A, matrix by matrix, in the bytes of a GGUF
// with float32 matrices.
import { type ByteSource, bytesSource } from "../../sidecar/gguf/byte-source.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import type { Tensor } from "../../sidecar/memory/safetensors.ts";

const matrices: Readonly<Record<string, string>> = {
  ...{ q: "attn_q", k: "attn_k", v: "attn_v", o: "attn_output" },
  ...{ gate: "ffn_gate", up: "ffn_up", down: "ffn_down" },
};

export async function mergeLora(
  source: ByteSource,
  lora: ReadonlyMap<string, Tensor>,
  shape: { layerCount: number; headDim: number; rotaryInterleaved: boolean },
): Promise<ByteSource> {
  const { tensors } = await parseHeader(source);
  const bytes = (await source.read(0, source.byteLength)).slice();
  for (let layer = 0; layer < shape.layerCount; layer++)
    for (const [part, matrix] of Object.entries(matrices)) {
      const offset = tensors.get(`blk.${layer}.${matrix}.weight`)?.offset ?? Number.NaN;
      const isRotated = shape.rotaryInterleaved && (part === "q" || part === "k");
      const placeOf = (row: number) => (isRotated ? interleaved(row, shape.headDim) : row);
      const factor = (name: "a" | "b") => lora.get(`lora.${layer}.${part}.${name}`);
      addProduct(new DataView(bytes.buffer, offset), placeOf, [factor("b"), factor("a")]);
    }
  return bytesSource(source.name, bytes);
}

/** Adds B A to the matrix at the start of `view`, each row where `placeOf` says. */
function addProduct(
  view: DataView,
  placeOf: (row: number) => number,
  [b, a]: readonly [Tensor | undefined, Tensor | undefined],
): void {
  const [rows = 0, rank = 0] = b?.shape ?? [];
  const [, columns = 0] = a?.shape ?? [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = 4 * (placeOf(row) * columns + column);
      let sum = view.getFloat32(at, true);
      for (let each = 0; each < rank; each++)
        sum += (b?.values[row * rank + each] ?? 0) * (a?.values[each * columns + column] ?? 0);
      view.setFloat32(at, sum, true);
    }
}

/** Where llama.cpp's conversion puts a row of a head whose rotary pairs are (i, i + headDim / 2). */
function interleaved(row: number, headDim: number): number {
  const within = row % headDim;
  const pair = within % (headDim / 2);
  return row - within + (within < headDim / 2 ? 2 * pair : 2 * pair + 1);
}
