import {
  add,
  concat,
  div,
  gather,
  matmul,
  mean,
  mul,
  ones,
  Parameter,
  randomNormal,
  reshape,
  sigmoid,
  slice,
  softmax,
  sqrt,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
  zeros,
} from "../../src/index.ts";
import { crossEntropy, meanSquaredError } from "../../src/losses/index.ts";
import { Dropout, GELU, Linear, Module, ReLU, Sequential } from "../../src/nn/index.ts";

/** A model made of equal parts, what it is trained on, and its loss. */
export interface Repeated {
  readonly model: Module;
  readonly batch: Readonly<Record<string, Tensor>>;
  loss(batch: Readonly<Record<string, Tensor>>): Tensor;
}

function ids(shape: readonly number[], below: number): Tensor {
  const { length } = new Uint8Array(shape.reduce((a, b) => a * b, 1));
  return tensor(
    Uint32Array.from({ length }, (_, i) => (i * 7 + 3) % below),
    { shape },
  );
}

/** Slice `t` of the second axis of [B, T, C], as [B, C]. */
function at(x: Tensor, t: number): Tensor {
  const part = slice(x, [{}, { start: t, end: t + 1 }]);
  return reshape(part, [x.shape[0], x.shape[2]]);
}

/** hₜ = tanh(xₜ·W + hₜ₋₁·U + b), or a gated unit (Cho et al. 2014), over as many steps as x has. */
class Recurrent extends Module {
  readonly input: Linear;
  readonly hidden: Linear;
  readonly output: Linear;

  constructor(
    features: number,
    readonly units: number,
    readonly gated: boolean,
  ) {
    super();
    const wide = gated ? 3 * units : units;
    this.input = new Linear(features, wide, { seed: 1 });
    this.hidden = new Linear(units, wide, { seed: 2, bias: false });
    this.output = new Linear(units, 1, { seed: 3 });
  }

  override forward(x: Tensor): Tensor {
    const [batch, steps] = x.shape;
    let h = zeros([batch, this.units]);
    for (let t = 0; t < steps; t++) h = this.step(at(x, t), h);
    return this.output.call(h);
  }

  step(x: Tensor, h: Tensor): Tensor {
    const [a, b] = [this.input.call(x), this.hidden.call(h)];
    if (!this.gated) return tanh(add(a, b));
    const part = (y: Tensor, i: number) =>
      slice(y, [{}, { start: i * this.units, end: (i + 1) * this.units }]);
    const z = sigmoid(add(part(a, 0), part(b, 0)));
    const r = sigmoid(add(part(a, 1), part(b, 1)));
    const candidate = tanh(add(part(a, 2), mul(r, part(b, 2))));
    return add(mul(z, h), mul(sub(1, z), candidate));
  }
}

/** An unrolled recurrent net of so many steps. */
export function recurrent(steps: number, gated = false): Repeated {
  const model = new Recurrent(6, 8, gated);
  const x = randomNormal([4, steps, 6], { seed: 5 });
  const y = randomNormal([4, 1], { seed: 6 });
  return { model, batch: { x, y }, loss: ({ x, y }) => meanSquaredError(model.call(x), y) };
}

class LayerNorm extends Module {
  readonly gain: Parameter;
  readonly bias: Parameter;

  constructor(size: number) {
    super();
    this.gain = new Parameter(ones([size]));
    this.bias = new Parameter(zeros([size]));
  }

  override forward(x: Tensor): Tensor {
    const centered = sub(x, mean(x, { axis: -1, keepDims: true }));
    const variance = mean(square(centered), { axis: -1, keepDims: true });
    return add(mul(div(centered, sqrt(add(variance, 1e-5))), this.gain), this.bias);
  }
}

/** softmax(Q·Kᵀ/√d + mask)·V in heads, which are slices of the channels. */
class Attention extends Module {
  readonly qkv: Linear;
  readonly out: Linear;

  constructor(
    readonly size: number,
    readonly heads: number,
    seed: number,
  ) {
    super();
    this.qkv = new Linear(size, 3 * size, { seed });
    this.out = new Linear(size, size, { seed: seed + 1 });
  }

