import type { DType } from "../../../core/dtype.ts";
import { getOrInsert } from "../../../core/get-or-insert.ts";
import { type Shape, sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import type { Step } from "../../../engine/program.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import { rangeOf, termsOf } from "../../../forms/indices.ts";
import { type MapForm, writeMoved } from "../../../forms/map.ts";
import type { ElementContext, PointwiseForm } from "../../../forms/pointwise.ts";
import { Position } from "../../../forms/position.ts";
import { type FunctionWriter, I32 } from "./assembler.ts";
import { REFUSED } from "./group-code.ts";
import {
  ADD,
  IS_ZERO,
  LESS_UNSIGNED,
  MULTIPLY,
  SELECT,
  SHIFT_LEFT,
  STORE_I32,
  SUBTRACT,
} from "./instructions.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import { bytesOfElement, Lanes } from "./lanes.ts";
import * as simd from "./simd.ts";
import type { VectorBody } from "./vector-body.ts";

/** A coordinate that loops count: `local + add`, and one more for each lane where it is by lane. */
export interface Coordinate {
  readonly local: number;
  readonly size: number;
  readonly add?: number;
  readonly isByLane?: boolean;
}

/** Where an element lies, in elements from a pointer on: Σ factor · local + constant, and by lane. */
export interface Access {
  readonly pointer: number;
  readonly dtype: DType;
  readonly counts: ReadonlyMap<number, number>;
  /** Values of the body that are the same for all lanes, with their factors. */
  readonly values: readonly (readonly [value: number, factor: number])[];
  readonly constant: number;
  readonly stride: number;
  /** Whether it may lie anywhere, and what is read is not used then. */
  readonly isGuarded: boolean;
}

/** Values of a body, and what stores them when they lie in locals. */
export interface Results {
  readonly roots: readonly number[];
  store(locals: readonly number[]): void;
}

/** What a position says of that. */
type Way = Pick<Access, "counts" | "values" | "constant" | "stride">;

const MEMORY_PAGES = [0x3f, 0x00];
/** 0, 1, 2, 3 as words. */
const LANE_NUMBERS = [0, 1, 2, 3].flatMap((lane) => [lane, 0, 0, 0]);

/** Writes the elements of a group's steps as values of a body, four at a time. */
export class GroupElements {
  /** The anchors whose elements are known where something is stored, and these. */
  readonly anchors = new Map<number, number>();
  /** Where elements lie that are read or written, but for those that are looked for lane by lane. */
  readonly accesses: Access[] = [];
  /** Whether lanes are looked for one by one somewhere. */
  isGathered = false;
  /** What locals that count are divided by where elements are looked for. */
  readonly divisors = new Map<number, Set<number>>();
  readonly #lanes: Lanes;
  #isGuarded = false;
  readonly #coordinates = new Map<number, Coordinate>();
  readonly #steps: readonly Step[];
  readonly body: VectorBody;

  /**
   * @param count how many of the four lanes are stored.
   */
  constructor(
    readonly schedule: KernelSchedule,
    readonly group: Group,
    readonly f: FunctionWriter,
    readonly writer: LaneWriter,
    readonly addresses: Addresses,
    readonly count: number,
  ) {
    this.#steps = schedule.program.steps;
    this.body = writer.body;
    this.#lanes = new Lanes(f);
  }

  /** The position at coordinates that loops count. */
  position(shape: Shape, coordinates: readonly Coordinate[]): Position<number> {
    const values = coordinates.map((one) => {
      const value = this.#coordinate(one);
      this.#coordinates.set(value, one);
      return value;
    });
    const sizes = coordinates.map(({ size }) => size);
    return Position.at(this.body, sizes, values).reshape(shape);
  }

  #coordinate(one: Coordinate): number {
    const { local, add = 0, isByLane = false } = one;
    return this.body.once(`count ${local} ${add} ${isByLane}`, () => this.#count(one));
  }

  #count({ local, add = 0, isByLane }: Coordinate): number {
    const { f, body } = this;
    const count = () => {
      f.get(local);
      if (add > 0) f.i32(add).emit(ADD);
    };
    const write = () => {
      count();
      f.simd(simd.i32x4_splat);
      if (isByLane) f.simd(simd.v128_const, ...LANE_NUMBERS).simd(simd.i32x4_add);
    };
    const isVarying = this.addresses.counts(local);
    return body.leaf(write, [], { isUniform: !isByLane, isVarying });
  }

  /** The value of a step's element. */
  element(i: number, at: Position<number>): number {
    const known = this.anchors.get(i);
    if (known !== undefined) return known;
    const { anchors, outputs } = this.group;
    const isOwn = outputs.includes(i) && (anchors.length === 0 || this.anchors.size > 0);
    if (this.schedule.stored.has(i) && !isOwn) return this.read(i, at);
    return this.body.once(`${i}@${at.key}`, () => {
      const form = this.#steps[i].op?.form as PointwiseForm<unknown> | MapForm<unknown>;
      const context = this.context(i, at);
      if (form.kind === "map") return this.#moved(form, context);
      return form.element(context);
    });
  }

  /** An element that only moves; where its map may lead outside, something is read there, too. */
  #moved(form: MapForm<unknown>, context: ElementContext<unknown, number>): number {
    const before = this.#isGuarded;
    this.#isGuarded ||= form.follow !== undefined;
    const value = writeMoved(form, context, context.load) as number;
    this.#isGuarded = before;
    return value;
  }

  /** What a step's form is told of its element. */
  context(i: number, at: Position<number>): ElementContext<unknown, number> {
    const step = this.#steps[i];
    return {
      at,
      result: step.result ?? 0,
      load: (input, to) => this.element(step.inputs[input], to),
      scalars: (dtype) => this.writer.scalars(dtype),
      inputs: step.inputs.map((input) => this.#steps[input]),
      y: step,
      attributes: step.attributes,
    };
  }

  /** A stored value's element. */
  read(i: number, at: Position<number>): number {
    return this.body.once(`read ${i}@${at.key}`, () => this.#read(i, at));
  }

  #read(i: number, at: Position<number>): number {
    const { body, addresses } = this;
    const { dtype } = this.#steps[i];
    const access = this.access(i, at);
    if (!access) return this.#gather(i, dtype, at);
    const load = (locals: readonly number[]) => {
      const offset = addresses.put(access, locals);
      this.#lanes.load(dtype, access.stride, offset, this.count);
    };
    const values = access.values.map(([value]) => value);
    const isVarying = addresses.isVarying(access);
    return body.leaf(load, values, { isUniform: access.stride === 0, isVarying });
  }

  #gather(i: number, dtype: DType, at: Position<number>): number {
    const { f } = this;
    this.isGathered = true;
    const pointer = this.addresses.pointer(i);
    const gather = ([index]: readonly number[]) => {
      this.#lanes.gather(dtype, this.count, (lane) => {
        f.get(index).simd(simd.i32x4_extract_lane, lane).i32(bytesOfElement(dtype)).emit(MULTIPLY);
        f.get(pointer).emit(ADD);
      });
    };
    // An index of lanes that are not used may be any.
    const last = this.body.whole(Math.max(0, sizeOf(this.#steps[i].shape) - 1));
    return this.body.leaf(gather, [this.body.op(simd.i32x4_min_u, at.linear, last)]);
  }

  /** What the group stores for the element at a position: values, and how their locals are stored. */
  results(at: Position<number>): Results {
    const { schedule, group } = this;
    const roots: number[] = [];
    const stores = group.outputs.map((output) => {
      const { op, inputs } = this.#steps[output];
      const isScattered = schedule.scattered.has(output);
      const source = isScattered ? inputs[op?.scatter as number] : output;
      const to = at.reshape(this.#steps[source].shape);
      const value = roots.push(this.element(source, to)) - 1;
      if (isScattered) {
        const form = op?.form as PointwiseForm<unknown>;
        const place = roots.push(form.place?.(this.context(output, to)) as number) - 1;
        return (locals: readonly number[]) => this.#scatter(output, locals[value], locals[place]);
      }
      // Row-major, an output's element has the number of that position.
      const access = this.access(output, at) as Access;
      const form = op?.form as PointwiseForm<unknown>;
      const allowed = form.allows && roots.push(form.allows(this.context(output, to))) - 1;
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

  /** Stores a local's lanes where an element of a step lies. */
  #store(access: Access, value: number): void {
    const { dtype, stride } = access;
    const offset = this.addresses.offsetOf(access);
    const places = { stride, offset, count: this.count };
    this.#lanes.store(dtype, value, places, () => this.addresses.put(access, []));
  }

  /** Notes where a bool does not hold in all lanes that are stored. */
  #check(allowed: number): void {
    const { f, count } = this;
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

  /** Stores a local's lanes at the numbers of elements that are another one's lanes. */
  #scatter(i: number, value: number, places: number): void {
    const { f } = this;
    const { dtype } = this.#steps[i];
    const bytes = bytesOfElement(dtype);
    for (let lane = 0; lane < this.count; lane++) {
      this.#lanes.storeLane(dtype, value, lane, () => {
        f.get(places).simd(simd.i32x4_extract_lane, lane).i32(bytes).emit(MULTIPLY);
        f.get(this.addresses.pointer(i)).emit(ADD);
      });
    }
  }

  /** Computes, before the stretch, what is the same in all of it. */
  start(): void {
    this.addresses.start(this.accesses);
  }

  /** Where a step's element lies, if lanes are apart by one literal distance; else null. */
  access(i: number, at: Position<number>): Access | null {
    const found = this.#counted(at) ?? this.#uniform(at);
    if (!found) return null;
    const { dtype, shape } = this.#steps[i];
    const [low, high] = rangeOf(at.place);
    // What is bounded are loops' counters; what is made of a coordinate beyond its axis may be anything.
    const isAnywhere = found.values.length > 0 || low < 0 || high >= sizeOf(shape);
    const isGuarded = this.#isGuarded && isAnywhere;
    if (isGuarded && found.stride >> 1 !== 0) return null; // some lanes may lie inside
    const access = { pointer: this.addresses.pointer(i), dtype, isGuarded, ...found };
    this.accesses.push(access);
    return access;
  }

  /** A place as what loops count, and values that are the same for all lanes. */
  #counted({ place }: Position<number>): Way | null {
    const counts = new Map<number, number>();
    const values: [number, number][] = [];
    let { constant } = place;
    let stride = 0;
    const terms = termsOf(place);
    for (const [value, divisor] of terms) {
      const counted = this.#coordinates.get(value);
      if (!counted || divisor === 1) continue;
      getOrInsert(this.divisors, counted.local, () => new Set()).add(divisor);
    }
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
  #uniform({ linear }: Position<number>): Way | null {
    if (!this.body.isUniform(linear)) return null;
    return { counts: new Map(), values: [[linear, 1]], constant: 0, stride: 0 };
  }
}

