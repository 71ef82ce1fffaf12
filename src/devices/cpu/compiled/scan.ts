/*
 * Running totals of rows. Neighbours are joined to pairs and these to fours (Hillis, Steele 1986, "Data
 * parallel algorithms"), so that totals wait for each other once in four elements; else lanes are rows.
 * Sums and products of floats, and steps s → a · s + b, are made in float64.
 */
import { is } from "../../../core/dtype.ts";
import { applyFormula } from "../../../forms/scalars.ts";
import { V128 } from "./assembler.ts";
import type { Results } from "./elements.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter } from "./group-writer.ts";
import { AND, EQUAL } from "./instructions.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import type { RowBlock, RowStretch } from "./row-loops.ts";
import { type RowsWriter, rowsCode } from "./rows.ts";
import * as simd from "./simd.ts";
import type { Instruction, Vector, VectorBody } from "./vector-body.ts";

/** Scanned that lie side by side: a vector of each of their numbers. */
type Scanned = readonly Vector[];

/** How items are joined. */
interface Scan {
  /** Whether their numbers are doubles, two a vector, or four. */
  readonly isWide: boolean;
  /** Joins each item with one behind it. */
  join(writer: LaneWriter, before: Scanned, own: Scanned): Vector[];
}

/** Instructions on doubles for what joins floats. */
const WIDE: Readonly<Record<string, Instruction>> = { "+": simd.f64x2_add, "*": simd.f64x2_mul };

/**
 * After so many elements totals that are no doubles begin anew, and those of all before are joined with
 * them: else what is added would vanish beside them.
 */
const RUN = 2048;

/** The code of running totals. */
export function scanCode(group: GroupWriter): GroupCode {
  return rowsCode(group, (rows, block) => {
    const { dtype, functions } = rows;
    const { combine } = functions;
    const wide = is(dtype, "float") ? WIDE[combine as string] : undefined;
    const join: Scan["join"] = (writer, [a], [b]) =>
      wide === undefined
        ? [applyFormula(combine, writer.scalars(dtype), [a, b])]
        : [writer.body.op(wide, a, b)];
    new ScanWriter(rows, block, { isWide: wide !== undefined, join }).write();
  });
}

/** s → a' · (a · s + b) + b' */
const STEPS: Scan = {
  isWide: true,
  join: ({ body }, [a, b], [nextA, nextB]) => [
    body.op(simd.f64x2_mul, a, nextA),
    body.op(simd.f64x2_add, body.op(simd.f64x2_mul, b, nextA), nextB),
  ],
};

/** The code of steps s → a · s + b: s after each, and the products of all a so far. */
export function stepsCode(group: GroupWriter): GroupCode {
  return rowsCode(group, (rows, block) => new ScanWriter(rows, block, STEPS).write());
}

/** Totals that are carried from item to item, in locals. */
interface Totals {
  /** Vectors of all numbers of all items, of each part of a block. */
  readonly locals: readonly number[];
  /** All bits where there are any yet, else none. */
  readonly isBegun: number;
}

class ScanWriter {
  readonly #inputs: readonly number[];
  readonly #totals: Totals;
  /** Those of all runs before. */
  readonly #before: Totals | null;

  constructor(
    readonly rows: RowsWriter,
    readonly block: RowBlock,
    readonly scan: Scan,
  ) {
    const { program, group } = rows.group;
    this.#inputs = program[group.anchors[0]].inputs;
    this.#totals = this.#make();
    this.#before = !scan.isWide && rows.length > RUN ? this.#make() : null;
  }

  write(): void {
    this.rows.run(this.block, (own) => this.#stretch(own));
  }

  /** How many vectors each number has that is carried. */
  get #sides(): number {
    return this.scan.isWide && !this.rows.isAlong ? 2 : 1;
  }