  override forward(x: Tensor): Tensor {
    const { size, heads } = this;
    const [batch, length] = x.shape;
    const width = size / heads;
    const all = reshape(this.qkv.call(x), [batch, length, 3, heads, width]);
    const [q, k, v] = [0, 1, 2].map((i) => {
      const part = slice(all, [{}, {}, { start: i, end: i + 1 }]);
      return transpose(reshape(part, [batch, length, heads, width]), 1, 2);
    });
    const scores = mul(matmul(q, transpose(k, -2, -1)), 1 / Math.sqrt(width));
    const past = tensor(
      Array.from({ length: length * length }, (_, i) => i % length <= Math.floor(i / length)),
      { shape: [length, length] },
    );
    const weights = softmax(where(past, scores, Number.NEGATIVE_INFINITY));
    const y = transpose(matmul(weights, v), 1, 2);
    return this.out.call(reshape(y, [batch, length, size]));
  }
}

class Block extends Module {
  readonly first: LayerNorm;
  readonly attention: Attention;
  readonly second: LayerNorm;
  readonly mlp: Sequential;

  constructor(size: number, heads: number, seed: number) {
    super();
    this.first = new LayerNorm(size);
    this.attention = new Attention(size, heads, seed);
    this.second = new LayerNorm(size);
    this.mlp = new Sequential(
      new Linear(size, 4 * size, { seed: seed + 2 }),
      new GELU(),
      new Linear(4 * size, size, { seed: seed + 3 }),
    );
  }

  override forward(x: Tensor): Tensor {
    const y = add(x, this.attention.call(this.first.call(x)));
    return add(y, this.mlp.call(this.second.call(y)));
  }
}

class Gpt extends Module {
  readonly tokens: Parameter;
  readonly places: Parameter;
  readonly blocks: Block[];
  readonly norm: LayerNorm;
  readonly head: Linear;

  constructor(words: number, length: number, size: number, heads: number, blocks: number) {
    super();
    this.tokens = new Parameter(mul(randomNormal([words, size], { seed: 1 }), 0.02));
    this.places = new Parameter(mul(randomNormal([length, size], { seed: 2 }), 0.02));
    this.blocks = Array.from({ length: blocks }, (_, i) => new Block(size, heads, 10 * (i + 1)));
    this.norm = new LayerNorm(size);
    this.head = new Linear(size, words, { seed: 3, bias: false });
  }

  override forward(x: Tensor): Tensor {
    let y = add(gather(this.tokens, x), this.places);
    for (const block of this.blocks) y = block.call(y);
    return this.head.call(this.norm.call(y));
  }
}

/** A decoder of so many blocks (Radford et al. 2019), on [batch, length] words. */
export function gpt(
  blocks: number,
  { words = 64, length = 32, size = 64, heads = 4, batch = 4 } = {},
): Repeated {
  const model = new Gpt(words, length, size, heads, blocks);
  const x = ids([batch, length], words);
  const y = ids([batch * length], words);
  return {
    model,
    batch: { x, y },
    loss: ({ x, y }) => crossEntropy(reshape(model.call(x), [batch * length, words]), y),
  };
}

/** A net of so many equal hidden layers. */
export function perceptron(layers: number): Repeated {
  const hidden = Array.from({ length: layers }, (_, i) => [
    new Linear(16, 16, { seed: i }),
    new ReLU(),
  ]);
  const model = new Sequential(...hidden.flat(), new Linear(16, 4, { seed: layers }));
  const batch = { x: randomNormal([8, 16], { seed: 1 }), y: ids([8], 4) };
  return { model, batch, loss: ({ x, y }) => crossEntropy(model.call(x), y) };
}

/** Heads that are slices of one tensor, each with a product of its own, joined again. */
export function heads(count: number): Repeated {
  const model = new Linear(12, 8 * count, { seed: 1 });
  const own = new Linear(8, 8, { seed: 2 });
  const both = new Sequential(model, own);
  const batch = { x: randomNormal([4, 12], { seed: 3 }) };
  const loss = ({ x }: Readonly<Record<string, Tensor>>) => {
    const y = tanh(model.call(x));
    const parts = Array.from({ length: count }, (_, i) =>
      own.call(slice(y, [{}, { start: 8 * i, end: 8 * (i + 1) }])),
    );
    return mean(square(concat(parts, { axis: 1 })));
  };
  return { model: both, batch, loss };
}

/** Equal layers, each with masks drawn by a key of its own. */
export function dropouts(layers: number): Repeated {
  const all = Array.from({ length: layers }, (_, i) => [
    new Linear(8, 8, { seed: i }),
    new Dropout(0.2, { seed: 100 + i }),
  ]);
  const model = new Sequential(...all.flat());
  const batch = { x: randomNormal([4, 8], { seed: 1 }), y: randomNormal([4, 8], { seed: 2 }) };
  return { model, batch, loss: ({ x, y }) => meanSquaredError(model.call(x), y) };
}
