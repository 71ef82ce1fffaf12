import type { Shape } from "../../../core/shape.ts";
import { termsOf } from "../../../forms/indices.ts";
import { Position } from "../../../forms/position.ts";
import type { ElementPlace } from "./addresses.ts";
import type { FunctionWriter } from "./assembler.ts";
import { digitSizes } from "./digits.ts";
import { ADD } from "./instructions.ts";
import * as simd from "./simd.ts";
import type { Vector, VectorBody } from "./vector-body.ts";

/** A coordinate that loops count: `local + add`, and one more for each lane where it is by lane. */
export interface Coordinate {
  readonly local: number;
  readonly size: number;
  readonly add?: number;
  readonly isByLane?: boolean;
}

/** 0, 1, 2, 3 as words. */
const LANE_NUMBERS = [0, 1, 2, 3].flatMap((lane) => [lane, 0, 0, 0]);

/** Finds where elements lie, of what loops count. */
export class CountedPlaces {
  readonly #coordinates = new Map<Vector, Coordinate>();

  /** @param inner the local that counts within the stretch, if there is one. */
  constructor(
    readonly f: FunctionWriter,
    readonly body: VectorBody,
    readonly inner?: number,
  ) {}

  /** The position at coordinates that loops count. */
  position(shape: Shape, coordinates: readonly Coordinate[]): Position<Vector> {
    const values = coordinates.map((one) => {
      const value = this.#coordinate(one);
      this.#coordinates.set(value, one);
      return value;
    });
    const sizes = coordinates.map(({ size }) => size);
    return Position.at(this.body, sizes, values).reshape(shape);
  }

  /** The sizes of the digits that a coordinate is cut into where elements are looked for. */
  digits({ size, local }: Coordinate): number[] {
    const own = [...this.#coordinates].filter(([, one]) => one.local === local);
    const divisors = own.flatMap(([value]) => [...(this.body.divisors.get(value) ?? [])]);
    return digitSizes(size, new Set(divisors));
  }

  /** Where a position lies, if lanes are apart by one literal distance; else null. */
  find(at: Position<Vector>): ElementPlace | null {
    return this.#counted(at) ?? this.#uniform(at);
  }

  #coordinate({ local, add = 0, isByLane = false }: Coordinate): Vector {
    const { f, body, inner } = this;
    return body.once(`count ${local} ${add} ${isByLane}`, () => {
      const write = () => {
        f.get(local);
        if (add > 0) f.i32(add).emit(ADD);
        f.simd(simd.i32x4_splat);
        if (isByLane) f.simd(simd.v128_const, ...LANE_NUMBERS).simd(simd.i32x4_add);
      };
      const isVarying = inner === undefined || inner === local;
      return body.leaf(write, [], { isUniform: !isByLane, isVarying });
    });
  }

  /** A place as what loops count, and values that are the same for all lanes. */
  #counted({ place }: Position<Vector>): ElementPlace | null {
    const counts = new Map<number, number>();
    const values: [number, number][] = [];
    let { constant } = place;
    let stride = 0;
    const terms = termsOf(place);
    for (const [value, divisor, factor, size] of terms) {
      const counted = divisor === 1 && this.#coordinates.get(value);
      if (counted) {
        const { local, add = 0, isByLane } = counted;
        counts.set(local, (counts.get(local) ?? 0) + factor);
        constant += add * factor;
        if (isByLane) stride += factor;
      } else if (this.body.isUniform(value)) {
        values.push([this.body.quotient(value, divisor, size), factor]);
      } else return null;
    }
    return { counts, values, constant, stride };
  }

  /** A place that is the same for all lanes. */
  #uniform({ linear }: Position<Vector>): ElementPlace | null {
    if (!this.body.isUniform(linear)) return null;
    return { counts: new Map(), values: [[linear, 1]], constant: 0, stride: 0 };
  }
}
