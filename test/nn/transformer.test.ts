import { beforeAll, describe, expect, test } from "vitest";
import {
  type Device,
  type DType,
  evaluate,
  grad,
  mul,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  type AnyModule,
  loadState,
  MultiheadAttention,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "../../src/nn/index.ts";
import golden from "../fixtures/attention.json";
import { expectWithin } from "../support/close.ts";
import { testDevice } from "../support/device.ts";

/** What PyTorch gives; test/fixtures/attention.py makes it. */
interface Golden {
  name: string;
  inputs: Record<string, { shape: number[]; data: number[] }>;
  state: Record<string, { shape: number[]; data: number[] }>;
  w: number[];
  y: number[];
  weights: number[] | null;
  gradients: Record<string, number[]>;
}

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** A case of PyTorch here: the module, and how it is called. */
interface Case {
  make(dtype: DType): AnyModule;
  run(model: AnyModule, inputs: Tensor[]): Tensor | [y: Tensor, weights: Tensor];
}

/** Sees to the types of a case. */
function of<M extends AnyModule>(
  make: (dtype: DType) => M,
  run: (model: M, inputs: Tensor[]) => Tensor | [y: Tensor, weights: Tensor],
): Case {
  return { make, run: run as Case["run"] };
}

const layer = { dimFeedforward: 6, dropout: 0, seed: 1 };
const keyPaddingMask = () => tensor([false, false, true, false, false, false], { shape: [2, 3] });

const CASES: Record<string, Case> = {
  self: of(
    (dtype) => new MultiheadAttention(4, 2, { dtype }),
    (m, [x]) => m.withWeights(x),
  ),
  causal: of(
    (dtype) => new MultiheadAttention(4, 2, { bias: false, dtype }),
    (m, [x]) => m.withWeights(x, { causal: true, averageWeights: false }),
  ),
  memory: of(
    (dtype) => new MultiheadAttention(4, 2, { dtype }),
    (m, [x, y]) => m.withWeights(x, y, { keyPaddingMask: keyPaddingMask() }),
  ),
  sizes: of(
    (dtype) =>
      new MultiheadAttention(4, 2, { kdim: 3, vdim: 5, addBiasKv: true, addZeroAttn: true, dtype }),
    (m, [x, y, z]) => m.withWeights(x, y, z, { keyPaddingMask: keyPaddingMask() }),
  ),
  "encoder layer": of(
    (dtype) => new TransformerEncoderLayer(4, 2, { ...layer, dtype }),
    (m, [x]) => m.call(x, { keyPaddingMask: keyPaddingMask() }),
  ),
  "encoder layer, gelu, norm first, causal": of(
    (dtype) => {
      const more = { activation: "gelu", normFirst: true, layerNormEps: 1e-3 } as const;
      return new TransformerEncoderLayer(4, 2, { ...layer, ...more, dtype });
    },
    (m, [x]) => m.call(x, { causal: true }),
  ),
  "decoder layer": of(
    (dtype) => new TransformerDecoderLayer(4, 2, { ...layer, dtype }),
    (m, [x, memory]) => m.call(x, memory, { causal: true, memoryKeyPaddingMask: keyPaddingMask() }),
  ),
  "decoder layer, norm first": of(
    (dtype) => {
      const more = { activation: "gelu", normFirst: true } as const;
      return new TransformerDecoderLayer(4, 2, { ...layer, ...more, dtype });
    },
    (m, [x, memory]) => m.call(x, memory, { causal: true }),
  ),
  transformer: of(
    (dtype) => {
      const sizes = { dModel: 4, numHeads: 2, numEncoderLayers: 1, numDecoderLayers: 1 };
      return new Transformer({ ...layer, ...sizes, dtype });
    },
    (m, [x, y]) => m.call(x, y, { tgtCausal: true, srcKeyPaddingMask: keyPaddingMask() }),
  ),
  "time first: sizes": of(
    (dtype) => {
      const more = { kdim: 3, vdim: 5, addBiasKv: true, addZeroAttn: true, batchFirst: false };
      return new MultiheadAttention(4, 2, { ...more, dtype });
    },
    (m, [x, y, z]) => m.withWeights(x, y, z, { keyPaddingMask: keyPaddingMask() }),
  ),
  "time first: one sequence": of(
    (dtype) => new MultiheadAttention(4, 2, { batchFirst: false, dtype }),
    (m, [x, y]) => m.withWeights(x, y),
  ),
  "time first: encoder": of(
    (dtype) => {
      const own = { ...layer, batchFirst: false, dtype };
      return new TransformerEncoder(() => new TransformerEncoderLayer(4, 2, own), 2);
    },
    (m, [x]) => m.call(x, { causal: true, keyPaddingMask: keyPaddingMask() }),
  ),
  "time first: decoder": of(
    (dtype) => {
      const own = { ...layer, batchFirst: false, dtype };
      return new TransformerDecoder(() => new TransformerDecoderLayer(4, 2, own), 1);
    },
    (m, [x, memory]) => m.call(x, memory, { memoryKeyPaddingMask: keyPaddingMask() }),
  ),
  "time first: transformer": of(
    (dtype) => {
      const sizes = { dModel: 4, numHeads: 2, numEncoderLayers: 1, numDecoderLayers: 1 };
      return new Transformer({ ...layer, ...sizes, batchFirst: false, dtype });
    },
    (m, [x, y]) => m.call(x, y, { tgtCausal: true, srcKeyPaddingMask: keyPaddingMask() }),
  ),
};

/** Loads PyTorch's weights, and gives the result, weights of attention and all gradients by name there. */
async function outcome({ make, run }: Case, given: Golden, dtype: DType) {
  const own = { dtype, device };
  const place = ({ shape, data }: { shape: number[]; data: number[] }) =>
    tensor(data, { ...own, shape });
  const model = make(dtype).train();
  const theirs = new Map(Object.entries(given.state).map(([name, x]) => [name, place(x)]));
  loadState(model as never, theirs, { from: "pytorch" });
  const inputs = Object.values(given.inputs).map(place);
  const result = run(model, inputs);
  const [y, weights] = Array.isArray(result) ? result : [result];
  const w = tensor(given.w, { ...own, shape: y.shape });
  const parameters = (model as MultiheadAttention).parameters();
  const gradients = grad(sum(mul(y, w)), [...inputs, ...parameters]);
  // A gradient lies as its weight does: PyTorch's order of axes is the transpose.
  const names = [...Object.keys(given.inputs), ...(await namesThere(model))];
  const inOrder = gradients.map((g, i) => {
    return i >= inputs.length && parameters[i - inputs.length].pytorch?.axes ? g.transpose() : g;
  });
  evaluate(y, ...(weights ? [weights] : []), ...inOrder);
  return {
    y: await y.data(),
    weights: weights && (await weights.data()),
    gradients: new Map(
      await Promise.all(inOrder.map(async (g, i) => [names[i], await g.data()] as const)),
    ),
  };
}

/** The names of a model's parameters in PyTorch. */
async function namesThere(model: AnyModule): Promise<string[]> {
  const { saveSafetensors, readSafetensors } = await import("../../src/io/index.ts");
  const bytes = await saveSafetensors(model as never, {}, { to: "pytorch" });
  const there = [...readSafetensors(bytes).tensors.keys()];
  const inOrder = [...(model as MultiheadAttention).namedParameters().keys()].map((name) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  expect([...there].sort()).toEqual([...inOrder].sort());
  return inOrder;
}

describe("layers give what PyTorch's give, and their gradients", () => {
  const all = golden as unknown as Golden[];
  test("no case is left out", () => {
    expect(Object.keys(CASES)).toEqual(all.map(({ name }) => name));
  });

  for (const given of all) {
    test(given.name, async () => {
      for (const dtype of ["f64", "f32"] as const) {
        if (!device.dtypes.has(dtype)) continue;
        const found = await outcome(CASES[given.name], given, dtype);
        const within = dtype === "f64" ? 1e-8 : 1e-5;
        const near = (x: ArrayLike<number>, expected: readonly number[]) =>
          expectWithin(x, expected, (value) => within * (1 + Math.abs(value)));
        near(found.y, given.y);
        expect(found.weights === undefined).toBe(given.weights === null);
        if (found.weights && given.weights) near(found.weights, given.weights);
        expect([...found.gradients.keys()].sort()).toEqual(Object.keys(given.gradients).sort());
        for (const [name, g] of found.gradients) near(g, given.gradients[name]);
      }
    });
  }
});
