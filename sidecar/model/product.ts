// y = x W' + b in the graph, for every way a matrix is written down.
import assert from "node:assert/strict";
import type { GraphBuilder, Value } from "../onnx/graph-builder.ts";
import type { StoredLinear } from "./linear-store.ts";

/** A product to whose result low-rank factors (LoRA) may be added; `factors` names them. */
export type AdaptedProduct = (
  input: Value,
  linear: StoredLinear,
  factors: string,
  name?: Value,
) => Value;

/** A block of zeros is divided by it. */
const leastStep = 1e-30;

/** [n, columns] -> [n, rows]; `name` names the result. */
export type Product = (input: Value, linear: StoredLinear, name?: Value) => Value;

export function createProduct(graph: GraphBuilder, accuracyLevel: 0 | 4): Product {
  return (input, { rows, columns, matrix, bias: storedBias }, name) => {
    const bias = storedBias === null ? null : graph.initializer(storedBias);
    if (matrix.bits === 32) {
      const values = graph.initializer(matrix.values);
      if (bias === null) return graph.matMulTransposed(input, values, name);
      return graph.multiplyTransposedAndAdd(input, values, bias, name);
    }
    const { bits, blockSize } = matrix;
    const codes = graph.initializer(matrix.codes);
    const scales = graph.initializer(matrix.scales);
    const zeroPoints = matrix.zeroPoints === null ? null : graph.initializer(matrix.zeroPoints);
    const quantized = { rows, columns, bits, blockSize, codes, scales, zeroPoints, bias };
    if (matrix.offsets === null) return graph.matMulNBits(input, quantized, accuracyLevel, name);
    // MatMulNBits knows no offsets. An offset is constant over a block, so it meets the sum of that
    // block's inputs: [n, blocks] times [rows, blocks] transposed, exact in float32.
    const coded = graph.matMulNBits(input, quantized, accuracyLevel);
    const blocks = graph.reshape(input, [-1, columns / blockSize, blockSize]);
    const sums = graph.reduce("ReduceSum", blocks, { axes: [2] });
    const offsets = graph.initializer(matrix.offsets);
    return graph.multiplyTransposedAndAdd(sums, offsets, coded, name);
  };
}

/**
 * The same, with inputs of 16 bits where `multiply` rounds them to eight: what the rounding leaves is
 * a row of its own, so the matrix is read once. Made for the head, which has no bias.
 */
export function createFineProduct(graph: GraphBuilder, multiply: Product): Product {
  return (input, linear) => {
    const { rows, columns, matrix } = linear;
    assert.equal(linear.bias, null);
    if (matrix.bits === 32) return multiply(input, linear);
    const { blockSize } = matrix;
    const blocks = graph.reshape(input, [-1, columns / blockSize, blockSize]);
    // As MatMulNBits rounds at accuracy level 4: to 127ths of a block's greatest magnitude.
    const magnitudes = graph.elementwise("Abs", blocks);
    const greatest = graph.reduce("ReduceMax", magnitudes, { axes: [2], isKept: true });
    const scaled = graph.elementwise("Mul", greatest, graph.float(1 / 127));
    const steps = graph.elementwise("Max", scaled, graph.float(leastStep));
    const codes = graph.elementwise("Round", graph.elementwise("Div", blocks, steps));
    const coarse = graph.elementwise("Mul", codes, steps);
    const fine = graph.elementwise("Sub", blocks, coarse);
    const both = graph.reshape(graph.concat([coarse, fine], 1), [-1, columns]); // [2 n, columns]
    const products = graph.reshape(multiply(both, linear), [-1, 2, rows]);
    return graph.reduce("ReduceSum", products, { axes: [1] });
  };
}

/**
 * y + (x A') B' with A [rank, columns] and B [rows, rank] as the inputs `{factors}.a` and `.b` of the
 * graph; without `hasFactors` just y.
 */
export function createAdaptedProduct(
  graph: GraphBuilder,
  multiply: Product,
  hasFactors: boolean,
): AdaptedProduct {
  return (input, linear, factors, name) => {
    if (!hasFactors) return multiply(input, linear, name);
    const rank = `${factors}.rank`;
    const down = graph.input(`${factors}.a`, "float32", [rank, linear.columns]);
    const up = graph.input(`${factors}.b`, "float32", [linear.rows, rank]);
    const product = multiply(input, linear);
    return graph.multiplyTransposedAndAdd(graph.matMulTransposed(input, down), up, product, name);
  };
}
