/** What random programs make of bools, bytes and NaN: nothing that rounding could decide. */
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import {
  broadcastTo,
  cast,
  concat,
  type Device,
  equal,
  gather,
  greater,
  isNaN,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  matmul,
  max,
  maximum,
  mul,
  pad,
  reshape,
  State,
  sigmoid,
  slice,
  softmax,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
} from "../../src/index.ts";
import { type Pick, picker, SIDES } from "./random-choice.ts";

/** Sizes that are multiples of four and not: bytes are packed by fours, and bools stored so. */
const LENGTHS = [1, 2, 3, 4, 5, 8, 13, 16, 33];
/** Values are kept below so many elements. */
const MOST = 3000;

/** Bools and bytes that a program keeps from call to call. */
export class ExactStates {
  readonly flags: State;
  readonly bytes: State;
  /** As indices of rows, and as a product's factors. */
  readonly rows: Tensor;

  constructor(
    readonly seed: number,
    readonly device: Device,
    readonly dtype: "f32" | "f64",
  ) {
    const pick = picker(seed, 4);
    const bits = Array.from({ length: SIDES[pick(SIDES.length)] }, () => pick(3) > 0);
    const [rows, columns] = [0, 1].map(() => LENGTHS[pick(LENGTHS.length)]);
    const bytes = Uint8Array.from({ length: rows * columns }, (_, i) => (i * 37 + seed) % 251);
    const indices = Int32Array.from({ length: 1 + pick(9) }, () => pick(rows));
    this.flags = new State(tensor(bits, { device }), { name: "flags" });
    this.bytes = new State(tensor(bytes, { shape: [rows, columns], device }), { name: "bytes" });
    this.rows = tensor(indices, { device });
  }

  get all(): readonly State[] {
    return [this.flags, this.bytes];
  }
}

/** One call of a program's exact part; every call makes the same choices. */
export class ExactBody {
  readonly #states: ExactStates;
  readonly #pick: Pick;
  readonly #bools: Tensor[];
  readonly #bytes: Tensor[];

  constructor(states: ExactStates) {
    this.#states = states;
    this.#pick = picker(states.seed, 5);
    this.#bools = [states.flags];
    this.#bytes = [states.bytes];
  }

