/** Chains of ops drawn from the rows of the tables: whatever has a row is drawn. */
import { is } from "../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import {
  add,
  cast,
  type Device,
  evaluate,
  GradusError,
  grad,
  mul,
  setDefaultDevice,
  slice,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { type Call, draw, type Input, type OpCase } from "./op-case.ts";
import { type Pick, SIDES, wave } from "./random-choice.ts";
import { spread } from "./random-exact.ts";
import { randomMoves } from "./random-moves.ts";
import { generator } from "./reference.ts";

/** A chain is a number for each step, by which all its choices are made. */
export type Chain = readonly number[];

/** The most elements of a value. */
const MOST = 3000;

/** How many results, from the last, are compared. */
const LAST = 3;

/** By how much what ops are given is moved, to see how much of a result rounding decides. */
const NOISE = 2 ** -20;

/** Rows that find distances by a product, and lose all digits where points are one: drawn points are not. */
const OF_DISTANCES = ["pairwiseSquaredDistances", "tripletMined"];

/** A device, the dtype of floats there, and by which numbers what ops are given is moved, if it is. */
export interface Place {
  readonly device: Device;
  readonly float: "f32" | "f64";
  readonly noise?: number;
}

/** An input of a step: of a value's number, or drawn where that is null. */
interface Source extends Input {
  readonly value: number | null;
  readonly seed: number;
  /** Whether it may be moved a little: not where a step would go another way. */
  readonly isSmooth: boolean;
}

interface Choice {
  readonly run: Call["run"];
  readonly inputs: readonly Source[];
}

/** One step of a chain, with all that was chosen. */
interface Step extends Choice {
  /** What brings the result near [−1, 1]; null where it is not used further. */
  readonly scale: number | null;
}

/** A chain with its choices made: what each step computes, for people, and which leaves have slopes. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly targets: readonly number[];
  readonly texts: readonly string[];
}

/** Whether a step's inputs may be moved a little, and whether all are drawn. */
interface Kind {
  readonly isSmooth: boolean;
  readonly isApart: boolean;
}

function picking(seed: number): Pick {
  const next = generator(seed);
  return (n) => Math.floor(next() * n);
}

/** Gives a value a shape, by views of several kinds. */
function fitted(x: Tensor, shape: Shape, pick: Pick): Tensor {
  const isTurned = pick(3) === 0 && shape.length > 1;
  const source = pick(4) === 0 && x.rank > 0 ? randomMoves(x, pick) : x;
  const full = spread(source, isTurned ? shape.toReversed() : shape);
  const y = isTurned ? transpose(full) : full;
  return pick(4) === 0 && y.rank > 0 ? slice(y, [{ step: -1 }]) : y;
}

/** The values of a chain on one device, step by step. */
class Values {
  readonly leaves: Tensor[] = [];
  readonly results: Tensor[] = [];
  /** What steps are made of. */
  readonly pool: Tensor[] = [];

  constructor(readonly place: Place) {}

  run({ run, inputs }: Choice): Tensor {
    setDefaultDevice(this.place.device);
    return run(...inputs.map((input) => this.#input(input)));
  }

  keep(y: Tensor, scale: number | null): void {
    this.results.push(y);
    if (scale === null) return;
    this.pool.push(is(y.dtype, "float") ? mul(cast(y, this.place.float), scale) : y);
  }

  /** The last results, and the gradients of their weighted sum. */
  outcome(targets: readonly number[]): Tensor[] {
    const last = this.results.slice(-LAST);
    if (targets.length === 0) return last;
    const { device, float } = this.place;
    const terms = last
      .filter(({ dtype }) => is(dtype, "float"))
      .map((y, k) => sum(mul(cast(y, float), wave(y.shape, k, device, float))));
    const leaves = targets.map((i) => this.leaves[i]);
    return [
      ...last,
      ...grad(
        terms.reduce((a, b) => add(a, b)),
        leaves,
      ),
    ];
  }

  #input({ shape, dtype = "f32", low = -1, high = 1, ...from }: Source): Tensor {
    const { device, float } = this.place;
    const { value, seed, isSmooth } = from;
    if (value !== null) {
      const x = fitted(this.pool[value], shape, picking(seed));
      if (!is(x.dtype, "float")) return x;
      const isSame = low === -1 && high === 1;
      const y = isSame ? x : add(mul(x, (high - low) / 2), (high + low) / 2);
      return isSmooth ? this.#moved(y, seed) : y;
    }
    const [values] = draw({ inputs: [{ shape, dtype, low, high }], run: (x) => x }, seed);
    const isFloat = dtype === "f32";
    const x = tensor(values, { shape, device, dtype: isFloat ? float : dtype });
    if (isFloat) this.leaves.push(x);
    return isFloat && isSmooth ? this.#moved(x, seed) : x;
  }

  /** Multiplies by 1 and a little more or less. */
  #moved(x: Tensor, seed: number): Tensor {
    const { device, float, noise } = this.place;
    if (noise === undefined) return x;
    const next = generator(seed + noise);
    const factors = Float64Array.from({ length: x.size }, () => 1 + NOISE * (2 * next() - 1));
    return mul(x, tensor(factors, { shape: x.shape, device, dtype: float }));
  }
}

