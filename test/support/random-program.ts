import { type Shape, sizeOf } from "../../src/core/shape.ts";
import {
  abs,
  add,
  argmax,
  assignAll,
  broadcastTo,
  cast,
  concat,
  type Device,
  evaluate,
  exp,
  full,
  gather,
  grad,
  greater,
  logSumExp,
  matmul,
  max,
  mean,
  mul,
  pad,
  permute,
  reshape,
  State,
  sigmoid,
  slice,
  softmax,
  square,
  stopGradient,
  sub,
  sum,
  sumTo,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
  writeAt,
} from "../../src/index.ts";
import { type Pick, picker, type RandomProgram, SIDES, wave } from "./random-choice.ts";
import { ExactBody, ExactStates, spread } from "./random-exact.ts";
import { randomTraining } from "./random-training.ts";

/**
 * Makes a random program on a device: some states of random shapes and dtypes, bools and bytes
 * among them, and a body that reads them through views, assigns some of them, and returns some
 * values, one with NaN among its elements. Numbers stay of order 1, and everything that rounding
 * could decide is computed from whole numbers.
 */
export function randomProgram(seed: number, device: Device, dtype: "f32" | "f64"): RandomProgram {
  return seed % 5 === 4 ? randomTraining(seed, device, dtype) : new Maker(seed, device, dtype);
}

class Maker implements RandomProgram {
  readonly states: readonly State[];
  readonly floats: readonly State[];
  readonly counter: State;
  readonly rows: State;
  readonly ring: State;
  readonly exact: ExactStates;
  readonly shapes: Shape[];
  readonly constant: Tensor;

  constructor(
    readonly seed: number,
    readonly device: Device,
    readonly dtype: "f32" | "f64",
  ) {
    const pick = picker(seed, 1);
    const sides = [0, 1, 2].map(() => SIDES[pick(SIDES.length)]);
    const side = () => sides[pick(3)];
    const shape = (): Shape => {
      for (;;) {
        const found = Array.from({ length: [0, 1, 2, 2, 2, 3][pick(6)] }, side);
        if (sizeOf(found) <= 6000) return found;
      }
    };
    this.shapes = Array.from({ length: 5 }, shape);
    this.floats = Array.from({ length: 2 + pick(2) }, (_, i) => {
      return new State(wave(this.shapes[pick(4)], i + seed, device, dtype), { name: `s${i}` });
    });
    const whole = (values: number[], kind: "u32" | "i32", of: number[]) =>
      new State(tensor(values, { shape: of, device, dtype: kind }), { name: kind });
    this.counter = whole([pick(9)], "u32", []);
    const count = 1 + pick(20);
    this.rows = whole(
      Array.from({ length: count }, () => pick(200)),
      "i32",
      [count],
    );
    this.ring = new State(wave([1 + pick(9)], seed, device, dtype), { name: "ring" });
    this.constant = wave(shape(), 0.5, device, dtype);
    this.exact = new ExactStates(seed, device, dtype);
    this.states = [...this.floats, this.counter, this.rows, this.ring, ...this.exact.all];
  }

  inputs(call: number): [Tensor, Tensor] {
    const [, , , x, y] = this.shapes;
    const { device, dtype } = this;
    return [wave(x, call, device, dtype), wave(y, call + 10, device, dtype)];
  }

  readonly body = (x: Tensor, y: Tensor): Tensor[] => new Body(this, x, y).run();
}

/** One call of a random program; every call makes the same choices. */
class Body {
  readonly #values: Tensor[];
  readonly #given: Tensor[];
  readonly #exact: ExactBody;
  readonly #pick: Pick;

  constructor(
    readonly maker: Maker,
    x: Tensor,
    y: Tensor,
  ) {
    this.#pick = picker(maker.seed, 2);
    this.#exact = new ExactBody(maker.exact);
    this.#values = [x, y, maker.constant, ...maker.floats];
    this.#given = [x, y];
  }

