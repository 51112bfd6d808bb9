// Values -> an ONNX model file, through the messages of onnx-proto. One method an operator: it takes
// value names and returns the name of its result. Shapes in the comments are those that the decoder
// uses; nothing here infers or checks them, onnxruntime does so at load.
import type { onnx } from "onnx-proto";
import {
  type AttributeValue,
  attributeMessage,
  CONTRIB_DOMAIN,
  type Dimension,
  encodeModel,
  initializerMessage,
  sequenceMessage,
  valueMessage,
} from "./messages.ts";
import type { DataType, StoredTensor } from "./tensor-store.ts";

/** The name of a value in the graph. */
export type Value = string;

/** An optional input that is left out. */
const ABSENT = "";

interface NodeDescription {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: typeof CONTRIB_DOMAIN;
}

export interface QuantizedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly codes: Value; // u8 [rows, columns / blockSize, blockSize * bits / 8], low nibble first
  readonly scales: Value; // f32 [rows, columns / blockSize]
  readonly zeroPoints: Value | null; // u8 [rows, ceil(columns / blockSize * bits / 8)]
  readonly bias: Value | null; // f32 [rows]
}

export interface AttentionInputs {
  readonly queryKeyValue: Value; // [batch, seq, (heads + 2 kvHeads) headDim]
  readonly pastKey: Value; // [batch, kvHeads, past, headDim]
  readonly pastValue: Value; // the same
  readonly lastIndices: Value; // i32 [batch], valid length of each row less one
  readonly totalLength: Value; // i32 [], past and new positions together
  readonly cosines: Value; // [positions, headDim / 2]
  readonly sines: Value; // the same
  readonly positions: Value; // i64 [batch, seq]; for a first prompt only the first one counts
  readonly bias: Value; // f32 [1, 1, seq, total], added to the scores before the softmax
}

export interface AttentionOutputs {
  readonly presentKey: Value; // [batch, kvHeads, total, headDim]
  readonly presentValue: Value; // the same
  /** Attention after softmax, [batch, heads, seq, total]. */
  readonly probabilities?: Value;
}

export interface AttentionShape {
  readonly headCount: number;
  readonly kvHeadCount: number;
  readonly headDim: number;
  readonly rotaryInterleaved: boolean;
}

export interface ReduceOptions {
  readonly axes: readonly number[];
  readonly isKept?: boolean;
  readonly name?: Value;
}

export class GraphBuilder {
  readonly #nodes: onnx.INodeProto[] = [];
  readonly #initializers = new Map<string, onnx.ITensorProto>();
  readonly #inputs: onnx.IValueInfoProto[] = [];
  readonly #outputs: onnx.IValueInfoProto[] = [];
  #resultCount = 0;

  input(name: Value, dataType: DataType, dimensions: readonly Dimension[]): Value {
    this.#inputs.push(valueMessage(name, dataType, dimensions));
    return name;
  }

  /** Outputs keep the order in which they are declared. */
  output(name: Value, dataType: DataType, dimensions: readonly Dimension[]): void {
    this.#outputs.push(valueMessage(name, dataType, dimensions));
  }

  /** An output that is a sequence of tensors of any shape. */
  sequenceOutput(name: Value, dataType: DataType): void {
    this.#outputs.push(sequenceMessage(name, dataType));
  }

  /** Makes a stored tensor a value of this graph; naming it twice is the same value. */
  initializer(tensor: StoredTensor): Value {
    this.#initializers.set(tensor.name, initializerMessage(tensor));
    return tensor.name;
  }

  /** A vector of whole numbers, as shapes and axes are given. */
  integers(values: readonly number[]): Value {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    const name = `integers_${values.join("_")}`;
    return this.initializer({
      name,
      dataType: "int64",
      dimensions: [values.length],
      content: bytes,
    });
  }

  /** A float32 of no dimensions. */
  float(value: number): Value {
    const content = new Uint8Array(Float32Array.of(value).buffer);
    const name = `float_${value}`;
    return this.initializer({ name, dataType: "float32", dimensions: [], content });
  }

  /** SequenceConstruct: one tensor -> a sequence that holds it. */
  sequenceConstruct(element: Value, name: Value): void {
    this.#node({ operator: "SequenceConstruct", inputs: [element], outputs: [name] });
  }

