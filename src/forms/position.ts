import { type Shape, sizeOf, stridesOf } from "../core/shape.ts";
import {
  type Body,
  digit,
  divide,
  fourFrom,
  type Index,
  name,
  sumOf,
  write,
  ZERO,
} from "./indices.ts";

/** An element of a tensor as WGSL knows it: an index on each axis. */
export class Position {
  private constructor(
    readonly body: Body,
    readonly shape: Shape,
    readonly indices: readonly Index[],
  ) {}

  /** A position given by its row-major number, a u32. */
  static linear(body: Body, shape: Shape, linear: string): Position {
    return Position.at(body, [sizeOf(shape)], [linear]).reshape(shape);
  }

  /** A position given by a coordinate for each axis, each a u32. */
  static at(body: Body, shape: Shape, coordinates: readonly (string | Index)[]): Position {
    const indices = coordinates.map((one, axis) =>
      typeof one === "string" ? digit({ text: one, size: shape[axis] }) : one,
    );
    return new Position(body, shape, indices);
  }

  /** The positions of four neighbours along an axis, from a multiple of four on. */
  static four(body: Body, shape: Shape, coordinates: readonly string[], axis: number): Position {
    const quarter = { text: body.bind(`${coordinates[axis]} >> 2u`), size: shape[axis] / 4 };
    const indices = coordinates.map((one, i) => (i === axis ? fourFrom(quarter) : one));
    return Position.at(body, shape, indices);
  }

  /** The row-major number of the element, as an index. */
  get place(): Index {
    return sumOf(this.indices, stridesOf(this.shape));
  }

  /** The row-major number of the element. */
  get linear(): string {
    return name(this.body, this.place);
  }

  /** The coordinate on each axis. */
  get coordinates(): string[] {
    return this.indices.map((index) => name(this.body, index));
  }

  /** The position of the same element, counted row-major, in another shape of the same size. */
  reshape(shape: Shape): Position {
    const indices = shape.map(() => ZERO);
    let rest = ZERO;
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
    return this.indices.map((index) => write({ bind: (text) => text }, index)).join();
  }
}
