import { type Shape, sameShape, stridesOf } from "../core/shape.ts";

/** Where WGSL expressions are collected: equal ones are bound to one name. */
export interface Body {
  bind(expression: string): string;
  /** Binds what `write` gives, the first time that `key` is asked for. */
  once(key: string, write: () => string): string;
}

const LITERAL = /^(⟨?)(\d+)(u⟩?)$/;

/** Writes `a + b` of u32 expressions, folding zeros. */
export function plus(a: string, b: string): string {
  if (a === "0u") return b;
  if (b === "0u") return a;
  return `(${a} + ${b})`;
}

/** Writes `a * n` of a u32 expression and a literal. */
export function times(a: string, n: number): string {
  if (n === 0 || a === "0u") return "0u";
  if (n === 1) return a;
  const [, before, value, behind] = LITERAL.exec(a) ?? [];
  return value ? `${before}${Number(value) * n}${behind}` : `${a} * ${n}u`;
}

/**
 * A position in a tensor as u32 WGSL expressions: its row-major number and a coordinate per axis.
 * Whichever was not given is derived when it is first asked for.
 */
export class Position {
  #linear: string | undefined;
  #coordinates: readonly string[] | undefined;

  private constructor(
    readonly shape: Shape,
    readonly body: Body,
    linear?: string,
    coordinates?: readonly string[],
  ) {
    this.#linear = linear;
    this.#coordinates = coordinates;
  }

  /** A position given by its row-major number. */
  static linear(body: Body, shape: Shape, linear: string): Position {
    return new Position(shape, body, linear);
  }

  /** A position given by a coordinate per axis. */
  static at(body: Body, shape: Shape, coordinates: readonly string[]): Position {
    return new Position(shape, body, undefined, coordinates);
  }

  /** The row-major number of the element. */
  get linear(): string {
    if (this.#linear === undefined) {
      const strides = stridesOf(this.shape);
      const sum = this.coordinates.reduce(
        (total, c, axis) => plus(total, this.shape[axis] === 1 ? "0u" : times(c, strides[axis])),
        "0u",
      );
      this.#linear = this.body.bind(sum);
    }
    return this.#linear;
  }

  /** The coordinate on each axis. */
  get coordinates(): readonly string[] {
    this.#coordinates ??= this.#split();
    return this.#coordinates;
  }

  #split(): string[] {
    const linear = this.linear;
    const strides = stridesOf(this.shape);
    const outer = this.shape.findIndex((n) => n !== 1);
    return this.shape.map((n, axis) => {
      if (n <= 1) return "0u";
      const row = strides[axis] === 1 ? linear : this.body.bind(`${linear} / ${strides[axis]}u`);
      return axis === outer ? row : this.body.bind(`${row} % ${n}u`);
    });
  }

  /** The position of the same element, counted row-major, in another shape of the same size. */
  reshape(shape: Shape): Position {
    const bare = (s: Shape) => s.filter((n) => n !== 1);
    if (!sameShape(bare(this.shape), bare(shape)) || !this.#coordinates)
      return Position.linear(this.body, shape, this.linear);
    const kept = this.#coordinates.filter((_, axis) => this.shape[axis] !== 1);
    let next = 0;
    const moved = shape.map((n) => (n === 1 ? "0u" : kept[next++]));
    return new Position(shape, this.body, this.#linear, moved);
  }

  /** Identifies the position among those in one tensor and body. */
  get key(): string {
    return this.#linear ?? this.coordinates.join();
  }
}
