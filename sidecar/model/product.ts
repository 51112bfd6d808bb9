// y = x W' + b in the graph, for every way a matrix is written down.
import type { GraphBuilder, Value } from "../onnx/graph-builder.ts";
import type { StoredCodes, StoredLinear } from "./linear-store.ts";

export type Product = (input: Value, linear: StoredLinear, name?: Value) => Value;

/** `name` names the result: [.., columns] -> [.., rows]. */
export function createProduct(graph: GraphBuilder, accuracyLevel: 0 | 4): Product {
  return (input, linear, name) => {
    const { rows, columns, matrix } = linear;
    const bias = linear.bias === null ? null : graph.initializer(linear.bias);
    if (matrix.bits === 32) {
      const values = graph.initializer(matrix.values);
      if (bias === null) return graph.matMulTransposed(input, values, name);
      return graph.add(graph.matMulTransposed(input, values), bias, name);
    }
    const codes = {
      rows,
      columns,
      bits: matrix.bits,
      blockSize: matrix.blockSize,
      codes: graph.initializer(matrix.codes),
      scales: graph.initializer(matrix.scales),
      zeroPoints: matrix.zeroPoints === null ? null : graph.initializer(matrix.zeroPoints),
      bias,
    };
    if (matrix.offsets === null) return graph.matMulNBits(input, codes, accuracyLevel, name);
    const coded = graph.matMulNBits(input, codes, accuracyLevel);
    return graph.add(coded, offsetTerm(graph, input, { ...matrix, columns }), name);
  };
}

/**
 * What MatMulNBits leaves out: an offset is constant over a block, so it meets the sum of the
 * inputs of that block. [.., columns] -> [.., rows], exact in float32.
 */
function offsetTerm(
  graph: GraphBuilder,
  input: Value,
  { offsets, columns, blockSize }: StoredCodes & { readonly columns: number },
): Value {
  if (offsets === null) throw new Error("the caller has seen offsets");
  const blocks = graph.reshape(input, [0, 0, columns / blockSize, blockSize]);
  return graph.matMulTransposed(graph.sumLast(blocks), graph.initializer(offsets));
}