/** Makes a chain's choices, by what the specification gives in float64 and in float32. */
class Planner {
  readonly steps: Step[] = [];
  readonly texts: string[] = [];
  readonly #all: readonly Values[];
  /** Of each value of the pool: whether no rounding is in it, and its least and largest element. */
  readonly #facts: { isExact: boolean; least: number; largest: number }[] = [];

  constructor(
    readonly specification: Device,
    readonly rows: readonly (readonly [string, OpCase])[],
  ) {
    this.#all = (["f64", "f32"] as const).map((float) => {
      return new Values({ device: specification, float });
    });
  }

  async step(word: number): Promise<void> {
    const pick = picking(word);
    const [name, { calls, gradient }] = this.rows[pick(this.rows.length)];
    const call = calls[pick(calls.length)];
    if (!call || call.inputs.some(({ shape }) => sizeOf(shape) > MOST)) return;
    const sizes = new Map<number, number>();
    const resized = ({ shape }: Input) =>
      shape.map((n) => {
        if (n > 1 && !sizes.has(n)) sizes.set(n, SIDES[pick(SIDES.length)]);
        return sizes.get(n) ?? n;
      });
    const isApart = OF_DISTANCES.includes(name);
    const shapes = [call.inputs.map(({ shape }) => shape)];
    if (pick(2) === 0) shapes.unshift(call.inputs.map(resized));
    for (const own of shapes) {
      if (own.some((shape) => sizeOf(shape) > MOST)) continue;
      const inputs = call.inputs.map((input, i) =>
        this.#source({ ...input, shape: own[i] }, { isSmooth: gradient === true, isApart }, pick),
      );
      const isDone = await this.#try({ run: call.run, inputs });
      if (!isDone) continue;
      const text = inputs.map(
        ({ shape, value }) => `${value === null ? "" : `#${value} `}[${shape}]`,
      );
      this.texts.push(`${name} ${calls.indexOf(call) + 1}: ${text.join(", ")}`);
      return;
    }
  }

  #source(input: Input, { isSmooth, isApart }: Kind, pick: Pick): Source {
    const { dtype = "f32", shape, low = -1, high = 1 } = input;
    const [{ pool }] = this.#all;
    // Of what no rounding decides about, if the op goes by steps.
    const fits = (x: Tensor, i: number) => {
      const { isExact, least, largest } = this.#facts[i];
      if (dtype === "f32") return is(x.dtype, "float") && (isSmooth || isExact);
      return x.dtype === dtype && least >= low && largest < high;
    };
    const choices = pool.flatMap((x, i) => (x.size > 0 && fits(x, i) ? [i] : []));
    const isFresh = isApart || choices.length === 0 || sizeOf(shape) === 0 || pick(5) === 0;
    const value = isFresh ? null : (choices.at(-1 - pick(Math.min(3, choices.length))) as number);
    return { ...input, value, isSmooth, seed: pick(2 ** 31) };
  }

  /** Takes a step, unless the op or the specification refuses it. */
  async #try(choice: Choice): Promise<boolean> {
    const counts = this.#all.map(({ leaves }) => leaves.length);
    try {
      const results = this.#all.map((values) => values.run(choice));
      if (results[0].size > MOST) throw new GradusError("too large");
      evaluate(...results);
      const [exact, rounded] = await Promise.all(results.map((y) => y.data()));
      const isExact = exact.every((value, i) => Object.is(value, rounded[i]));
      const isWhole = !is(results[0].dtype, "float");
      const scale = isWhole ? (isExact ? 1 : null) : scaleOf(exact, rounded);
      this.#all.forEach((values, k) => {
        values.keep(results[k], scale);
      });
      if (scale !== null) {
        const [least, largest] = [Math.min(...exact), Math.max(...exact)];
        this.#facts.push({ isExact, least, largest });
      }
      this.steps.push({ ...choice, scale });
      return true;
    } catch (error) {
      if (!(error instanceof GradusError)) throw error;
      this.#all.forEach(({ leaves }, k) => {
        leaves.length = counts[k];
      });
      return false;
    }
  }
}

