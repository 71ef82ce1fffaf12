import { type Check, messageOf } from "../context.ts";
import { runOnce } from "../raw.ts";
import type { Row } from "../report.ts";

const [NAN, INF] = [Number.NaN, Number.POSITIVE_INFINITY];

/** An expression of a, b (f32) and p, q (their bits), and what IEEE 754 or WGSL has it give. */
interface Probe {
  readonly name: string;
  readonly a: number;
  readonly b?: number;
  readonly wgsl: string;
  readonly is: number;
}

const MUST: readonly Probe[] = [
  {
    name: "a NaN is seen by its bits",
    a: NAN,
    wgsl: "select(0f, 1f, (p & 0x7fffffffu) > 0x7f800000u)",
    is: 1,
  },
  {
    name: "an infinity is seen by its bits",
    a: INF,
    wgsl: "select(0f, 1f, (p & 0x7fffffffu) == 0x7f800000u)",
    is: 1,
  },
  { name: "−0 is seen by its bits", a: -0, wgsl: "select(0f, 1f, p == 0x80000000u)", is: 1 },
  { name: "bits become the number again", a: 1.5, wgsl: "bitcast<f32>(p)", is: 1.5 },
  { name: "a sum", a: 1, b: 2 ** -23, wgsl: "a + b", is: 1 + 2 ** -23 },
  { name: "a product", a: 3, b: 1.25, wgsl: "a * b", is: 3.75 },
  { name: "a difference of close numbers", a: 1 + 2 ** -23, b: 1, wgsl: "a - b", is: 2 ** -23 },
  { name: "a multiply-add", a: 3, b: 4, wgsl: "fma(a, b, 5f)", is: 17 },
  { name: "rounding down below zero", a: -1.5, wgsl: "floor(a)", is: -2 },
  { name: "rounding halves to even", a: 2.5, wgsl: "round(a)", is: 2 },
  { name: "an integer of a float", a: -7.9, wgsl: "f32(i32(a))", is: -7 },
  { name: "a large integer of a float", a: 3e9, wgsl: "f32(u32(a) >> 8u)", is: 11718750 },
  { name: "a comparison", a: -1, b: 2, wgsl: "select(0f, 1f, a < b)", is: 1 },
  { name: "the larger of two", a: -1, b: 2, wgsl: "max(a, b)", is: 2 },
];

/** What WGSL leaves open: forms of ops test bits where it matters. */
const OPEN: readonly Probe[] = [
  { name: "NaN ≠ NaN", a: NAN, wgsl: "select(0f, 1f, a != a)", is: 1 },
  { name: "NaN · 0", a: NAN, wgsl: "a * 0f", is: NAN },
  { name: "NaN + 1", a: NAN, wgsl: "a + 1f", is: NAN },
  { name: "max(NaN, 0)", a: NAN, b: 0, wgsl: "max(a, b)", is: NAN },
  { name: "min(0, NaN)", a: 0, b: NAN, wgsl: "min(a, b)", is: NAN },
  { name: "clamp(NaN)", a: NAN, wgsl: "clamp(a, 0f, 1f)", is: NAN },
  { name: "abs(NaN)", a: NAN, wgsl: "abs(a)", is: NAN },
  { name: "exp(NaN)", a: NAN, wgsl: "exp(a)", is: NAN },
  { name: "∞ − ∞", a: INF, wgsl: "a - a", is: NAN },
  { name: "∞ · 0", a: INF, b: 0, wgsl: "a * b", is: NAN },
  { name: "0 / 0", a: 0, wgsl: "a / a", is: NAN },
  { name: "1 / 0", a: 0, wgsl: "1f / a", is: INF },
  { name: "exp(100)", a: 100, wgsl: "exp(a)", is: INF },
  { name: "exp(−∞)", a: -INF, wgsl: "exp(a)", is: 0 },
  { name: "log(0)", a: 0, wgsl: "log(a)", is: -INF },
  { name: "log(−1)", a: -1, wgsl: "log(a)", is: NAN },
  { name: "√−1", a: -1, wgsl: "sqrt(a)", is: NAN },
  { name: "tanh(100)", a: 100, wgsl: "tanh(a)", is: 1 },
  { name: "sin(∞)", a: INF, wgsl: "sin(a)", is: NAN },
  { name: "−0 + −0", a: -0, wgsl: "a + a", is: -0 },
  { name: "−0 · 1", a: -0, b: 1, wgsl: "a * b", is: -0 },
  { name: "(x + 10⁸) − 10⁸", a: 0.5, b: 1e8, wgsl: "(a + b) - b", is: 0 },
  { name: "(x · 3·10³⁸) / 3·10³⁸", a: 4, b: 3e38, wgsl: "(a * b) / b", is: INF },
  { name: "half of the smallest normal number", a: 2 ** -126, wgsl: "a * 0.5f", is: 2 ** -127 },
  { name: "a subnormal number as it is", a: 2 ** -140, wgsl: "a", is: 2 ** -140 },
];

