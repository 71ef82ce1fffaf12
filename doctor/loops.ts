/**
 * Small kernels with known results, in forms that some compiler or other has got wrong: loops with breaks
 * and returns, long ones and such whose end nobody foresees, switches in loops, values that change
 * places, arrays of an invocation indexed by variables, barriers in loops.
 */

/** 64 invocations, i = 0 to 63, each with a number x of the input; `result` is what each stores. */
export interface LoopCase {
  readonly name: string;
  /** Statements that declare `result`, of i and x. */
  readonly body: string;
  /** What stands in front of the kernel. */
  readonly head?: string;
  readonly result: (i: number, x: number) => number;
}

export const INVOCATIONS = 64;

/** The input: numbers below 1,000, none of them zero. */
export const INPUT = Uint32Array.from({ length: INVOCATIONS }, (_, i) => 1 + ((i * 7919) % 997));

/** A linear congruential generator modulo 2³², as in Press et al., "Numerical Recipes", section 7.1. */
const next = (s: number) => (Math.imul(s, 1664525) + 1013904223) >>> 0;
const NEXT = "s * 1664525u + 1013904223u";
const LONG = 100_000;

function repeated(times: number, s: number, step: (s: number, k: number) => number): number {
  let value = s;
  for (let k = 0; k < times; k++) value = step(value, k);
  return value >>> 0;
}

function collatz(x: number): number {
  let steps = 0;
  for (let n = x; n !== 1; n = n % 2 === 0 ? n / 2 : 3 * n + 1) steps++;
  return steps;
}

