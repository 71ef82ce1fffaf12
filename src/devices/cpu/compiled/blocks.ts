import { type FunctionWriter, I32 } from "./assembler.ts";
import { ADD, EQUAL, LESS_UNSIGNED, MULTIPLY, NOT_EQUAL, SELECT } from "./instructions.ts";

/** A thread's share of a loop: parameters with its first unit and with the one behind its last. */
export interface Share {
  readonly from: number;
  readonly to: number;
}

/** A loop over blocks of so many indices, and what is left at the end. */
export interface Blocks {
  /** The local that holds a block's first index. */
  readonly counter: number;
  readonly step: number;
  readonly size: number;
  /** How many blocks are one unit of those that are shared out; 1 when left out. */
  readonly grain?: number;
  /** Locals with addresses, and how many bytes they move from block to block. */
  readonly moves?: readonly (readonly [local: number, bytes: number])[];
  /** Writes what comes before the loop over whole blocks, where there are any. */
  before?(): void;
  /** Writes what is done for a block of `count` indices. */
  body(count: number): void;
}

/** How many units a loop is shared out in. */
export function unitsOf({
  step,
  size,
  grain = 1,
}: Pick<Blocks, "step" | "size" | "grain">): number {
  return Math.ceil(size / (step * grain));
}

/** Writes a loop, over all blocks or over a thread's share of them. */
export function writeBlocks(f: FunctionWriter, blocks: Blocks, share?: Share): void {
  const { counter, step, size, body } = blocks;
  const rest = size % step;
  const end = size - rest;
  if (share) {
    const last = startShare(f, blocks, share);
    if (end > 0) {
      f.get(counter).get(last).emit(LESS_UNSIGNED);
      f.when(() => run(f, blocks, () => f.get(last)));
    }
    if (rest === 0) return;
    f.get(share.to).i32(unitsOf(blocks)).emit(EQUAL);
    f.when(() => body(rest));
    return;
  }
  f.i32(0).set(counter);
  if (end > 0) run(f, blocks, () => f.i32(end), end === step);
  if (rest > 0) body(rest);
}

/** Goes where a share begins; gives a local with the end of its whole blocks. */
function startShare(
  f: FunctionWriter,
  { counter, step, size, grain = 1, moves = [] }: Blocks,
  { from, to }: Share,
): number {
  const last = f.local(I32);
  const end = size - (size % step);
  f.get(from)
    .i32(step * grain)
    .emit(MULTIPLY)
    .set(counter);
  for (const [local, bytes] of moves) {
    f.get(local).get(from);
    f.i32(grain * bytes)
      .emit(MULTIPLY, ADD)
      .set(local);
  }
  f.get(to)
    .i32(step * grain)
    .emit(MULTIPLY)
    .tee(last)
    .i32(end);
  f.get(last).i32(end).emit(LESS_UNSIGNED, SELECT).set(last);
  return last;
}

/** Runs over whole blocks, at least one, until the counter is what `end` leaves on the stack. */
function run(
  f: FunctionWriter,
  { counter, step, moves = [], before, body }: Blocks,
  end: () => void,
  isOne = false,
): void {
  before?.();
  const block = () => {
    body(step);
    for (const [local, bytes] of moves) f.get(local).i32(bytes).emit(ADD).set(local);
    f.get(counter).i32(step).emit(ADD);
  };
  if (isOne) {
    block();
    f.set(counter);
    return;
  }
  f.repeat(() => {
    block();
    f.tee(counter);
    end();
    f.emit(NOT_EQUAL);
  });
}
