import type { DType } from "../../../core/dtype.ts";
import { sizeOf } from "../../../core/shape.ts";
import { rangeOf } from "../../../forms/indices.ts";
import { type MapForm, writeMoved } from "../../../forms/map.ts";
import type { ElementContext, PointwiseForm } from "../../../forms/pointwise.ts";
import type { Position } from "../../../forms/position.ts";
import type { Access, Addresses } from "./addresses.ts";
import type { CountedPlaces } from "./counted-places.ts";
import { type GroupScope, REFUSED } from "./group-code.ts";
import { ADD, IS_ZERO, LESS_UNSIGNED, MULTIPLY, STORE_I32 } from "./instructions.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import { bytesOfElement, Lanes } from "./lanes.ts";
import * as simd from "./simd.ts";
import type { TurnedTiles } from "./tiles.ts";
import type { Vector, VectorBody } from "./vector-body.ts";

/** Values of a body, and what stores them when they lie in locals. */
export interface Results {
  readonly roots: readonly Vector[];
  store(locals: readonly number[]): void;
}

/** Results as one. */
export function joinedResults(all: readonly Results[]): Results {
  return {
    roots: all.flatMap(({ roots }) => roots),
    store: (locals) => {
      const left = [...locals];
      for (const { roots, store } of all) store(left.splice(0, roots.length));
    },
  };
}

/** Writes the elements of a group's steps as values of a body, four at a time. */
export class GroupElements {
  /** The anchors whose elements are known where something is stored, and these. */
  readonly anchors = new Map<number, Vector>();
  /** Whether lanes are looked for one by one somewhere. */
  isGathered = false;
  readonly #lanes: Lanes;
  #isGuarded = false;
  readonly body: VectorBody;

  /**
   * @param count how many of the four lanes are stored.
   */
  constructor(
    readonly scope: GroupScope,
    readonly writer: LaneWriter,
    readonly places: CountedPlaces,
    readonly addresses: Addresses,
    readonly count: number,
    /** The tiles that it is one vector of, by its number. */
    readonly tile?: readonly [tiles: TurnedTiles, part: number],
  ) {
    this.body = writer.body;
    this.#lanes = new Lanes(scope.f);
  }

  /** The value of a step's element. */
  element(i: number, at: Position<Vector>): Vector {
    const known = this.anchors.get(i);
    if (known !== undefined) return known;
    const { group, context, program } = this.scope;
    const { anchors, outputs } = group;
    const isOwn = outputs.includes(i) && (anchors.length === 0 || this.anchors.size > 0);
    if (context.schedule.stored.has(i) && !isOwn) return this.#read(i, at);
    return this.body.once(`${i}@${at.key}`, () => {
      const form = program[i].op?.form as PointwiseForm<unknown> | MapForm<unknown>;
      const own = this.#context(i, at);
      return form.kind === "map" ? this.#moved(form, own) : form.element(own);
    });
  }

