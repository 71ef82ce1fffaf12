import { type Shape, sizeOf, stridesOf } from "../core/shape.ts";
import {
  type Body,
  digit,
  divide,
  fourFrom,
  type Index,
  name,
  sumOf,
  termsOf,
  ZERO,
} from "./indices.ts";

/** An element of a tensor as code knows it: an index on each axis. */
export class Position<V> {
  #key: string | undefined;

  private constructor(
    readonly body: Body<V>,
    readonly shape: Shape,
    readonly indices: readonly Index<V>[],
  ) {}

  /** A position given by its row-major number, a u32. */
  static linear<V>(body: Body<V>, shape: Shape, linear: V): Position<V> {
    return Position.at(body, [sizeOf(shape)], [linear]).reshape(shape);
  }

  /** A position given by a coordinate for each axis, each a u32. */
  static at<V>(body: Body<V>, shape: Shape, coordinates: readonly (V | Index<V>)[]): Position<V> {
    const indices = coordinates.map((one, axis) =>
      typeof one === "object" ? (one as Index<V>) : digit({ value: one as V, size: shape[axis] }),
    );
    return new Position(body, shape, indices);
  }

  /** The positions of four neighbours along an axis, from a multiple of four on, in WGSL. */
  static four(
    body: Body<string>,
    shape: Shape,
    coordinates: readonly string[],
    axis: number,
  ): Position<string> {
    const quarter = { value: body.bind(`${coordinates[axis]} >> 2u`), size: shape[axis] / 4 };
    const indices = coordinates.map((one, i) => (i === axis ? fourFrom(quarter) : one));
    return Position.at(body, shape, indices);
  }

  /** The row-major number of the element, as an index. */
  get place(): Index<V> {
    return sumOf(this.indices, stridesOf(this.shape));
  }

  /** The row-major number of the element. */
  get linear(): V {
    return name(this.body, this.place);
  }

  /** The coordinate on each axis. */
  get coordinates(): V[] {
    return this.indices.map((index) => name(this.body, index));
  }

  /** The position of the same element, counted row-major, in another shape of the same size. */
  reshape(shape: Shape): Position<V> {
    if (shape === this.shape) return this;
    const indices = shape.map((): Index<V> => ZERO);
    let rest: Index<V> = ZERO;
    let size = 1;
    let from = this.shape.length;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const n = shape[axis];
      // As few axes as hold whole ones of the new axis.
      while (size % n > 0) {
        rest = sumOf([rest, this.indices[--from]], [1, size]);
        size *= this.shape[from];
      }
      size /= n;
      [rest, indices[axis]] = size === 1 ? [ZERO, rest] : divide(this.body, rest, n);
    }
    return new Position(this.body, shape, indices);
  }

  /** Identifies the position among those in one tensor and body. */
  get key(): string {
    this.#key ??= this.indices.map((index) => `${termsOf(index)}+${index.constant}`).join();
    return this.#key;
  }
}