/** Evaluates probes in one kernel. */
async function evaluate(device: GPUDevice, probes: readonly Probe[]): Promise<Float32Array> {
  const x = Float32Array.from(probes.flatMap(({ a, b = 0 }) => [a, b]));
  const lines = probes.map(({ wgsl }, i) => {
    const own = ["a", "b", "p", "q"].reduce(
      (text, name) => text.replace(new RegExp(`\\b${name}\\b`, "g"), `${name}${i}`),
      wgsl,
    );
    const [p, q] = [`x[${2 * i}u]`, `x[${2 * i + 1}u]`];
    return `  let p${i} = ${p}; let q${i} = ${q};
  let a${i} = bitcast<f32>(p${i}); let b${i} = bitcast<f32>(q${i});
  y[${i}u] = ${own};`;
  });
  const code = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@compute @workgroup_size(1) fn main() {
${lines.join("\n")}
}`;
  const y = new Float32Array(probes.length);
  return (await runOnce(device, code, new Uint32Array(x.buffer), y)) as Float32Array;
}

const text = (value: number) => (Object.is(value, -0) ? "−0" : String(value));

/** Functions whose errors are measured: WGSL, and float64. */
const BUILT_INS: Readonly<Record<string, readonly [(x: number) => number, number, number]>> = {
  exp: [Math.exp, -80, 80],
  log: [Math.log, 1e-6, 1e6],
  sqrt: [Math.sqrt, 0, 1e6],
  inverseSqrt: [(x) => 1 / Math.sqrt(x), 1e-6, 1e6],
  sin: [Math.sin, -3, 3],
  cos: [Math.cos, -1.5, 1.5],
  tanh: [Math.tanh, 0.1, 10],
  "1 / x": [(x) => 1 / x, 1e-3, 1e3],
  "pow(x, 2)": [(x) => x * x, 0.1, 100],
};
const SAMPLES = 1024;

/** The largest relative error of each built-in function, in units of 2⁻²⁴. */
async function builtInErrors(device: GPUDevice): Promise<Row[]> {
  const names = Object.keys(BUILT_INS);
  const x = Float32Array.from({ length: names.length * SAMPLES }, (_, i) => {
    const [, low, high] = BUILT_INS[names[Math.floor(i / SAMPLES)]];
    return low + ((high - low) * ((i % SAMPLES) + 0.5)) / SAMPLES;
  });
  const calls = names.map((name, k) => {
    const call =
      name.includes("x") && !name.startsWith("exp")
        ? name.replace("1 ", "1f ").replace("2)", "2f)")
        : `${name}(x)`;
    return `  { let x = values[i + ${k * SAMPLES}u]; y[i + ${k * SAMPLES}u] = ${call}; }`;
  });
  const code = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
${calls.join("\n")}
}`;
  const groups = SAMPLES / 64;
  const y = await runOnce(device, code, x, new Float32Array(x.length), [groups, 1, 1]);
  return names.map((name, k) => {
    const [js] = BUILT_INS[name];
    let figure = 0;
    for (let i = k * SAMPLES; i < (k + 1) * SAMPLES; i++) {
      const want = js(x[i]);
      figure = Math.max(figure, Math.abs(y[i] - want) / Math.abs(want) / 2 ** -24);
    }
    return { name, figure };
  });
}

/** What the adapter's compiler makes of numbers: what it must keep, and what it may lose. */
export const compiler: Check = {
  name: "Numbers",
  seconds: { quick: 0.5, full: 1 },
  run: async (context) => {
    const device = await context.bench.gpu();
    const must = await evaluate(device, MUST);
    const bad = MUST.flatMap(({ name, is }, i) =>
      Object.is(must[i], is)
        ? []
        : [{ name, note: `wrong: ${text(must[i])}; expected ${text(is)}` }],
    );
    context.line({
      name: "what every kernel relies on",
      verdict: bad.length > 0 ? "wrong" : "ok",
      text: `${MUST.length - bad.length} of ${MUST.length} as they must be`,
      rows: bad,
    });
    const open = await evaluate(device, OPEN);
    const lost = OPEN.flatMap(({ name, is }, i) =>
      Object.is(open[i], Math.fround(is))
        ? []
        : [{ name, note: `${text(open[i])} in place of ${text(is)}` }],
    );
    context.line({
      name: "NaN, ∞ and −0 in its arithmetic",
      verdict: "ok",
      text: `keeps ${OPEN.length - lost.length} of ${OPEN.length}; kernels do without the others`,
      rows: lost,
    });
    try {
      const rows = await builtInErrors(device);
      const [worst] = [...rows].sort((a, b) => (b.figure ?? 0) - (a.figure ?? 0));
      context.line({
        name: "errors of built-in functions",
        verdict: "ok",
        text: `at the most, of ${worst.name}; kernels have functions of their own`,
        figure: worst.figure,
        unit: "× 2⁻²⁴",
        isLessBetter: true,
        rows,
      });
    } catch (error) {
      context.line({
        name: "errors of built-in functions",
        verdict: "wrong",
        text: messageOf(error),
      });
    }
  },
};
