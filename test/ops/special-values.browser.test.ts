import { beforeAll, describe, expect, test } from "vitest";
import numerics from "../../docs/numerics.md?raw";
import {
  add,
  type Device,
  div,
  equal,
  evaluate,
  greater,
  init,
  less,
  maximum,
  minimum,
  mul,
  notEqual,
  pow,
  sub,
  type Tensor,
  tensor,
  where,
} from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { excesses, type Line, linesIn, readLine } from "../support/error-table.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { agrees, disagreements, largestCall, SPECIAL, text } from "../support/special-values.ts";

/** Rows that keep away from ±3e38, and why: docs/numerics.md says so too. */
const WITHOUT_HUGE: Record<string, string> = {
  sin: "right up to 10⁴, and bounded beyond",
  cos: "right up to 10⁴, and bounded beyond",
  tan: "that of a sine and a cosine",
  cosineDistance: "1 / 3e38 is below the normal numbers, which count as 0",
  adaptiveAvgPool1d: "sums in float32 overflow where those in float64 do not",
  adaptiveAvgPool2d: "sums in float32 overflow where those in float64 do not",
  adaptiveAvgPool3d: "sums in float32 overflow where those in float64 do not",
  avgPool1d: "sums in float32 overflow where those in float64 do not",
  avgPool2d: "sums in float32 overflow where those in float64 do not",
  avgPool3d: "sums in float32 overflow where those in float64 do not",
  batchNorm: "sums in float32 overflow where those in float64 do not",
  bincount: "sums in float32 overflow where those in float64 do not",
  conv1d: "sums in float32 overflow where those in float64 do not",
  conv2d: "sums in float32 overflow where those in float64 do not",
  conv3d: "sums in float32 overflow where those in float64 do not",
  convTranspose1d: "sums in float32 overflow where those in float64 do not",
  convTranspose2d: "sums in float32 overflow where those in float64 do not",
  convTranspose3d: "sums in float32 overflow where those in float64 do not",
  cumProd: "products in float32 overflow where those in float64 do not",
  cumSum: "sums in float32 overflow where those in float64 do not",
  dice: "1 / 3e38 is below the normal numbers, which count as 0",
  dot: "sums in float32 overflow where those in float64 do not",
  einsum: "sums in float32 overflow where those in float64 do not",
  groupNorm: "sums in float32 overflow where those in float64 do not",
  indexAdd: "sums in float32 overflow where those in float64 do not",
  inner: "sums in float32 overflow where those in float64 do not",
  instanceNorm: "sums in float32 overflow where those in float64 do not",
  layerNorm: "sums in float32 overflow where those in float64 do not",
  matmul: "sums in float32 overflow where those in float64 do not",
  nearest: "sums in float32 overflow where those in float64 do not",
  rank1: "sums in float32 overflow where those in float64 do not",
  scaledDotProductAttention: "sums in float32 overflow where those in float64 do not",
  scatterAdd: "sums in float32 overflow where those in float64 do not",
  scatterND: "sums in float32 overflow where those in float64 do not",
  segmentSum: "sums in float32 overflow where those in float64 do not",
  tensordot: "sums in float32 overflow where those in float64 do not",
  vdot: "sums in float32 overflow where those in float64 do not",
  vecdot: "sums in float32 overflow where those in float64 do not",
};

const SEED = 1;

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  gpus = await kernelKinds();
});

for (const kernels of KERNEL_KINDS) {
  describe(`NaN, infinities and zeros of both signs, ${kernels} kernels`, () => {
    for (const [name, row] of tables) {
      const call = largestCall(row);
      if (!call) continue;
      test(name, async () => {
        const devices = [gpus[kernels], cpu] as const;
        const options = { seed: SEED, isHugeFine: !Object.hasOwn(WITHOUT_HUGE, name) };
        expect(await disagreements(row, call, devices, options)).toEqual([]);
      });
    }
  });
}

