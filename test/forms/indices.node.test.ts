import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FunctionBody } from "../../src/devices/webgpu/function-body.ts";
import { digit, divide, rangeOf, sumOf, write } from "../../src/forms/indices.ts";

const SIZES = [2, 3, 4, 6, 12];

/** Indices of three names: sums of digits of them, from 0 on. */
const indices = fc
  .array(
    fc.tuple(
      fc.nat(2),
      fc.constantFrom(1, 2, 3, 4),
      fc.constantFrom(2, 3, 12),
      fc.integer({ min: -6, max: 12 }),
    ),
    { maxLength: 4 },
  )
  .chain((digits) =>
    fc.tuple(fc.constant(digits), fc.array(fc.nat(4), { minLength: 3, maxLength: 3 })),
  )
  .map(([digits, sizes]) => {
    const names = sizes.map((size, i) => ({ value: `i${i}`, size: SIZES[size] }));
    const terms = digits.map(([name, divisor, size]) => digit(names[name], divisor, size));
    const factors = digits.map(([, , , factor]) => factor);
    const [low] = rangeOf(sumOf(terms, factors));
    const value = (at: readonly number[]) =>
      digits.reduce(
        (sum, [name, divisor, size, factor]) =>
          sum + factor * (Math.floor(at[name] / divisor) % size),
        0 - low,
      );
    return { index: sumOf(terms, factors, 0 - low), sizes: names.map(({ size }) => size), value };
  });

test("quotients and remainders are those of the sum, whatever it is made of", () => {
  fc.assert(
    fc.property(
      indices,
      fc.constantFrom(2, 3, 4, 6, 8),
      fc.constantFrom(2, 3, 5),
      (drawn, n, m) => {
        const { index, sizes, value } = drawn;
        const body = new FunctionBody();
        const [quotient, rest] = divide(body, index, n);
        // Once more, for digits are divided too.
        const [second, third] = divide(body, quotient, m);
        const written = [index, quotient, rest, second, third].map((one) => write(body, one));
        const code = body
          .write("function f(i0, i1, i2)", `[${written}]`)
          .replace(/⟨|⟩/g, "")
          .replace(/\b(\d+)u\b/g, "$1n");
        const f = runInNewContext(`${code}; f`) as (...at: bigint[]) => bigint[];
        for (let k = 0; k < 24; k++) {
          const at = sizes.map((size, i) => (k * [1, 5, 7][i] + (k >> 2)) % size);
          const [x, q, r, s, t] = f(...at.map(BigInt)).map(Number);
          expect(x).toBe(value(at));
          expect([q, r]).toEqual([Math.floor(x / n), x % n]);
          expect([s, t]).toEqual([Math.floor(q / m), q % m]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** What a function of one u32 gives, in 32 bits. */
function inBits(body: FunctionBody, value: string): (x: number) => number {
  const code = body
    .write("function f(x)", value)
    .replace(/\b(\d+)u\b/g, "$1")
    .replace(/(\w+) \* (\d+)/g, "(Math.imul($1, $2) >>> 0)")
    .replace(/(\w+) \/ (\d+)/g, "Math.floor($1 / $2)")
    .replaceAll(" >> ", " >>> ");
  return runInNewContext(`${code}; f`) as (x: number) => number;
}

test("quotients by factors are right in 32 bits, for every number below the size", () => {
  const sizes = fc.oneof(
    fc.integer({ min: 2, max: 2 ** 17 }),
    fc.integer({ min: 2, max: 2 ** 31 }),
  );
  const divisors = fc.integer({ min: 2, max: 5000 });
  fc.assert(
    fc.property(sizes, divisors, divisors, (size, d, n) => {
      const body = new FunctionBody();
      const [first, second] = [d, d * n].map((divisor) => {
        const text = write(body, digit({ value: "x", size }, divisor, size));
        return [divisor, inBits(body, text)] as const;
      });
      for (const [divisor, f] of [first, second]) {
        const ends = [1, 2, 3, Math.floor((size - 1) / divisor)].map((k) => k * divisor);
        const wanted = [0, ...ends.flatMap((end) => [end - 1, end, end + 1]), size - 1];
        for (const x of wanted.filter((x) => x >= 0 && x < size)) {
          expect(f(x), `${x} / ${divisor} below ${size}`).toBe(Math.floor(x / divisor));
        }
      }
    }),
    { numRuns: 1000 },
  );
});

test("numbers below 2^15 are divided by factors, and larger ones by what has been divided", () => {
  const code = (size: number, ...divisors: number[]) => {
    const body = new FunctionBody();
    for (const by of divisors) write(body, digit({ value: "x", size }, by));
    return body.write("").split("\n").slice(1, -1).join("");
  };
  expect(code(2 ** 15, 7)).toBe("  let t0 = (x * 18725u) >> 17u;");
  expect(code(8, 7)).toBe(code(2 ** 15, 7)); // whatever the size
  for (let by = 2; by < 2000; by++) expect(code(2 ** 15, by)).toContain(">>");
  expect(code(2 ** 17, 7)).toBe("  let t0 = x / 7u;");
  expect(code(2 ** 20, 8)).toBe("  let t0 = x >> 3u;");
  expect(code(2 ** 19, 24, 24 * 5)).toBe("  let t0 = x / 24u;  let t1 = (t0 * 26215u) >> 17u;");
});