  /** All values so far. */
  get values(): readonly Tensor[] {
    return [...this.#bools, ...this.#bytes];
  }

  /** Makes another bool and other bytes, of floats too. */
  next(x: Tensor): void {
    this.#bools.push(this.#bool(x));
    this.#bytes.push(this.#byte());
  }

  /** New values for some of the states. */
  updates(): [State, Tensor][] {
    const { flags, bytes } = this.#states;
    const pick = this.#pick;
    const pairs: [State, Tensor][] = [];
    if (pick(2) === 0) pairs.push([flags, spread(this.#anyOf(this.#bools), flags.shape)]);
    if (pick(2) === 0) pairs.push([bytes, spread(this.#anyOf(this.#bytes), bytes.shape)]);
    return pairs;
  }

  /** A bool, bytes, and a float with NaN among its elements. */
  results(x: Tensor): Tensor[] {
    return [this.#anyOf(this.#bools), this.#anyOf(this.#bytes), this.#spoiled(x)];
  }

  /** Floats of a shape that NaN and bytes went into. */
  float(x: Tensor): Tensor {
    if (this.#pick(2) === 0) {
      const { dtype } = this.#states;
      return mul(x, mul(cast(spread(this.#anyOf(this.#bytes), x.shape), dtype), 1 / 255));
    }
    const holes = this.#holes(x);
    return where(isNaN(holes), 0.5, maximum(holes, -1));
  }

  #anyOf(values: readonly Tensor[]): Tensor {
    return values[Math.max(0, values.length - 1 - this.#pick(3))];
  }

  #holes(x: Tensor): Tensor {
    const flags = spread(this.#anyOf(this.#bools), x.shape);
    const pick = this.#pick;
    return pick(2) === 0 ? where(flags, x, Number.NaN) : where(flags, mul(x, Number.NaN), x);
  }

  #spoiled(x: Tensor): Tensor {
    const holes = this.#holes(x);
    const pick = this.#pick;
    const plain = [() => holes, () => tanh(holes), () => mul(holes, sigmoid(x))];
    const alongRows = [
      () => softmax(holes),
      () => max(holes, { axis: 0 }),
      () => mul(sum(holes, { axis: -1, keepDims: true }), 1 / x.shape[x.rank - 1]),
    ];
    const products = [() => mul(matmul(holes, transpose(holes)), 1 / x.shape[x.rank - 1])];
    const forms = [
      ...plain,
      ...(x.rank > 0 ? alongRows : []),
      ...(x.rank === 2 && x.shape[0] <= 40 ? products : []),
    ];
    return forms[pick(forms.length)]();
  }

  #bool(x: Tensor): Tensor {
    const pick = this.#pick;
    const a = this.#anyOf(this.#bools);
    const b = spread(this.#anyOf(this.#bools), a.shape);
    const bytes = cast(this.#anyOf(this.#bytes), "i32");
    const forms = [
      () => logicalNot(a),
      () => logicalAnd(a, b),
      () => logicalOr(a, logicalNot(b)),
      () => where(a, b, logicalNot(b)),
      () => less(bytes, 100),
      () => equal(bytes, spread(cast(this.#anyOf(this.#bytes), "i32"), bytes.shape)),
      () => isNaN(this.#holes(x)),
      () => isNaN(this.#spoiled(x)),
      () => equal(this.#holes(x), x),
      () => this.#product(),
      () => moved(a, pick),
      () => moved(a, pick),
    ];
    return forms[pick(forms.length)]();
  }

  /** Bools behind a product of whole numbers, which is exact. */
  #product(): Tensor {
    const { bytes, dtype } = this.#states;
    const x = cast(bytes, dtype);
    return greater(matmul(x, transpose(x)), 128 * 128 * bytes.shape[1]);
  }

  #byte(): Tensor {
    const pick = this.#pick;
    const x = this.#anyOf(this.#bytes);
    const choice = pick(6);
    if (choice === 0) return gather(this.#states.bytes, this.#states.rows);
    if (choice > 1) return moved(x, pick);
    const other = this.#anyOf(this.#bytes);
    const both = concat([reshape(other, [other.size]), reshape(x, [x.size])]);
    return spread(both, x.shape);
  }
}

/** Repeats a value's elements, or cuts them off, to fill a shape. */
export function spread(x: Tensor, shape: Shape): Tensor {
  const n = sizeOf(shape);
  const times = Math.ceil(n / x.size);
  const repeated = broadcastTo(reshape(x, [1, x.size]), [times, x.size]);
  const all = reshape(repeated, [times * x.size]);
  return reshape(slice(all, [{ end: n }]), shape);
}

/** Moves a value's elements, one way or another. */
function moved(x: Tensor, pick: Pick): Tensor {
  if (x.rank === 0) return reshape(x, [1]);
  const k = pick(x.shape[0]);
  const forms = [
    () => reshape(x, [x.size]),
    () => slice(x, [{ start: k }]),
    () => concat([slice(x, [{ start: k }]), slice(x, [{ end: k }])]),
    () => (x.rank > 1 ? transpose(x) : slice(x, [{ step: -1 }])),
    () => (x.size < MOST ? concat([x, x]) : x),
    () => (x.size < MOST ? padded(x, [1, pick(3)]) : x),
    () => broadcastTo(slice(x, [{ start: k, end: k + 1 }]), x.shape),
  ];
  return forms[pick(forms.length)]();
}

/** Puts zeros before and behind a value's first axis, and one behind each other one. */
function padded(x: Tensor, first: readonly [number, number]): Tensor {
  const others = x.shape.slice(1).map(() => [0, 1] as const);
  return pad(x, [first, ...others]);
}