// The largest calls, whose kernels there are already.
for (const kernels of isAcceptance ? KERNEL_KINDS : (["direct"] as const)) {
  describe(`errors are as docs/numerics.md says, ${kernels} kernels`, () => {
    const lines = linesIn(numerics);
    for (const [name, row] of tables) {
      const call = largestCall(row);
      if (!call || !lines.has(name)) continue; // test/ops/error-table.node.test.ts says so
      test(name, async () => {
        const [, allowed] = readLine(lines.get(name) as string) as [string, Line];
        expect(await excesses(row, [call], { WebGPU: gpus[kernels] }, cpu, allowed)).toEqual([]);
      });
    }
  });
}

/** Evaluates functions of all pairs of special values, in one kernel, on both devices. */
async function compare(functions: Record<string, (a: Tensor, b: Tensor) => Tensor>): Promise<void> {
  const pairs = SPECIAL.flatMap((a) => SPECIAL.map((b) => [a, b]));
  const results = [cpu, gpus.direct].map(async (device) => {
    const [a, b] = [0, 1].map((k) =>
      tensor(
        Float32Array.from(pairs, (pair) => pair[k]),
        { device },
      ),
    );
    const all = Object.values(functions).map((f) => f(a, b));
    evaluate(...all);
    return Promise.all(all.map((y) => y.data()));
  });
  const [expected, actual] = await Promise.all(results);
  const found = Object.keys(functions).flatMap((name, k) =>
    pairs.flatMap(([a, b], i) =>
      agrees(actual[k][i], expected[k][i])
        ? []
        : [
            `${name} of ${text(a)}, ${text(b)}: ${text(actual[k][i])}; expected ${text(expected[k][i])}`,
          ],
    ),
  );
  expect(found).toEqual([]);
}

describe("beside a number, which shaders hold as a literal", () => {
  const literals = [...SPECIAL, 1e30, -1e30, 0.1];
  const binaries = { add, sub, mul, div, maximum, minimum, pow, equal, notEqual, less, greater };
  for (const [name, f] of Object.entries(binaries)) {
    test(name, () => {
      const right = literals.map((c) => [`${name}(a, ${c})`, (a: Tensor) => f(a, c)] as const);
      const left = literals.map((c) => [`${name}(${c}, a)`, (a: Tensor) => f(c, a)] as const);
      return compare(Object.fromEntries([...right, ...left]));
    });
  }

  test("where", () =>
    compare({
      taken: (a, b) => where(greater(a, b), a, Number.NaN),
      other: (a, b) => where(greater(a, b), Number.POSITIVE_INFINITY, b),
      neither: (a, b) => where(greater(a, b), -0, where(equal(a, b), 0, b)),
    }));
});

test("arithmetic is not joined to what would be the same without NaN and infinities", () =>
  compare({
    "(a + b) − b": (a, b) => sub(add(a, b), b),
    "(a − b) + b": (a, b) => add(sub(a, b), b),
    "a − (a + b)": (a, b) => sub(a, add(a, b)),
    "(a · b) / b": (a, b) => div(mul(a, b), b),
    "(a / b) · b": (a, b) => mul(div(a, b), b),
    "a · b + a · b": (a, b) => add(mul(a, b), mul(a, b)),
    "a · b − a · b": (a, b) => sub(mul(a, b), mul(a, b)),
    "(a / b) / b": (a, b) => div(div(a, b), b),
    "a − a": (a) => sub(a, a),
    "a / a": (a) => div(a, a),
    "(a · 1e30) · 1e-30": (a) => mul(mul(a, 1e30), 1e-30),
    "(a · 0) · b": (a, b) => mul(mul(a, 0), b),
    "(a + 1e8) − 1e8": (a) => sub(add(a, 1e8), 1e8),
    "(a · 3e38) / 3e38": (a) => div(mul(a, 3e38), 3e38),
    "−(0 − a)": (a) => sub(0, sub(0, a)),
    "max(a, b) − b": (a, b) => sub(maximum(a, b), b),
  }));
