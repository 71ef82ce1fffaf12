import { ShapeError } from "../core/errors.ts";
import { foldIn, type Key } from "../core/random.ts";
import { sizeOf } from "../core/shape.ts";
import { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { einsum } from "../ops/einsum.ts";
import { embedding } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import { reshape } from "../ops/reshape.ts";
import type { PerAxis } from "../ops/sliding.ts";
import { ConvLayer } from "./conv.ts";
import { Embedding } from "./embedding.ts";
import { heUniform, type Initializer, normal, zerosInit } from "./init.ts";
import { Linear } from "./linear.ts";
import type { AnyModule } from "./module.ts";
import { matrices, type WithMatrices } from "./weight-in.ts";

/** A layer that can be adapted. */
export type Adaptable = Linear | ConvLayer | Embedding | (AnyModule & WithMatrices);

/** The parameters of an adapter, both of `rank` on one axis. */
export interface LoraPair {
  readonly a: Parameter;
  readonly b: Parameter;
}

/** How the adapter of a layer of one kind is made and used. */
interface LoraKind<L extends Adaptable> {
  /** The names of the weights that are adapted. */
  weights(layer: L): readonly string[];
  make(layer: L, rank: number, key: Key | undefined, name: string): LoraPair;
  /** What is added to the layer's output, before it is scaled; null where `delta` is added to weights at each call. */
  readonly apply:
    | ((layer: L, x: Tensor, pair: LoraPair, ...rest: readonly unknown[]) => Tensor)
    | null;
  /** What is added to a weight in its place. */
  delta(layer: L, pair: Readonly<Record<keyof LoraPair, Tensor>>): Tensor;
}

/** A parameter of a layer, or what is computed in its place. */
export function weightCalled(layer: Adaptable, name: string): Parameter {
  return (layer as unknown as Readonly<Record<string, Parameter>>)[name];
}

const weights = () => ["weight"];

/** Makes a parameter for a layer: its name here and in files of PEFT, and how its axes lie there. */
function parameter(
  { device, dtype }: Tensor,
  name: "loraA" | "loraB",
  theirs: string,
  axes: readonly number[] | undefined,
  init: Initializer,
  shape: readonly number[],
  fanIn: number,
  key: Key | undefined,
): Parameter {
  const own = key && foldIn(key, name === "loraA" ? 0 : 1);
  const drawn = init(shape, { fanIn, fanOut: 1, key: own, device, dtype });
  return new Parameter(drawn, { name, pytorch: { name: theirs, axes } });
}

const TRANSPOSED = [1, 0];

/** As PyTorch begins a linear layer: U[−a, a), a = 1 / √fanIn. */
const KAIMING = heUniform(Math.sqrt(5));

/** A · B beside a matrix `[n, m]`. */
function beside(
  weight: Tensor,
  rank: number,
  key: Key | undefined,
  [a, b]: readonly string[],
): LoraPair {
  const [n, m] = weight.shape;
  return {
    a: parameter(weight, "loraA", a, TRANSPOSED, KAIMING, [n, rank], n, key),
    b: parameter(weight, "loraB", b, TRANSPOSED, zerosInit, [rank, m], rank, key),
  };
}

const THEIRS = ["lora_A.weight", "lora_B.weight"];

const LINEAR: LoraKind<Linear> = {
  weights,
  make: ({ weight }, rank, key) => beside(weight, rank, key, THEIRS),
  apply: (_, x, { a, b }) => matmul(matmul(x, a), b),
  delta: (_, { a, b }) => matmul(a, b),
};

/** A layer's matrices, each with A · B of its own: by the name of the matrix where there are several. */
const MATRICES: LoraKind<AnyModule & WithMatrices> = {
  weights: (layer) => layer[matrices](),
  make(layer, rank, key, name) {
    const weight = weightCalled(layer, name);
    const theirs = weight.pytorch?.name ?? name;
    return beside(weight, rank, key, layer[matrices]().length > 1 ? [theirs, theirs] : THEIRS);
  },
  apply: null,
  delta: (_, { a, b }) => matmul(a, b),
};

const EMBEDDING: LoraKind<Embedding> = {
  weights,
  make({ weight, numEmbeddings: n, embeddingDim: m }, rank, key) {
    const [a, b] = ["lora_embedding_A", "lora_embedding_B"];
    return {
      a: parameter(weight, "loraA", a, TRANSPOSED, zerosInit, [n, rank], n, key),
      b: parameter(weight, "loraB", b, TRANSPOSED, normal(1), [rank, m], rank, key),
    };
  },
  apply({ paddingIndex, sparse }, ids, { a, b }) {
    return matmul(embedding(a, ids, { paddingIndex: paddingIndex ?? undefined, sparse }), b);
  },
  delta: (_, { a, b }) => matmul(a, b),
};

/** The first part is a convolution as the layer's, of `rank` outputs; the second mixes these. */
const CONV: LoraKind<ConvLayer> = {
  weights,
  make(layer, rank, key) {
    const { weight } = layer;
    const { inChannels, outChannels, kernelSize, groups, isTransposed } = layer;
    if (rank % groups !== 0) {
      throw new ShapeError(
        `addLora: rank ${rank} for a convolution of ${groups} groups; expected a multiple of ${groups}`,
      );
    }
    const [rows, columns] = isTransposed ? [inChannels, rank] : [rank, inChannels];
    const shape = [rows, columns / groups, ...kernelSize];
    const ones = kernelSize.map(() => 1);
    const fanIn = sizeOf(shape) / rows;
    const inner = rank / groups;
    const [a, b] = THEIRS;
    const mixed = [outChannels, inner, ...ones];
    return {
      a: parameter(weight, "loraA", a, undefined, KAIMING, shape, fanIn, key),
      b: parameter(weight, "loraB", b, undefined, zerosInit, mixed, inner, key),
    };
  },
  apply: (layer, x, { a, b }, outputSize) =>
    layer.mix(layer.convolve(x, a, null, outputSize as PerAxis | undefined), b),
  delta({ groups: g, isTransposed, weight }, { a, b }) {
    const [rows, columns, ...sizes] = a.shape;
    const split = reshape(a, [g, rows / g, columns, sizeOf(sizes)]);
    const mixing = reshape(b, [g, b.shape[0] / g, b.shape[1]]);
    // ΔW[g·o, i, k] = Σᵣ B[g·o, r] A[g·r, i, k]; of a transposed one ΔW[g·i, o, k] = Σᵣ A[g·i, r, k] B[g·o, r].
    const terms = isTransposed ? "girk,gor->giok" : "grik,gor->goik";
    return reshape(einsum(terms, split, mixing), weight.shape);
  },
};

/** How a layer is adapted; null where it cannot be. */
export function kindOfLora(layer: object): LoraKind<Adaptable> | null {
  if (layer instanceof Linear) return LINEAR as LoraKind<Adaptable>;
  if (layer instanceof Embedding) return EMBEDDING as LoraKind<Adaptable>;
  if (layer instanceof ConvLayer) return CONV as LoraKind<Adaptable>;
  return matrices in layer ? (MATRICES as unknown as LoraKind<Adaptable>) : null;
}