/** The power of two that brings numbers near [−1, 1]; null where some are not finite, or all small. */
function scaleOf(...all: readonly ArrayLike<number>[]): number | null {
  let largest = 0;
  for (const values of all) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) return null;
      largest = Math.max(largest, Math.abs(values[i]));
    }
  }
  return largest < 1e-4 ? null : 2 ** -Math.ceil(Math.log2(largest));
}

/** Computes what a plan's steps say. */
function built(steps: readonly Step[], place: Place): Values {
  const values = new Values(place);
  for (const step of steps) values.keep(values.run(step), step.scale);
  return values;
}

/** Which leaves the last results have gradients for: a few of them. */
function targetsOf(steps: readonly Step[], specification: Device): number[] {
  const values = built(steps, { device: specification, float: "f64" });
  const hasGradient = (i: number) => {
    try {
      return values.outcome([i]).length > 0;
    } catch (error) {
      if (error instanceof GradusError) return false;
      throw error;
    }
  };
  if (!values.results.slice(-LAST).some(({ dtype }) => is(dtype, "float"))) return [];
  const all = [...values.leaves.keys()].filter((i) => values.leaves[i].size > 0);
  return all.filter(hasGradient).slice(-4);
}

/** Makes the choices of a chain, of the rows that are given. */
export async function planOf(
  chain: Chain,
  specification: Device,
  rows: readonly (readonly [string, OpCase])[] = tables,
): Promise<Plan> {
  const planner = new Planner(specification, rows);
  for (const word of chain) await planner.step(word);
  const { steps, texts } = planner;
  return { steps, texts, targets: targetsOf(steps, specification) };
}

/** What a plan gives on a device: its last results and gradients, in one graph. */
export async function valuesOf({ steps, targets }: Plan, place: Place) {
  const all = built(steps, place).outcome(targets);
  evaluate(...all);
  return Promise.all(all.map((y) => y.data()));
}

/**
 * Says where a device gives something else than the specification in float64; "" where it does not.
 * What may differ is told by the specification with a little noise on what each op is given. A test of
 * this function has the device follow a plan of its `own`.
 */
export async function chainDifference(
  plan: Plan,
  device: Device,
  specification: Device,
  own = plan,
): Promise<string> {
  if (plan.steps.length === 0) return "";
  const exact: Place = { device: specification, float: "f64" };
  const wanted = await valuesOf(plan, exact);
  const rounded = await valuesOf(plan, { device: specification, float: "f32" });
  const noisy = [];
  for (let noise = 1; noise <= 4; noise++) noisy.push(await valuesOf(plan, { ...exact, noise }));
  const found = await valuesOf(own, { device, float: "f32" });
  for (const [k, want] of wanted.entries()) {
    // Digits that are lost within an op, as by 1 − p, no noise on its inputs tells.
    const least = 1e-6 + 1e-4 * Math.max(0, ...Array.from(want, (x) => Math.abs(x) || 0));
    for (let i = 0; i < want.length; i++) {
      const others = [rounded, ...noisy].map((all) => all[k][i]);
      const isSame = Object.is(found[k][i], Math.fround(want[i]));
      if (isSame || !others.every(Number.isFinite)) continue;
      const change = Math.max(...others.map((other) => Math.abs(other - want[i])));
      const allowed = least + 4 * change;
      if (Math.abs(found[k][i] - want[i]) <= allowed) continue;
      return `result ${k} [${i}]: ${found[k][i]}; expected ${want[i]} ± ${allowed}`;
    }
  }
  return "";
}
