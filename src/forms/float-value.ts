import type { Body } from "./indices.ts";
import type { ElementContext, PointwiseForm } from "./pointwise.ts";
import type { Operations, Scalars } from "./scalars.ts";

/** A value of a formula, or a number. */
type Operand<V> = FloatValue<V> | number;

/**
 * A float in a formula of many steps, or a bool, whatever that is on a device. Each step is computed
 * once, however often it is used.
 */
export class FloatValue<V> {
  constructor(
    readonly body: Body<V>,
    readonly m: Scalars<V>,
    readonly value: V,
  ) {}

  /** A number beside this one. */
  number(value: number): FloatValue<V> {
    return new FloatValue(this.body, this.m, this.m.literal(value));
  }

  /** An operation on this value and others. */
  call(name: keyof Operations<V>, ...others: readonly Operand<V>[]): FloatValue<V> {
    const call = this.m.call as (name: keyof Operations<V>, ...values: V[]) => V;
    const values = others.map((x) => (typeof x === "number" ? this.m.literal(x) : x.value));
    return new FloatValue(this.body, this.m, this.body.bind(call(name, this.value, ...values)));
  }

  plus(x: Operand<V>): FloatValue<V> {
    return this.call("+", x);
  }

  minus(x: Operand<V>): FloatValue<V> {
    return this.call("-", x);
  }

  times(x: Operand<V>): FloatValue<V> {
    return this.call("*", x);
  }

  over(x: Operand<V>): FloatValue<V> {
    return this.call("/", x);
  }

  /** 1 / x */
  inverse(): FloatValue<V> {
    return this.number(1).over(this);
  }

  negative(): FloatValue<V> {
    return this.call("-");
  }

  abs(): FloatValue<V> {
    return this.call("abs");
  }

  below(x: Operand<V>): FloatValue<V> {
    return this.call("<", x);
  }

  above(x: Operand<V>): FloatValue<V> {
    return this.call(">", x);
  }

  equals(x: Operand<V>): FloatValue<V> {
    return this.call("==", x);
  }

  /** Of this bool: which of two values. */
  choose(yes: Operand<V>, no: Operand<V>): FloatValue<V> {
    const value = (x: Operand<V>) => (typeof x === "number" ? this.number(x) : x);
    return value(no).call("select", yes, this);
  }

  /** Whether it is below 0 or −0. */
  hasMinus(): FloatValue<V> {
    return this.number(1).call("g_copysign", this).below(0);
  }

  isInfinite(): FloatValue<V> {
    return this.call("g_is_finite").call("|", this.call("g_is_nan")).call("!");
  }

  /** Σ cᵢ xⁱ, with the coefficient of the highest power first. */
  polynomial([first, ...rest]: readonly number[]): FloatValue<V> {
    return rest.reduce((sum, c) => sum.call("fma", this, c), this.number(first));
  }

  /** xⁿ for a whole n from 1. */
  power(n: number): FloatValue<V> {
    if (n === 1) return this;
    const half = this.power(Math.floor(n / 2));
    const square = half.times(half);
    return n % 2 === 0 ? square : square.times(this);
  }
}

/** A formula of so many steps that what is used several times must be computed once. */
export interface Steps {
  readonly element: PointwiseForm<unknown>["element"];
}

/** The elements of an op's inputs, of one dtype, as values of a formula. */
export function floatsOf<V>(context: ElementContext<unknown, V>): FloatValue<V>[] {
  const { at, load, inputs, scalars } = context;
  const m = scalars(inputs[0].dtype);
  return inputs.map((_, i) => new FloatValue(at.body, m, load(i, at)));
}

/** Has the elements of an op be made of those of its inputs in steps. */
/* @__NO_SIDE_EFFECTS__ */
export function steps(formula: <V>(...x: FloatValue<V>[]) => FloatValue<V>): Steps {
  return { element: (context) => formula(...floatsOf(context)).value };
}