  /** SimplifiedLayerNormalization (RMS norm): [.., width], [width] -> [.., width]. */
  rmsNorm(input: Value, gain: Value, epsilon: number): Value {
    return this.#single({
      operator: "SimplifiedLayerNormalization",
      inputs: [input, gain],
      attributes: { axis: { int: -1 }, epsilon: { float: epsilon }, stash_type: { int: 1 } },
    });
  }

  /**
   * SkipSimplifiedLayerNormalization: adds `delta` to the residual stream and normalises the sum.
   * [n, width] twice, [width] -> the normalised sum and the sum.
   */
  addAndRmsNorm(
    residual: Value,
    delta: Value,
    norm: { readonly gain: Value; readonly epsilon: number },
  ): { readonly normalized: Value; readonly residual: Value } {
    const normalized = this.#resultName("AddAndRmsNorm");
    const sum = this.#resultName("Residual");
    this.#node({
      operator: "SkipSimplifiedLayerNormalization",
      inputs: [residual, delta, norm.gain],
      outputs: [normalized, ABSENT, ABSENT, sum],
      attributes: { epsilon: { float: norm.epsilon } },
      domain: CONTRIB_DOMAIN,
    });
    return { normalized, residual: sum };
  }

  /**
   * MatMulNBits: [.., columns] times the transposed matrix -> [.., rows]. Accuracy level 4 rounds
   * the inputs to 8 bits a block as llama.cpp does; level 0 computes in float32.
   */
  matMulNBits(
    input: Value,
    matrix: QuantizedMatrix,
    accuracyLevel: 0 | 4,
    name = this.#resultName("MatMulNBits"),
  ): Value {
    const groupIndices = ABSENT;
    return this.#node({
      operator: "MatMulNBits",
      inputs: withoutTrailingAbsent([
        input,
        matrix.codes,
        matrix.scales,
        matrix.zeroPoints ?? ABSENT,
        groupIndices,
        matrix.bias ?? ABSENT,
      ]),
      outputs: [name],
      attributes: {
        K: { int: matrix.columns },
        N: { int: matrix.rows },
        bits: { int: matrix.bits },
        block_size: { int: matrix.blockSize },
        accuracy_level: { int: accuracyLevel },
      },
      domain: CONTRIB_DOMAIN,
    });
  }

  /** FusedMatMul with the second matrix transposed: [.., columns], [rows, columns] -> [.., rows]. */
  matMulTransposed(input: Value, matrix: Value, name = this.#resultName("MatMul")): Value {
    return this.#node({
      operator: "FusedMatMul",
      inputs: [input, matrix],
      outputs: [name],
      attributes: { transB: { int: 1 } },
      domain: CONTRIB_DOMAIN,
    });
  }

  /**
   * Gemm with the second matrix transposed: [n, columns], [rows, columns], [n, rows] or [rows] ->
   * the product plus the third, [n, rows].
   */
  multiplyTransposedAndAdd(
    input: Value,
    matrix: Value,
    addend: Value,
    name = this.#resultName("Gemm"),
  ): Value {
    return this.#node({
      operator: "Gemm",
      inputs: [input, matrix, addend],
      outputs: [name],
      attributes: { transB: { int: 1 } },
    });
  }

  /** Elementwise, with broadcasting. */
  elementwise(
    operator: "Abs" | "Div" | "Max" | "Mul" | "Round" | "Sub",
    ...inputs: Value[]
  ): Value {
    return this.#single({ operator, inputs });
  }

  /** Reshape to fixed sizes; one may be -1 for what is left, and 0 is the size that is there. */
  reshape(input: Value, sizes: readonly number[]): Value {
    return this.#single({ operator: "Reshape", inputs: [input, this.integers(sizes)] });
  }

  /** Reshape to a shape that is a value, i64 [rank]; sizes of 0 are meant as such. */
  reshapeTo(input: Value, shape: Value, name = this.#resultName("Reshape")): Value {
    return this.#node({
      operator: "Reshape",
      inputs: [input, shape],
      outputs: [name],
      attributes: { allowzero: { int: 1 } },
    });
  }

  /** The shape [batch, seq, width] for a value of shape [batch, seq, ..]: i64 [3]. */
  shapeLike(input: Value, width: number): Value {
    const leading = this.#single({
      operator: "Shape",
      inputs: [input],
      attributes: { start: { int: 0 }, end: { int: 2 } },
    });
    return this.concat([leading, this.integers([width])], 0);
  }

  /** Concat along an axis. */
  concat(inputs: readonly Value[], axis: number): Value {
    return this.#single({ operator: "Concat", inputs, attributes: { axis: { int: axis } } });
  }

  /**
   * Over `axes`, which fall away unless they are kept with size 1. Axes count from the front:
   * onnxruntime 1.30 forgets to count from the end in an empty value, and hands back all dimensions.
   */
  reduce(
    operator: "ReduceMax" | "ReduceMean" | "ReduceSum",
    input: Value,
    { axes, isKept = false, name = this.#resultName(operator) }: ReduceOptions,
  ): Value {
    return this.#node({
      operator,
      inputs: [input, this.integers(axes)],
      outputs: [name],
      attributes: { keepdims: { int: isKept ? 1 : 0 } },
    });
  }

  /** Split in two equal parts along the last axis: [.., 2 width] -> [.., width] twice. */
  splitInHalves(input: Value): readonly [Value, Value] {
    const first = this.#resultName("Split");
    const second = this.#resultName("Split");
    this.#node({
      operator: "Split",
      inputs: [input],
      outputs: [first, second],
      attributes: { axis: { int: -1 }, num_outputs: { int: 2 } },
    });
    return [first, second];
  }

  /** QuickGelu with alpha 1 is x * sigmoid(x), which is SiLU. */
  silu(input: Value): Value {
    return this.#single({
      operator: "QuickGelu",
      inputs: [input],
      attributes: { alpha: { float: 1 } },
      domain: CONTRIB_DOMAIN,
    });
  }

  /** Gather along axis 1: [batch, seq, width], i64 [n] -> [batch, n, width]. */
  gatherPositions(input: Value, positions: Value): Value {
    return this.#single({
      operator: "Gather",
      inputs: [input, positions],
      attributes: { axis: { int: 1 } },
    });
  }

  /**
   * GroupQueryAttention: rotary embedding, cache and causal attention in one ->
   * [batch, seq, heads headDim].
   *
   * All of past and present are always given: without the present outputs onnxruntime 1.30 ignores
   * the past without a word.
   */
  groupQueryAttention(
    inputs: AttentionInputs,
    outputs: AttentionOutputs,
    shape: AttentionShape,
  ): Value {
    const context = this.#resultName("GroupQueryAttention");
    const { probabilities } = outputs;
    const key = ABSENT; // Keys and values come packed behind the queries.
    const value = ABSENT;
    return this.#node({
      operator: "GroupQueryAttention",
      inputs: [
        inputs.queryKeyValue,
        key,
        value,
        inputs.pastKey,
        inputs.pastValue,
        inputs.lastIndices,
        inputs.totalLength,
        inputs.cosines,
        inputs.sines,
        inputs.positions,
        inputs.bias,
      ],
      outputs: [
        context,
        outputs.presentKey,
        outputs.presentValue,
        ...(probabilities === undefined ? [] : [probabilities]),
      ],
      attributes: {
        num_heads: { int: shape.headCount },
        kv_num_heads: { int: shape.kvHeadCount },
        do_rotary: { int: 1 },
        rotary_interleaved: { int: shape.rotaryInterleaved ? 1 : 0 },
        scale: { float: 1 / Math.sqrt(shape.headDim) },
        // 2 asks for the scores after softmax, 1 for those before.
        ...(probabilities === undefined ? {} : { qk_output: { int: 2 } }),
      },
      domain: CONTRIB_DOMAIN,
    });
  }

  /** The model file. External data stays where the stored tensors say. */
  finish(): Uint8Array {
    return encodeModel({
      nodes: this.#nodes,
      initializers: [...this.#initializers.values()],
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }

  #single(description: Omit<NodeDescription, "outputs">): Value {
    return this.#node({ ...description, outputs: [this.#resultName(description.operator)] });
  }

  /** Adds a node and returns its first output. */
  #node({ operator, inputs, outputs, attributes = {}, domain }: NodeDescription): Value {
    this.#nodes.push({
      name: `${operator}_${this.#nodes.length}`,
      opType: operator,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([name, value]) => attributeMessage(name, value)),
      ...(domain === undefined ? {} : { domain }),
    });
    return outputs[0] ?? ABSENT;
  }

  #resultName(label: string): Value {
    this.#resultCount += 1;
    return `${label}_${this.#resultCount}`;
  }
}

function withoutTrailingAbsent(inputs: readonly Value[]): Value[] {
  const last = inputs.findLastIndex((each) => each !== ABSENT);
  return inputs.slice(0, last + 1);
}