  #make(): Totals {
    const { f } = this.rows.group;
    const count = this.block.parts.length * this.#sides * this.#inputs.length;
    const isBegun = f.local(V128);
    f.zeros().set(isBegun);
    return { locals: Array.from({ length: count }, () => f.local(V128)), isBegun };
  }

  /** Computes and stores the totals of some elements. */
  #stretch(own: RowStretch): Results {
    const { rows, scan } = this;
    const { stretch, writer, body, at } = own;
    const before = this.#before;
    const runs = stretch.all.map((one, part) => {
      const given = this.#inputs.map((input) => one.element(input, at[part]));
      return this.#after(writer, this.#totals, part, this.#apart(writer, given));
    });
    const all = before ? runs.map((own, part) => this.#after(writer, before, part, own)) : runs;
    // The last number of an item is the first result.
    const results = rows.results(own, (part, result) => {
      const [low, high] = all[part].map((items) => items[items.length - 1 - result]);
      if (!scan.isWide) return low;
      const floats = [low, high].map((x) => body.op(simd.f32x4_demote_f64x2_zero, x));
      return body.halves(floats[0], floats[1]);
    });
    const carried = [runs, before ? all : []].map((of) =>
      of.flatMap((own) => this.#ends(body, own)),
    );
    const roots = [...results.roots, ...carried.flat(), body.whole(-1)];
    return { roots, store: (locals) => this.#store(results, locals) };
  }

  /** Stores results, and has locals be what is carried. */
  #store(results: Results, locals: readonly number[]): void {
    const { group, loops, isAlong } = this.rows;
    const { f } = group;
    const own = this.#totals;
    const before = this.#before;
    const yes = locals[locals.length - 1];
    const count = results.roots.length;
    const carry = ({ locals: to, isBegun }: Totals, from: number) => {
      for (const [i, local] of to.entries()) f.get(locals[from + i]).set(local);
      f.get(yes).set(isBegun);
    };
    results.store(locals);
    carry(own, count);
    if (!before) return;
    f.get(loops.item)
      .i32(RUN - 1)
      .emit(AND);
    f.i32(isAlong ? RUN - 4 : RUN - 1).emit(EQUAL);
    f.when(() => {
      carry(before, count + own.locals.length);
      f.zeros().set(own.isBegun);
    });
  }

  /** Scanned of their own: of neighbours each joined with those before it; two vectors of each number of doubles. */
  #apart(writer: LaneWriter, given: Scanned): Scanned[] {
    const { body } = writer;
    const { isWide, join } = this.scan;
    const sides = isWide ? [(x: Vector) => x, (x: Vector) => body.upper(x)] : [];
    const own = isWide
      ? sides.map((side) => given.map((x) => body.op(simd.f64x2_promote_low_f32x4, side(x))))
      : [given];
    if (!this.rows.isAlong) return own;
    const [low, high] = own.map((items) => this.#prefixes(writer, items));
    return isWide ? [low, join(writer, this.#lasts(body, low), high)] : [low];
  }

  /** Each of the items of vectors joined with those before it. */
  #prefixes(writer: LaneWriter, items: Scanned): Scanned {
    const { body } = writer;
    const { isWide, join } = this.scan;
    let found = items;
    for (let reach = isWide ? 2 : 1; reach < 4; reach *= 2) {
      const before = found.map((x) =>
        body.shuffle(
          x,
          x,
          lanes((i) => i - (i < reach ? 0 : reach)),
        ),
      );
      const joined = join(writer, before, found);
      found = found.map((x, k) =>
        body.shuffle(
          x,
          joined[k],
          lanes((i) => i + (i < reach ? 0 : 4)),
        ),
      );
    }
    return found;
  }

  /** Scanned behind totals, if there are any yet. */
  #after(
    writer: LaneWriter,
    { locals, isBegun }: Totals,
    part: number,
    own: readonly Scanned[],
  ): Scanned[] {
    const { body } = writer;
    const sides = this.#sides;
    return own.map((items, side) => {
      const first = (part * sides + Math.min(side, sides - 1)) * items.length;
      const before = items.map((_, i) => body.local(locals[first + i]));
      const joined = this.scan.join(writer, before, items);
      const flag = body.local(isBegun);
      return items.map((x, i) => body.op(simd.v128_bitselect, joined[i], x, flag));
    });
  }

  /** What is carried on: totals, or of neighbours the last one. */
  #ends(body: VectorBody, own: readonly Scanned[]): Vector[] {
    return this.rows.isAlong ? this.#lasts(body, own[own.length - 1]) : own.flat();
  }

  /** The last of items in the place of all. */
  #lasts(body: VectorBody, items: Scanned): Vector[] {
    const width = this.scan.isWide ? 2 : 1;
    return items.map((x) =>
      body.shuffle(
        x,
        x,
        lanes((i) => 4 - width + (i % width)),
      ),
    );
  }
}

/** Which lanes a shuffle takes. */
function lanes(of: (i: number) => number): number[] {
  return [0, 1, 2, 3].map(of);
}
