import { checkOptions, checkPositive, isInteger, type Known } from "../core/check.ts";
import { allocate, type DType, expectDType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { checkTensors, sourceTensor, type Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { canBroadcast } from "./broadcast.ts";
import { cast } from "./cast.ts";
import { iota } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { flip } from "./flip.ts";
import { inShape } from "./reshape.ts";
import { fract } from "./rounding.ts";
import { cos, sin } from "./unary.ts";

/** Options of `rotaryEmbedding`. */
export interface RotaryOptions {
  /** Of the frequencies, above 0; 10,000 when left out. */
  base?: number;
  /** The position of the first row, a whole number from 0, such as the length of a cache; 0 when left out. */
  offset?: number;
  /** The position of each row in place of `offset`: whole numbers whose shape broadcasts to `[…, length]`. */
  positions?: Tensor;
  /** Whether pairs are neighbours, or i and i + e / 2; false when left out. */
  interleaved?: boolean;
}

const ROTARY: Known<RotaryOptions> = {
  base: "number",
  offset: true,
  positions: true,
  interleaved: "boolean",
};

const OP = "rotaryEmbedding";

/** The first part of a frequency has 12 bits: its products with positions below 4096 are exact in f32. */
const PART = 2 ** 11;

/** Turns for each position, base^(−2i / e) / 2π, as sums of two numbers. */
function frequencies(base: number, count: number, dtype: DType, device: Device): Tensor[] {
  const [high, low] = [0, 1].map(() => allocate(dtype, count));
  for (let i = 0; i < count; i++) {
    const turns = base ** (-i / count) / (2 * Math.PI);
    const unit = 2 ** Math.floor(Math.log2(turns)) / PART;
    high[i] = Math.round(turns / unit) * unit;
    low[i] = turns - high[i];
  }
  return [high, low].map((values) => sourceTensor(device, [count], dtype, values));
}

/** The angle of each pair at each position: `[…, pairs]`. */
function anglesOf(positions: Tensor, x: Tensor, base: number, pairs: number): Tensor {
  const at = cast(inShape(positions, [...positions.shape, 1]), x.dtype);
  const [high, low] = frequencies(base, pairs, x.dtype, x.device);
  // Whole turns go first, so that what is left keeps its digits.
  return mul(add(fract(mul(at, high)), mul(at, low)), 2 * Math.PI);
}

/** The positions of rows, which are given or counted. */
function positionsOf(x: Tensor, { offset, positions }: RotaryOptions): Tensor {
  const rows: Shape = x.shape.slice(0, -1);
  const first = offset ?? 0;
  if (!isInteger(first, 0, 2 ** 24)) {
    throw new GradusError(`${OP}: offset ${quote(first)}; expected an integer from 0 to 2^24`);
  }
  if (positions === undefined) return add(iota(rows[rows.length - 1], "i32", x.device), first);
  if (offset !== undefined) {
    throw new GradusError(`${OP}: offset and positions; expected one of them`);
  }
  checkTensors(OP, [positions]);
  expectDType(`${OP}: positions have dtype`, positions.dtype, "index");
  if (canBroadcast(positions.shape, rows)) return positions;
  throw new ShapeError(
    `${OP}: positions ${formatShape(positions.shape)}; expected what broadcasts to ${formatShape(rows)}`,
  );
}

/**
 * Turns each pair of numbers of a row by an angle that grows with the row's position, so that products of
 * two rows depend on how far they lie apart: pair i of e / 2 by position · base^(−2i / e).
 * Angles are right to about 1e-6 for positions below 4096 in f32.
 * Source: Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding", eq. 34, for
 * pairs of neighbours; those of i and i + e / 2 are the same of columns in another order, as GPT-NeoX and
 * Llama have them.
 * @param x floats `[…, length, e]` with an even e, such as queries and keys `[batch, heads, length, e]`.
 * @throws ShapeError, DTypeError or GradusError for others, and for other positions.
 * @example
 * const x = tensor([[1, 0], [1, 0]]);
 * await rotaryEmbedding(x).toArray(); // about [[1, 0], [0.54, 0.841]]
 */
export function rotaryEmbedding(
  x: Tensor,
  options: RotaryOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions(OP, options, ROTARY, surplus);
  checkTensors(OP, [x]);
  checkDomain(OP, x.dtype, "float");
  const { base = 10_000, interleaved = false } = options;
  checkPositive(OP, { base });
  const e = x.shape[x.rank - 1];
  if (x.rank < 2 || e % 2 === 1) {
    throw new ShapeError(`${OP}: input ${formatShape(x.shape)}; expected […, length, e], e even`);
  }
  const pairs = e / 2;
  const angles = anglesOf(positionsOf(x, options), x, base, pairs);
  // (a, b) → (a cos − b sin, b cos + a sin): what is turned, and the other one with a sign.
  const outer = x.shape.slice(0, -1);
  const axis = interleaved ? x.rank : x.rank - 1;
  const split = inShape(x, [...outer, ...(interleaved ? [pairs, 2] : [2, pairs])]);
  const [c, s] = [cos(angles), sin(angles)].map((y) => {
    const rows = y.shape.slice(0, -1);
    return inShape(y, [...rows, ...(interleaved ? [pairs, 1] : [1, pairs])]);
  });
  const sign = sub(mul(iota(2, x.dtype, x.device), 2), 1);
  const signs = interleaved ? sign : inShape(sign, [2, 1]);
  const turned = add(mul(split, c), mul(flip(split, { axis }), mul(s, signs)));
  return inShape(turned, x.shape);
}
