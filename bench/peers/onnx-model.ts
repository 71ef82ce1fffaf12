import { initialLayers, type Network } from "../workloads/networks.ts";

/*
 * A small writer of ONNX models. Field numbers are those of onnx.proto3 (ModelProto, GraphProto,
 * NodeProto, TensorProto, ValueInfoProto); the encoding is that of Protocol Buffers: a field is a
 * varint of (number << 3 | wire type), then a varint (type 0) or a length and bytes (type 2).
 */

type Bytes = readonly number[] | Uint8Array;

const FLOAT = 1; // TensorProto.DataType.FLOAT
const OPSET = 13;
const IR_VERSION = 7;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function concat(parts: readonly Bytes[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A whole number in a field. */
function int(field: number, value: number): Uint8Array {
  return concat([varint(field * 8), varint(value)]);
}

/** Bytes, text or a nested message in a field. */
function bytes(field: number, content: Bytes | string): Uint8Array {
  const body = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return concat([varint(field * 8 + 2), varint(body.length), body]);
}

function message(field: number, ...fields: readonly Uint8Array[]): Uint8Array {
  return bytes(field, concat(fields));
}

/** A constant operand; `raw_data` is little-endian. */
function initializer(name: string, shape: readonly number[], values: Float32Array): Uint8Array {
  const raw = new Uint8Array(values.length * 4);
  const view = new DataView(raw.buffer);
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  const dims = shape.map((size) => int(1, size));
  return message(5, ...dims, int(2, FLOAT), bytes(8, name), bytes(9, raw));
}

function node(op: string, inputs: readonly string[], output: string): Uint8Array {
  return message(1, ...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, op));
}

/** An input (field 11) or output (field 12) of the graph. */
function value(field: number, name: string, shape: readonly number[]): Uint8Array {
  const dims = message(2, ...shape.map((size) => message(1, int(1, size))));
  const type = message(2, message(1, int(1, FLOAT), dims));
  return message(field, bytes(1, name), type);
}

/** Encodes a network with its initial weights as an ONNX model: `images` in, `logits` out. */
export function encodeOnnx(network: Network): Uint8Array {
  const { batchSize, sizes, activation } = network;
  const layers = initialLayers(network);
  const nodes: Uint8Array[] = [];
  const constants: Uint8Array[] = [];
  let x = "images";
  layers.forEach(({ inputs, outputs, weight, bias }, i) => {
    const isLast = i === layers.length - 1;
    const z = isLast ? "logits" : `z${i}`;
    constants.push(initializer(`w${i}`, [inputs, outputs], weight));
    constants.push(initializer(`b${i}`, [outputs], bias));
    nodes.push(node("Gemm", [x, `w${i}`, `b${i}`], z));
    if (!isLast) nodes.push(node(activation === "relu" ? "Relu" : "Sigmoid", [z], `h${i}`));
    x = `h${i}`;
  });
  const graph = message(
    7,
    ...nodes,
    bytes(2, "network"),
    ...constants,
    value(11, "images", [batchSize, sizes[0]]),
    value(12, "logits", [batchSize, sizes[sizes.length - 1]]),
  );
  return concat([int(1, IR_VERSION), graph, message(8, int(2, OPSET))]);
}
