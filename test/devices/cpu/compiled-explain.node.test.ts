import { beforeAll, expect, test } from "vitest";
import { timeTasks } from "../../../src/devices/cpu/shown/times.ts";
import { statsTable } from "../../../src/engine/explain.ts";
import {
  assignAll,
  compile,
  type Device,
  explain,
  init,
  matmul,
  mean,
  relu,
  State,
  sum,
  type Tensor,
  tensor,
} from "../../../src/index.ts";
import { uniform } from "../../support/reference.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "cpu", engine: "compiled", isolated: true })).device;
});

/** Two groups that differ in nothing but addresses, a product, and one in its plain form. */
async function planOf(dtype: "f32" | "f64") {
  const f = compile((x: Tensor, y: Tensor, z: Tensor) => [
    sum(relu(x), { axis: 0 }),
    sum(relu(y), { axis: 0 }),
    relu(matmul(x, z)),
  ]);
  const of = (shape: readonly number[]) => {
    return tensor(uniform(60, 1), { shape, dtype, device });
  };
  return f.prepare(of([6, 10]), of([6, 10]), of([10, 6]));
}

test("a plan's table names functions, their own memory, and what runs in its plain form", async () => {
  const lines = (await explain(await planOf("f32"))).split("\n");
  expect(lines[0]).toMatch(
    /^3 kernels of WebAssembly, SIMD( with multiply-add)?, 996 FLOP, 1.18 kB read and written$/,
  );
  expect(lines[1]).toMatch(/B between kernels, 1.00 times what is needed at once$/);
  expect(lines[3]).toMatch(/^# +FLOP +B +own B {2}function {2}groups$/);
  expect(lines[4]).toMatch(/^1 +120 +280 +0 {3}f1 +relu\+sum$/);
  expect(lines[5]).toMatch(/^2 +120 +280 +0 {3}f1 +relu\+sum$/);
  expect(lines[6]).toMatch(/^3 +756 +624 .* f4 +matmul\+relu$/);
  const wide = await explain(await planOf("f64"));
  expect(wide).toContain("plain: no code for f64  matmul");
});

test("the code of groups is shown as text, and once where they share it", async () => {
  const plan = await planOf("f32");
  const third = await explain(plan, { code: 3 });
  expect(third.split("(func $").length).toBe(2); // one function, and no other kernel's
  const [, first] = third.split("\n\n3: ");
  expect(first).toContain("matmul+relu\n\n;; $p0: f32[6,10], read\n;; $p1: f32[10,6], read\n");
  expect(first).toContain(";; $p2: f32[6,6], written\n;; $p3: ");
  expect(first).toMatch(/\(f32x4\.(relaxed_madd|add)/);
  const all = await explain(plan, { code: true });
  expect(all.split("(func $").length).toBe(3);
  expect(all).toContain("\n\n2: relu+sum\n\nas 1\n\n3:");
  const plain = await explain(await planOf("f64"), { code: 1 });
  expect(plain.split("\n\n").at(-1)).toBe("plain TypeScript: no code for f64");
});

test("what threads share out is shown in units", async () => {
  const threads = { device: "cpu", engine: "compiled", isolated: true, threads: 2 } as const;
  const { device: shared } = await init(threads);
  const x = tensor(uniform(256 * 256, 1), { shape: [256, 256], device: shared });
  const f = compile((y: Tensor) => [relu(matmul(y, y)), sum(y)]);
  const plan = await f.prepare(x);
  const text = await explain(plan, { code: true, profile: await f.profile(x) });
  expect(text).toMatch(/^# .* units +µs {2}function {2}groups$/m);
  expect(text).toMatch(/ 32 +[\d.]+ {2}f\d+ +matmul\+relu$/m);
  expect(text).toMatch(/^;; \$p3, \$p4: from which unit up to which of 32$/m);
  shared.dispose();
});

test("explain refuses kernels that are not there, other plans' profiles and what it does not know", async () => {
  const plan = await planOf("f32");
  const says = (options: object) => explain(plan, options as never).catch((e) => e.message);
  for (const code of [4, 0, -1, 1.5]) {
    expect(await says({ code })).toBe(
      `explain: code ${code}; expected true, false or a kernel's number up to 3`,
    );
  }
  for (const profile of [{ clock: "host", kernels: [] }, {}]) {
    expect(await says({ profile })).toContain("expected that of the plan, with 3 kernels");
  }
  expect(await says({ wat: true })).toBe('explain: unknown option "wat"; expected profile, code');
});

/** A function whose groups read what they change: a state that decays, and one that counts. */
function decaying() {
  const state = new State(tensor(uniform(40, 3), { device }), { name: "state" });
  const count = new State(tensor(0, { device, dtype: "u32" }), { name: "count" });
  const f = compile((x: Tensor) => {
    const next = state.mul(0.5).add(x);
    assignAll([
      [state, next],
      [count, count.add(1)],
    ]);
    return mean(next);
  });
  return { f, state, count };
}

test("profiling runs a step once, however often each of its groups runs", async () => {
  const [own, wanted] = [decaying(), decaying()];
  const x = tensor(uniform(40, 4), { device });
  for (let i = 0; i < 3; i++) await wanted.f(x);
  await own.f(x);
  const profile = await own.f.profile(x);
  await own.f(x);
  expect(await own.state.data()).toEqual(await wanted.state.data());
  expect(await own.count.item()).toBe(3);
  const [plan] = own.f.plans;
  const { kernels } = await plan.stats();
  expect(profile.clock).toBe("host");
  expect(profile.kernels.map(({ name }) => [[name]])).toEqual(
    kernels.map(({ groups }) => groups.map((ops) => [ops.join("+")])).map(([one]) => [one]),
  );
  profile.kernels.forEach(({ start, duration }, i) => {
    expect(duration).toBeGreaterThan(0);
    const before = profile.kernels[i - 1];
    expect(start).toBeCloseTo(before ? before.start + before.duration : 0, 6);
  });
  expect(await explain(plan, { profile })).toMatch(/µs in all, by the host's clock\n\n.* µs {2}f/);
});

test("short tasks run until a coarse clock resolves them, on the values that they found", () => {
  const { now } = performance;
  let time = 0;
  const bytes = Uint8Array.of(1, 2, 3);
  const seen = new Set<number>();
  const run = () => {
    time += 0.003;
    seen.add(bytes[0]);
    bytes[0]++;
  };
  performance.now = () => {
    time += 0.0001;
    return Math.floor(time / 0.1) * 0.1;
  };
  try {
    const wait = () => {
      time += 30;
    };
    const long = { name: "long", changed: [], run: wait };
    const { kernels } = timeTasks([{ name: "short", changed: [bytes], run }, long]);
    expect([...bytes]).toEqual([2, 2, 3]);
    expect(Math.max(...seen)).toBeLessThanOrEqual(64);
    expect(Math.abs(kernels[0].duration - 3)).toBeLessThan(0.3);
    expect(Math.abs(kernels[1].duration - 30_000)).toBeLessThan(101);
    expect(kernels[1].start).toBe(kernels[0].duration);
  } finally {
    performance.now = now;
  }
});

test("times stand in the table where there are some", () => {
  const one = { groups: [["neg"]], flops: 4, bytes: 8, workgroups: 0, bindings: 0 };
  const stats = { dispatches: 0, flops: 4, bytes: 8, peakBytes: 0, lowerBoundBytes: 0 };
  const kernels = [one, one, one].map((kernel) => ({ ...kernel }));
  const times = [0.01234, 12345.6, 7].map((duration) => ({ name: "neg", start: 0, duration }));
  const profile = { clock: "host" as const, kernels: times };
  expect(statsTable({ ...stats, kernels, engine: "plain TypeScript" }, profile)).toBe(
    [
      "3 kernels of plain TypeScript, 4 FLOP, 8 B read and written",
      "0 B between kernels, 1.00 times what is needed at once",
      "12353 µs in all, by the host's clock",
      "",
      "#  FLOP   B      µs  groups",
      "1    4   8   0.0123  neg",
      "2    4   8    12346  neg",
      "3    4   8     7.00  neg",
    ].join("\n"),
  );
});
