import { V128 } from "./assembler.ts";
import { FloatMath } from "./float-math.ts";
import * as simd from "./simd.ts";
import { type Vector, VectorBody } from "./vector-body.ts";

const SIGN = 0x80000000;

/** The size of x with the sign of y, which counts as + where y is NaN. */
export function copySign(math: FloatMath, x: Vector, y: Vector): Vector {
  const { body } = math;
  const sign = body.op(
    simd.v128_andnot,
    body.op(simd.v128_and, y, body.whole(SIGN)),
    math.isNaN(y),
  );
  return body.op(simd.v128_or, body.op(simd.f32x4_abs, x), sign);
}

/** The next number from x towards y: numbers of one sign are in the order of their bits. */
export function nextAfter(math: FloatMath, x: Vector, y: Vector): Vector {
  const { body } = math;
  const zero = body.whole(0);
  const isInward = body.op(
    simd.v128_xor,
    body.op(simd.f32x4_lt, x, y),
    body.op(simd.f32x4_gt, x, zero),
  );
  // x ± 1, of which a mask is twice the difference.
  const one = body.op(simd.v128_or, isInward, body.whole(1));
  const next = body.op(simd.i32x4_add, x, one);
  const smallest = math.withSignOf(body.whole(1), y);
  const apart = math.select(next, smallest, body.op(simd.f32x4_eq, x, zero));
  const other = math.select(apart, y, body.op(simd.f32x4_eq, x, y));
  const isNaN = body.op(simd.v128_or, math.isNaN(x), math.isNaN(y));
  return math.select(other, math.number(Number.NaN), isNaN);
}

/** The upper 29 bits of a number of 64, whose product with one of 24 is exact. */
const UPPER = [0xff000000, -1, 0xff000000, -1];

/**
 * What is left of x when y is taken off as often as it goes, with the sign of x: exact, by a long
 * division in float64 with 29 bits of the quotient a turn.
 */
export function vectorFmod(math: FloatMath, x: Vector, y: Vector): Vector {
  const { body } = math;
  const f = body.writer;
  const halves = [x, y].flatMap((value) => {
    const size = body.op(simd.f32x4_abs, value);
    return [size, body.upper(size)].map((half) => body.op(simd.f64x2_promote_low_f32x4, half));
  });
  const size = body.leaf(([low, high, lowDivisor, highDivisor]) => {
    const rests = [low, high].map((first) => {
      const rest = f.local(V128);
      f.get(first).set(rest);
      return rest;
    });
    f.repeat(() => {
      const inner = new VectorBody(f, body.isFused);
      const turns = [lowDivisor, highDivisor].map((divisor, i) =>
        withoutMultiples(inner, inner.local(rests[i]), inner.local(divisor)),
      );
      const isOpen = inner.op(simd.v128_or, turns[0].isOpen, turns[1].isOpen);
      const [a, b, open] = inner.emit([turns[0].rest, turns[1].rest, isOpen]);
      f.get(a).set(rests[0]).get(b).set(rests[1]);
      f.get(open).simd(simd.v128_any_true);
    });
    const outer = new VectorBody(f, body.isFused);
    const [a, b] = rests.map((rest) => outer.op(simd.f32x4_demote_f64x2_zero, outer.local(rest)));
    const [all] = outer.emit([outer.halves(a, b)]);
    f.get(all);
  }, halves);
  return new FloatMath(body).withSignOf(size, x);
}

/** Takes multiples of a divisor off two lanes from 0, and says where it still goes into the rest. */
function withoutMultiples(body: VectorBody, x: Vector, divisor: Vector) {
  const quotient = body.op(simd.v128_and, body.op(simd.f64x2_div, x, divisor), body.words(UPPER));
  const product = body.op(simd.f64x2_mul, body.op(simd.f64x2_trunc, quotient), divisor);
  const less = body.op(simd.f64x2_sub, x, product);
  // An infinite divisor goes in nowhere.
  const rest = body.op(simd.v128_bitselect, x, less, body.op(simd.f64x2_lt, x, divisor));
  return { rest, isOpen: body.op(simd.f64x2_le, divisor, rest) };
}