  run(): Tensor[] {
    const pick = this.#pick;
    for (let k = 1 + pick(3); k > 0; k--) {
      for (let i = 2 + pick(6); i > 0; i--) this.#values.push(this.#next());
      for (let i = pick(3); i > 0; i--) this.#exact.next(this.#any());
      if (pick(2) === 0) this.#values.push(this.#exact.float(this.#any()));
      this.#assign();
    }
    for (let i = pick(4); i > 0; i--) this.#values.push(this.#next());
    const results = Array.from({ length: 1 + pick(3) }, () => this.#result());
    return [...results, ...this.#exact.results(this.#any())];
  }

  #any(): Tensor {
    const { floats } = this.maker;
    const pick = this.#pick;
    if (pick(3) === 0) return floats[pick(floats.length)];
    return this.#values[Math.max(0, this.#values.length - 1 - pick(5))];
  }

  #result(): Tensor {
    const { states } = this.maker;
    const pick = this.#pick;
    const choice = pick(8);
    if (choice === 0) return states[pick(states.length)];
    if (choice === 1) return this.#given[pick(2)];
    return this.#any();
  }

  #shape(): Shape {
    return this.maker.shapes[this.#pick(5)];
  }

  /** Gives a value another shape, one way or another. */
  #fit(x: Tensor, shape: Shape): Tensor {
    const pick = this.#pick;
    const same = x.rank === shape.length && x.shape.every((n, i) => n === shape[i]);
    if (same && pick(4) > 0) return x;
    const n = sizeOf(shape);
    const offset = shape.length - x.rank;
    const spreads = offset >= 0 && x.shape.every((m, i) => m === 1 || m === shape[offset + i]);
    if (spreads) return broadcastTo(x, shape);
    if (x.rank >= 2 && pick(2) === 0) return this.#fit(transpose(x), shape);
    if (x.size === n) return reshape(x, shape);
    const shrinks = offset <= 0 && shape.every((m, i) => m === 1 || m === x.shape[i - offset]);
    if (shrinks && pick(2) === 0) return mul(sumTo(x, shape), n / x.size);
    const flat = reshape(x, [x.size]);
    if (x.size > n) {
      const start = pick(x.size - n + 1);
      return reshape(slice(flat, [{ start, end: start + n }]), shape);
    }
    if (pick(2) === 0) return broadcastTo(mean(x), shape);
    const before = pick(n - x.size + 1);
    return reshape(pad(flat, [[before, n - x.size - before]], { value: 0.25 }), shape);
  }

  #next(): Tensor {
    const pick = this.#pick;
    const x = this.#any();
    switch (pick(20)) {
      case 0:
        return tanh(x);
      case 1:
        return mul(sigmoid(x), 1.5);
      case 2:
        return exp(sub(tanh(x), 1));
      case 3:
        return tanh(add(x, this.#fit(this.#any(), x.shape)));
      case 4:
        return mul(x, sigmoid(this.#fit(this.#any(), x.shape)));
      case 5: {
        const y = this.#fit(x, this.#shape());
        return sub(y, mul(this.#fit(this.#any(), y.shape), 0.5));
      }
      case 6:
      case 7:
      case 8:
        return this.#product(x, this.#any());
      case 9:
        return x.rank > 0 && x.size > 0 ? softmax(x, { axis: pick(x.rank) }) : square(x);
      case 10:
        return this.#reduced(x);
      case 11:
        return x.rank >= 2 ? transpose(x) : abs(x);
      case 12:
        return x.rank === 3 ? permute(x, [2, 0, 1]) : this.#fit(x, this.#shape());
      case 13:
        return this.#rolled(x);
      case 14:
        return this.#chosen(x, this.#fit(this.#any(), x.shape));
      case 15:
        return this.#gathered(x);
      case 16:
        return this.#counted(x);
      case 17: {
        const { floats } = this.maker;
        const s = floats[pick(floats.length)];
        // What was computed before a state was assigned is a constant where nothing is traced.
        const given = stopGradient(x);
        const product = this.#product(tanh(s), given);
        const loss = add(mean(square(product)), mean(square(add(this.#fit(s, x.shape), given))));
        return mul(grad(loss, [s])[0], s.size / 2);
      }
      case 18:
        return full(this.#shape(), 0.5, { device: this.maker.device, dtype: this.maker.dtype });
      default:
        return this.#fit(x, this.#shape());
    }
  }

  #product(x: Tensor, y: Tensor): Tensor {
    const sides = this.maker.shapes.flat().filter((n) => n <= 40);
    const pick = this.#pick;
    const side = () => (sides.length > 0 ? sides[pick(sides.length)] : 3);
    const left = x.rank >= 2 ? x : this.#fit(x, [side(), side()]);
    const k = left.shape[left.rank - 1];
    const right = this.#fit(
      y,
      y.rank > 0 && y.shape[0] === k && y.rank === 2 ? y.shape : [k, side()],
    );
    const product = mul(matmul(left, right), 1 / Math.max(1, Math.sqrt(k)));
    return [product, tanh(product), tanh(add(product, 0.5))][pick(3)];
  }

  #reduced(x: Tensor): Tensor {
    const pick = this.#pick;
    if (x.rank === 0) return tanh(x);
    const axis = pick(x.rank);
    const keepDims = pick(2) === 0;
    const reductions = [
      () => mul(sum(x, { axis, keepDims }), 1 / x.shape[axis]),
      () => max(x, { axis, keepDims }),
      () => mul(logSumExp(x, { axis, keepDims }), 0.2),
      () => mean(x, { axis, keepDims }),
      () => mean(square(x)),
    ];
    return reductions[pick(reductions.length)]();
  }

  #rolled(x: Tensor): Tensor {
    if (x.rank === 0 || x.shape[0] < 2) return mul(x, 1);
    const k = 1 + this.#pick(x.shape[0] - 1);
    return concat([slice(x, [{ start: k }]), slice(x, [{ end: k }])]);
  }

  #chosen(x: Tensor, y: Tensor): Tensor {
    const { rows, device } = this.maker;
    const by = this.#pick(2) === 0 ? rows : tensor([50, 150], { dtype: "i32", device });
    const flags = greater(by, tensor(100, { dtype: "i32", device }));
    return where(spread(flags, x.shape), x, y);
  }

  #gathered(x: Tensor): Tensor {
    if (x.rank === 0) return sigmoid(x);
    const n = x.shape[0];
    const index = argmax(this.#remainders(n), { axis: 1 });
    return gather(x, index);
  }

  /** One-hot rows of the whole numbers modulo n, made of comparisons. */
  #remainders(n: number): Tensor {
    const { rows, device, dtype } = this.maker;
    const columns = tensor(
      Float32Array.from({ length: n }, (_, i) => (i * 37) % 11),
      { device, dtype },
    );
    const scaled = mul(cast(reshape(rows, [rows.size, 1]), dtype), 1 / 4);
    return sub(0, square(sub(scaled, columns)));
  }

  #counted(x: Tensor): Tensor {
    const { counter, dtype } = this.maker;
    return mul(x, sigmoid(mul(cast(counter, dtype), 0.25)));
  }

  /** Assigns some states. Values are evaluated before, which a trace leaves to its plan. */
  #assign(): void {
    const { floats, counter, rows, ring, device } = this.maker;
    const pick = this.#pick;
    const pairs: [State, Tensor][] = [];
    const value = (s: State): Tensor => {
      const source = this.#fit(this.#any(), s.shape);
      const choice = pick(7);
      if (choice === 0) return floats.find((o) => o !== s && `${o.shape}` === `${s.shape}`) ?? s;
      if (choice === 1) return this.#fit(this.#rolled(s), s.shape);
      if (choice === 2 && s.rank >= 2) return this.#fit(transpose(s), s.shape);
      if (choice === 3) return add(mul(s, 0.9), mul(tanh(source), 0.1));
      if (choice === 4) return source;
      return tanh(source);
    };
    for (const s of floats) if (pick(3) > 0) pairs.push([s, value(s)]);
    if (pick(3) === 0 && pairs.length > 1 && `${pairs[0][0].shape}` === `${pairs[1][0].shape}`) {
      pairs[1] = [pairs[1][0], pick(2) === 0 ? pairs[0][1] : pairs[0][0]];
    }
    if (pick(2) === 0) {
      const scalar = this.#fit(this.#any(), []);
      pairs.push([ring, writeAt(ring, counter, pick(2) === 0 ? scalar : tanh(scalar))]);
    }
    if (pick(2) === 0) pairs.push([counter, add(counter, 1)]);
    if (pick(4) === 0) {
      const rolled = this.#rolled(rows);
      const next = rolled.dtype === "i32" ? add(rolled, 3) : rows;
      pairs.push([rows, where(greater(next, 190), tensor(0, { dtype: "i32", device }), next)]);
    }
    pairs.push(...this.#exact.updates());
    const all = [...this.#values, ...this.#exact.values];
    evaluate(...all, ...pairs.map(([, next]) => next));
    if (pick(2) === 0) assignAll(pairs);
    else
      for (const [state, next] of pairs) {
        evaluate(...all);
        state.assign(next);
      }
  }
}