export const LOOPS: readonly LoopCase[] = [
  {
    name: "a break out of a counted loop",
    body: `var result = 0u;
  for (var k = 0u; k < 1000u; k++) { if (k * k > x) { break; } result += k; }`,
    result: (_, x) => repeated(Math.floor(Math.sqrt(x)) + 1, 0, (s, k) => s + k),
  },
  {
    name: "a continue in a counted loop",
    body: `var result = 0u;
  for (var k = 0u; k < 40u; k++) { if ((k & 3u) == (x & 3u)) { continue; } result += k; }`,
    result: (_, x) => repeated(40, 0, (s, k) => s + (k % 4 === x % 4 ? 0 : k)),
  },
  {
    name: "a loop that only a break ends",
    body: `var result = x; var k = 0u;
  loop { if (k == i) { break; } result = result * 3u + 1u; k++; }`,
    result: (i, x) => repeated(i, x, (s) => (Math.imul(s, 3) + 1) >>> 0),
  },
  {
    name: "a break at the end of each turn",
    body: `var result = 0u; var k = 0u;
  loop { result += k * x; continuing { k++; break if k > i; } }`,
    result: (i, x) => repeated(i + 1, 0, (s, k) => s + k * x),
  },
  {
    name: "a loop with two conditions",
    body: `var result = 1u; var k = 0u;
  while (result < 5000u && k < i) { result = result * 2u + x; k++; }`,
    result: (i, x) => repeated(i, 1, (s) => (s < 5000 ? s * 2 + x : s)),
  },
  {
    name: "counting down to zero",
    body: "var result = 0u;\n  for (var k = x; k > 0u; k--) { result = result * 5u + k; }",
    result: (_, x) => repeated(x, 0, (s, k) => (Math.imul(s, 5) + (x - k)) >>> 0),
  },
  {
    name: "counting by fours",
    body: "var result = 0u;\n  for (var k = 0u; k < 100u; k += 4u) { result += k ^ x; }",
    result: (_, x) => repeated(25, 0, (s, k) => s + ((4 * k) ^ x)),
  },
  {
    name: "an end that memory gives",
    body: "var result = i;\n  for (var k = 0u; k < values[i]; k++) { result += k; }",
    result: (i, x) => i + (x * (x - 1)) / 2,
  },
  {
    name: `a loop of ${LONG.toLocaleString("en")} turns`,
    body: `var s = x;
  for (var k = 0u; k < ${LONG}u; k++) { s = ${NEXT}; }
  let result = s;`,
    result: (_, x) => repeated(LONG, x, next),
  },
  {
    name: "a long loop with a break that never comes",
    body: `var s = x;
  for (var k = 0u; k < ${LONG}u; k++) { if (s == 0u && k == 77u) { break; } s = (${NEXT}) | 1u; }
  let result = s;`,
    result: (_, x) => repeated(LONG, x, (s) => next(s) | 1),
  },
  {
    name: "a loop whose end nobody foresees",
    body: `var result = 0u; var n = x;
  while (n != 1u) { if (n % 2u == 0u) { n = n / 2u; } else { n = 3u * n + 1u; } result++; }`,
    result: (_, x) => collatz(x),
  },
  {
    name: "a switch in a loop",
    body: `var result = 0u;
  for (var k = 0u; k < 30u; k++) {
    switch ((k + x) % 5u) {
      case 0u: { result += 1u; }
      case 1u, 2u: { if (k > 20u) { break; } result += 10u; }
      default: { result += 100u; }
    }
  }`,
    result: (_, x) =>
      repeated(30, 0, (s, k) => {
        const which = (k + x) % 5;
        if (which === 0) return s + 1;
        if (which > 2) return s + 100;
        return k > 20 ? s : s + 10;
      }),
  },
  {
    name: "a continue out of a switch in a loop",
    body: `var result = 0u;
  for (var k = 0u; k < 30u; k++) {
    switch ((k ^ x) & 3u) { case 1u: { continue; } case 3u: { result += 7u; } default: {} }
    result += k;
  }`,
    result: (_, x) =>
      repeated(30, 0, (s, k) => {
        const which = (k ^ x) & 3;
        return which === 1 ? s : s + k + (which === 3 ? 7 : 0);
      }),
  },
  {
    name: "a return out of two loops",
    head: `fn found(x: u32) -> u32 {
  for (var a = 1u; a < 40u; a++) {
    for (var b = 1u; b <= a; b++) { if (a * b >= x) { return a * 100u + b; } }
  }
  return 7u;
}`,
    body: "let result = found(x);",
    result: (_, x) => {
      for (let a = 1; a < 40; a++) {
        for (let b = 1; b <= a; b++) if (a * b >= x) return a * 100 + b;
      }
      return 7;
    },
  },
  {
    name: "a break out of the inner of two loops",
    body: `var result = 0u;
  for (var a = 0u; a < 12u; a++) {
    for (var b = 0u; b < 12u; b++) { if (a + b > x % 20u) { break; } result += a * b + 1u; }
  }`,
    result: (_, x) => {
      let sum = 0;
      for (let a = 0; a < 12; a++) {
        for (let b = 0; b < 12 && a + b <= x % 20; b++) sum += a * b + 1;
      }
      return sum;
    },
  },
  {
    name: "a loop in a function that a loop calls",
    head: `fn power(x: u32, n: u32) -> u32 {
  var y = 1u;
  for (var k = 0u; k < n; k++) { y *= x; }
  return y;
}`,
    body: "var result = 0u;\n  for (var k = 0u; k < 8u; k++) { result += power(x, k); }",
    result: (_, x) => repeated(8, 0, (s, k) => (s + repeated(k, 1, (y) => Math.imul(y, x))) >>> 0),
  },
  {
    name: "two values that change places each turn",
    body: `var a = x; var b = i;
  for (var k = 0u; k < 21u; k++) { let c = a; a = b; b = c + 2u * b; }
  let result = a ^ b;`,
    result: (i, x) => {
      let [a, b] = [x, i];
      for (let k = 0; k < 21; k++) [a, b] = [b, (a + 2 * b) >>> 0];
      return (a ^ b) >>> 0;
    },
  },
  {
    name: "an array of the invocation's own, by variables",
    body: `var list: array<u32, 16>;
  for (var k = 0u; k < 16u; k++) { list[(k * 5u + x) % 16u] = k; }
  var result = 0u;
  for (var k = 0u; k < 16u; k++) { result = result * 3u + list[k]; }`,
    result: (_, x) => {
      const list: number[] = [];
      for (let k = 0; k < 16; k++) list[(k * 5 + x) % 16] = k;
      return list.reduce((s, value) => (Math.imul(s, 3) + value) >>> 0, 0);
    },
  },
  {
    name: "an array of vectors, by variables",
    body: `var list: array<vec4u, 4>;
  for (var k = 0u; k < 16u; k++) { list[k / 4u][(k + x) % 4u] += k * k; }
  var result = 0u;
  for (var k = 0u; k < 4u; k++) { let v = list[k]; result = result * 7u + v.x + 2u * v.y + 3u * v.z + 5u * v.w; }`,
    result: (_, x) => {
      const list = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
      for (let k = 0; k < 16; k++) list[Math.floor(k / 4)][(k + x) % 4] += k * k;
      return list.reduce((s, [a, b, c, d]) => Math.imul(s, 7) + a + 2 * b + 3 * c + 5 * d, 0) >>> 0;
    },
  },
  {
    name: "columns of a matrix, by variables",
    body: `var m = mat4x4f();
  for (var k = 0u; k < 16u; k++) { m[k % 4u][k / 4u] = f32((k * x) % 64u); }
  var sum = 0f;
  for (var k = 0u; k < 4u; k++) { sum += dot(m[(k + x) % 4u], vec4f(1, 2, 3, 4)) * f32(k + 1u); }
  let result = u32(sum);`,
    result: (_, x) => {
      let sum = 0;
      for (let k = 0; k < 4; k++) {
        for (let row = 0; row < 4; row++) {
          sum += (row + 1) * (((4 * row + ((k + x) % 4)) * x) % 64) * (k + 1);
        }
      }
      return sum;
    },
  },
  {
    name: "a structure that a function changes",
    head: `struct Totals { sum: u32, most: u32, list: array<u32, 3> }
fn take(totals: ptr<function, Totals>, value: u32) {
  (*totals).sum += value;
  (*totals).most = max((*totals).most, value);
  (*totals).list[value % 3u] += 1u;
}`,
    body: `var totals = Totals();
  for (var k = 0u; k < 20u; k++) { take(&totals, (k * x) % 31u); }
  let result = totals.sum + 1000u * totals.most + 100000u * totals.list[1];`,
    result: (_, x) => {
      const all = Array.from({ length: 20 }, (_, k) => (k * x) % 31);
      const ones = all.filter((value) => value % 3 === 1).length;
      return all.reduce((a, b) => a + b) + 1000 * Math.max(...all) + 100_000 * ones;
    },
  },
  {
    name: "what is behind && is left alone",
    head: `var<private> calls: u32;
fn called(x: bool) -> bool { calls++; return x; }`,
    body: `calls = 0u;
  for (var k = 0u; k < 10u; k++) { if (k > x % 10u && called(k > 5u)) { calls += 100u; } }
  let result = calls;`,
    result: (_, x) => repeated(10, 0, (s, k) => (k > x % 10 ? s + 1 + (k > 5 ? 100 : 0) : s)),
  },
  {
    name: "shifts by variables",
    body: `var result = x;
  for (var k = 0u; k < 32u; k++) { result = (result << (k % 5u)) | (result >> (32u - max(1u, k % 5u))); }`,
    result: (_, x) =>
      repeated(32, x, (s, k) => ((s << (k % 5)) | (s >>> (32 - Math.max(1, k % 5)))) >>> 0),
  },
  {
    name: "quotients and remainders of negative integers",
    body: `var sum = 0i;
  for (var k = -20i; k < 20i; k++) { sum += (k * i32(x)) / 7i * 3i + (k * i32(x)) % 7i; }
  let result = u32(sum + 1000000i);`,
    result: (_, x) => {
      let sum = 0;
      for (let k = -20; k < 20; k++) sum += Math.trunc((k * x) / 7) * 3 + ((k * x) % 7);
      return sum + 1_000_000;
    },
  },
  {
    name: "the upper half of a product, by quarters",
    head: `fn upper(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu; let a1 = a >> 16u; let b0 = b & 0xffffu; let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let other = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (other >> 16u);
}`,
    body: "let result = upper(x * 4000037u, i * 67000013u + 0x80000000u);",
    result: (i, x) => {
      const a = BigInt(Math.imul(x, 4_000_037) >>> 0);
      const b = BigInt((Math.imul(i, 67_000_013) + 0x80000000) >>> 0);
      return Number((a * b) >> 32n);
    },
  },
  {
    name: "functions of bits",
    body: `let s = ${NEXT.replace("s", "x")};
  let result = countOneBits(s) + (reverseBits(s) & 0xffffu) + (firstLeadingBit(s) << 16u) + (firstTrailingBit(s | 256u) << 22u);`,
    result: (_, x) => {
      const s = next(x);
      const bits = s.toString(2).padStart(32, "0");
      const reversed = Number.parseInt([...bits].reverse().join(""), 2);
      const ones = [...bits].filter((bit) => bit === "1").length;
      const trailing = (s | 256) >>> 0;
      const lowest = Math.log2((trailing & -trailing) >>> 0);
      const top = 31 - Math.clz32(s);
      return (ones + (reversed & 0xffff) + (top << 16) + (lowest << 22)) >>> 0;
    },
  },
  {
    name: "a loop that counts in floats",
    body: "var sum = 0f;\n  for (var f = 0f; f < 10f; f += 0.5f) { sum += f * f32(x); }\n  let result = u32(sum);",
    result: (_, x) => 95 * x,
  },
  {
    name: "neighbours that go different ways, and meet again",
    body: `var s = x;
  for (var turn = 0u; turn < 4u; turn++) {
    if (((i >> turn) & 1u) == 0u) { for (var k = 0u; k < x % 9u; k++) { s = ${NEXT}; } }
    else { for (var k = 0u; k < 3u; k++) { s ^= s >> 3u; } }
    s += turn;
  }
  let result = s;`,
    result: (i, x) => {
      let s = x;
      for (let turn = 0; turn < 4; turn++) {
        if (((i >> turn) & 1) === 0) s = repeated(x % 9, s, next);
        else s = repeated(3, s, (value) => value ^ (value >>> 3));
        s = (s + turn) >>> 0;
      }
      return s;
    },
  },
  {
    name: "barriers in a loop: running totals of a workgroup",
    head: "var<workgroup> shared_values: array<u32, 64>;",
    body: `shared_values[i] = x;
  workgroupBarrier();
  for (var step = 1u; step < 64u; step = step * 2u) {
    var other = 0u;
    if (i >= step) { other = shared_values[i - step]; }
    workgroupBarrier();
    shared_values[i] += other;
    workgroupBarrier();
  }
  let result = shared_values[i];`,
    result: (i) => INPUT.slice(0, i + 1).reduce((a, b) => a + b),
  },
  {
    name: "barriers in a counted loop: tiles that all load and all read",
    head: "var<workgroup> tile: array<u32, 64>;",
    body: `var result = 0u;
  for (var t = 0u; t < 6u; t++) {
    tile[i] = values[(i + t * 11u) % 64u];
    workgroupBarrier();
    for (var k = 0u; k < 64u; k++) { result = result * 3u + tile[(k + i) % 64u]; }
    workgroupBarrier();
  }`,
    result: (i) => {
      let sum = 0;
      for (let t = 0; t < 6; t++) {
        for (let k = 0; k < 64; k++)
          sum = Math.imul(sum, 3) + INPUT[(((k + i) % 64) + t * 11) % 64];
      }
      return sum >>> 0;
    },
  },
  {
    name: "atomic additions of a workgroup",
    head: "var<workgroup> total: atomic<u32>;",
    body: `for (var k = 0u; k < 5u; k++) { atomicAdd(&total, x + k); }
  workgroupBarrier();
  let result = atomicLoad(&total);`,
    result: () => INPUT.reduce((a, b) => a + b) * 5 + 10 * INVOCATIONS,
  },
];

/** The whole WGSL of a case. */
export function loopCode({ head = "", body }: LoopCase): string {
  return `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<u32>;
${head}
@compute @workgroup_size(${INVOCATIONS}) fn main(@builtin(local_invocation_index) i: u32) {
  let x = values[i];
  ${body}
  y[i] = result;
}`;
}