/** Addresses in one stretch of code: what inner loops do not count is added up once. */
export class Addresses {
  readonly #bases = new Map<string, number>();
  /** An address, and the last one from which a vector may be read. */
  #own: readonly [address: number, limit: number] | null = null;

  /**
   * @param pointers step → the parameter with the address of its memory.
   * @param inner the local that counts within the stretch, if there is one.
   */
  constructor(
    readonly f: FunctionWriter,
    readonly schedule: KernelSchedule,
    readonly pointers: ReadonlyMap<number, number>,
    readonly inner?: number,
  ) {}

  /** Whether a local counts within the stretch. */
  counts(local: number): boolean {
    return this.inner === undefined || this.inner === local;
  }

  /** Whether what is read may differ within the stretch. */
  isVarying({ counts }: Access): boolean {
    return this.inner === undefined || counts.has(this.inner);
  }

  /** The parameter with the address of a step's memory. */
  pointer(step: number): number {
    return this.pointers.get(this.schedule.homes.get(step) ?? step) as number;
  }

  /** Computes, before the stretch, what is the same in all of it. */
  start(accesses: readonly Access[]): void {
    for (const access of accesses) this.#base(access);
    if (!accesses.some(({ isGuarded }) => isGuarded)) return;
    const { f } = this;
    this.#own ??= [f.local(I32), f.local(I32)];
    f.emit(...MEMORY_PAGES)
      .i32(16)
      .emit(SHIFT_LEFT)
      .i32(16)
      .emit(SUBTRACT)
      .set(this.#own[1]);
  }

  /** Leaves an address on the stack, but for a distance in bytes, which it gives. */
  put(access: Access, locals: readonly number[]): number {
    const { f, inner } = this;
    const { dtype, counts, values, constant } = access;
    const bytes = bytesOfElement(dtype);
    f.get(this.#base(access));
    const factor = inner === undefined ? undefined : counts.get(inner);
    if (inner !== undefined && factor) this.#times(inner, factor * bytes).emit(ADD);
    locals.forEach((local, i) => {
      f.get(local).simd(simd.i32x4_extract_lane, 0);
      f.i32(values[i][1] * bytes)
        .emit(MULTIPLY)
        .emit(ADD);
    });
    const offset = this.offsetOf(access);
    if (offset !== constant * bytes) f.i32(constant * bytes).emit(ADD);
    if (access.isGuarded) this.#clamp();
    return offset;
  }

  /** The distance in bytes that an instruction adds itself: to what is no address below 0. */
  offsetOf({ dtype, counts, values, constant, isGuarded }: Access): number {
    const factors = [constant, ...counts.values(), ...values.map(([, factor]) => factor)];
    if (isGuarded || factors.some((factor) => factor < 0)) return 0;
    return constant * bytesOfElement(dtype);
  }

  /** Makes an address one of the memory where it is beyond. */
  #clamp(): void {
    const [address, limit] = this.#own as readonly [number, number];
    this.f.tee(address).get(limit).get(address).get(limit).emit(LESS_UNSIGNED, SELECT);
  }

  #times(local: number, factor: number): FunctionWriter {
    const { f } = this;
    f.get(local);
    return factor === 1 ? f : f.i32(factor).emit(MULTIPLY);
  }

  #base({ pointer, dtype, counts }: Access): number {
    const bytes = bytesOfElement(dtype);
    const outer = [...counts].filter(([local]) => local !== this.inner);
    if (outer.length === 0) return pointer;
    const key = `${pointer}:${bytes}:${outer}`;
    const known = this.#bases.get(key);
    if (known !== undefined) return known;
    const { f } = this;
    const base = f.local(I32);
    this.#bases.set(key, base);
    f.get(pointer);
    for (const [local, factor] of outer) this.#times(local, factor * bytes).emit(ADD);
    f.set(base);
    return base;
  }
}
