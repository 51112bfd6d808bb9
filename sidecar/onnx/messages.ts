// The messages of onnx.proto that the builder needs, by the types of onnx-proto.
import { onnx } from "onnx-proto";
import { type DataType, dataTypes, type StoredTensor } from "./tensor-store.ts";

/** Operators of onnxruntime beyond the standard, in its ContribOperators.md. */
export const CONTRIB_DOMAIN = "com.microsoft";

const IR_VERSION = 10; // Version 10 goes with opset 21, onnx/helper.py VERSION_TABLE.
const OPSET_VERSION = 21;
const CONTRIB_VERSION = 1;

export type AttributeValue = { readonly int: number } | { readonly float: number };

/** A fixed size or the name of one that differs from run to run. */
export type Dimension = number | string;

interface GraphParts {
  readonly nodes: onnx.INodeProto[];
  readonly initializers: onnx.ITensorProto[];
  readonly inputs: onnx.IValueInfoProto[];
  readonly outputs: onnx.IValueInfoProto[];
}

/** A whole model file; nodes come in an order in which they can run. */
export function encodeModel({ nodes, initializers, inputs, outputs }: GraphParts): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion: IR_VERSION,
    producerName: "pith",
    opsetImport: [
      { domain: "", version: OPSET_VERSION },
      { domain: CONTRIB_DOMAIN, version: CONTRIB_VERSION },
    ],
    graph: {
      name: "decoder",
      node: nodes,
      initializer: initializers,
      input: inputs,
      output: outputs,
    },
  }).finish();
}

/** An input or output of the graph. */
export function valueMessage(
  name: string,
  dataType: DataType,
  dimensions: readonly Dimension[],
): onnx.IValueInfoProto {
  const dim = dimensions.map((each) =>
    typeof each === "string" ? { dimParam: each } : { dimValue: each },
  );
  const tensorType = { elemType: dataTypes[dataType].code, shape: { dim } };
  return { name, type: { tensorType } };
}

/** An output that is a sequence of tensors of any shape. */
export function sequenceMessage(name: string, dataType: DataType): onnx.IValueInfoProto {
  const elemType = { tensorType: { elemType: dataTypes[dataType].code } };
  return { name, type: { sequenceType: { elemType } } };
}

/** A tensor that is part of the graph: its bytes, or where they lie. */
export function initializerMessage({
  name,
  dataType,
  dimensions,
  content,
}: StoredTensor): onnx.ITensorProto {
  const tensor = { name, dataType: dataTypes[dataType].code, dims: [...dimensions] };
  if (content instanceof Uint8Array) return { ...tensor, rawData: content };
  return {
    ...tensor,
    dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: [
      { key: "location", value: content.file },
      { key: "offset", value: String(content.offset) },
      { key: "length", value: String(content.byteLength) },
    ],
  };
}

export function attributeMessage(name: string, value: AttributeValue): onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if ("int" in value) return { name, i: value.int, type: AttributeType.INT };
  return { name, f: value.float, type: AttributeType.FLOAT };
}