  /** What the group stores for the element at a position: values, and how their locals are stored. */
  results(at: Position<Vector>): Results {
    const { group, context, program } = this.scope;
    const roots: Vector[] = [];
    const stores = group.outputs.map((output) => {
      const { op, inputs } = program[output];
      const isScattered = context.schedule.scattered.has(output);
      const source = isScattered ? inputs[op?.scatter as number] : output;
      const to = at.reshape(program[source].shape);
      const value = roots.push(this.element(source, to)) - 1;
      const form = op?.form as PointwiseForm<unknown>;
      if (isScattered) {
        const place = roots.push(form.place?.(this.#context(output, to)) as number) - 1;
        return (locals: readonly number[]) => this.#scatter(output, locals[value], locals[place]);
      }
      // Row-major, an output's element has the number of that position.
      const access = this.#access(output, at) as Access;
      const allowed = form.allows && roots.push(form.allows(this.#context(output, to))) - 1;
      return (locals: readonly number[]) => {
        this.#store(access, locals[value]);
        if (allowed !== undefined) this.#check(locals[allowed]);
      };
    });
    const store = (locals: readonly number[]) => {
      for (const one of stores) one(locals);
    };
    return { roots, store };
  }

  /** An element that only moves; where its map may lead outside, something is read there, too. */
  #moved(form: MapForm<unknown>, context: ElementContext<unknown, Vector>): Vector {
    const before = this.#isGuarded;
    this.#isGuarded ||= form.follow !== undefined;
    const value = writeMoved(form, context, context.load) as Vector;
    this.#isGuarded = before;
    return value;
  }

  /** What a step's form is told of its element. */
  #context(i: number, at: Position<Vector>): ElementContext<unknown, Vector> {
    const { program } = this.scope;
    const step = program[i];
    return {
      at,
      result: step.result ?? 0,
      load: (input, to) => this.element(step.inputs[input], to),
      scalars: (dtype) => this.writer.scalars(dtype),
      inputs: step.inputs.map((input) => program[input]),
      y: step,
      attributes: step.attributes,
    };
  }

  /** A stored value's element. */
  #read(i: number, at: Position<Vector>): Vector {
    const { body, addresses } = this;
    return body.once(`read ${i}@${at.key}`, () => {
      const { dtype } = this.scope.program[i];
      const access = this.#access(i, at);
      if (!access) return this.#gather(i, dtype, at);
      const load = (access: Access) => {
        const write = (locals: readonly number[]) => {
          const offset = addresses.put(access, locals);
          this.#lanes.load(dtype, access.stride, offset, this.count);
        };
        const values = access.values.map(([value]) => value);
        const isVarying = addresses.isVarying(access);
        return body.leaf(write, values, { isUniform: access.stride === 0, isVarying });
      };
      const [tiles, part = 0] = this.tile ?? [];
      return tiles?.fits(access) ? tiles.read(body, access, part, load) : load(access);
    });
  }

  #gather(i: number, dtype: DType, at: Position<Vector>): Vector {
    const { body, scope } = this;
    this.isGathered = true;
    const gather = ([index]: readonly number[]) => {
      this.#lanes.gather(dtype, this.count, (lane) => this.#laneAddress(i, index, lane));
    };
    // An index of lanes that are not used may be any.
    const last = body.whole(Math.max(0, sizeOf(scope.program[i].shape) - 1));
    return body.leaf(gather, [body.op(simd.i32x4_min_u, at.linear, last)]);
  }

  /** Leaves the address of a step's element on the stack, whose number is a lane of a local. */
  #laneAddress(i: number, index: number, lane: number): void {
    const { f, program } = this.scope;
    const bytes = bytesOfElement(program[i].dtype);
    f.get(index).simd(simd.i32x4_extract_lane, lane).i32(bytes).emit(MULTIPLY);
    f.get(this.addresses.pointer(i)).emit(ADD);
  }

  /** Stores a local's lanes where an element of a step lies. */
  #store(access: Access, value: number): void {
    const { dtype, stride } = access;
    const offset = this.addresses.offsetOf(access);
    const places = { stride, offset, count: this.count };
    this.#lanes.store(dtype, value, places, () => this.addresses.put(access, []));
  }

  /** Stores a local's lanes at the numbers of elements that are another one's lanes, if there are such. */
  #scatter(i: number, value: number, places: number): void {
    const { f, program } = this.scope;
    const { dtype, shape } = program[i];
    for (let lane = 0; lane < this.count; lane++) {
      f.get(places).simd(simd.i32x4_extract_lane, lane).i32(sizeOf(shape)).emit(LESS_UNSIGNED);
      f.when(() =>
        this.#lanes.storeLane(dtype, value, lane, () => this.#laneAddress(i, places, lane)),
      );
    }
  }

  /** Notes where a bool does not hold in all lanes that are stored. */
  #check(allowed: number): void {
    const { count, scope } = this;
    const { f } = scope;
    f.get(allowed);
    if (count < 4) {
      const unused = [0, 1, 2, 3].flatMap((lane) =>
        new Array<number>(4).fill(lane < count ? 0 : 255),
      );
      f.simd(simd.v128_const, ...unused).simd(simd.v128_or);
    }
    f.simd(simd.i32x4_all_true)
      .emit(IS_ZERO)
      .when(() => f.i32(REFUSED).i32(1).memory(STORE_I32, 2, 0));
  }

  /** Where a step's element lies, if lanes are apart by one literal distance; else null. */
  #access(i: number, at: Position<Vector>): Access | null {
    const found = this.places.find(at);
    if (!found) return null;
    const { dtype, shape } = this.scope.program[i];
    const [low, high] = rangeOf(at.place);
    // What is bounded are loops' counters; what is made of a coordinate beyond its axis may be anything.
    const isAnywhere = found.values.length > 0 || low < 0 || high >= sizeOf(shape);
    const isGuarded = this.#isGuarded && isAnywhere;
    if (isGuarded && found.stride >> 1 !== 0) return null; // some lanes may lie inside
    const access = { pointer: this.addresses.pointer(i), dtype, isGuarded, ...found };
    this.addresses.accesses.push(access);
    return access;
  }
}
