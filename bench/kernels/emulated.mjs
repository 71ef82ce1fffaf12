// Times what shaders are made of on an adapter that a CPU emulates, and tiles of a product on it:
//   node bench/kernels/emulated.mjs
import { createServer } from "node:http";
import { withPage } from "../../tools/page.mjs";

const blank = createServer((_, response) => {
  response.setHeader("Content-Type", "text/html").end("<!doctype html>");
}).listen(0);
const address = `http://localhost:${blank.address().port}/`;
const server = { resolvedUrls: { local: [address] }, close: () => blank.close() };
await withPage(server, async (page) => {
  page.on("console", (message) => console.log(message.text()));
  await page.goto(address);
  await page.evaluate(measure);
});

/** Runs in the page. */
async function measure() {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
  const list = (n, f, by = "\n") => Array.from({ length: n }, (_, i) => f(i)).join(by);

  /** Seconds of one dispatch, the best of some rounds. */
  async function time(code, bytes, workgroups) {
    const module = device.createShaderModule({ code: `enable subgroups;\n${code}` });
    const compute = { module };
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute });
    const buffers = bytes.map((size) =>
      device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }),
    );
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 8; round++) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < 8; i++) pass.dispatchWorkgroups(workgroups);
      pass.end();
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      best = Math.min(best, performance.now() - start);
    }
    for (const buffer of buffers) buffer.destroy();
    return best / 8000;
  }

  /** Nanoseconds that one of `count` operations of four invocations takes, in one workgroup. */
  async function cost(name, count, declared, body) {
    const code = `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
  let p = a[i];
  ${declared}
  for (var k = 0u; k < 20000u; k++) {
    ${body}
  }
  y[i] = v0;
}`;
    const seconds = await time(code, [65536, 131072], 1);
    console.log(`${name.padEnd(44)} ${((seconds * 1e9) / 20000 / count).toFixed(1)} ns`);
  }

  const sixteen = list(16, (j) => `var v${j} = p;`);
  await cost("multiply-add in a chain", 64, "var v0 = p;", `v0 = ${chain(64)};`);
  await cost(
    "variable that the loop changes",
    16,
    sixteen,
    list(16, (j) => `v${j} += p;`),
  );
  await cost(
    "load of an f32",
    16,
    "var v0 = p;",
    `v0 += ${list(16, (j) => `a[i + k + ${j}u]`, "+")};`,
  );
  const quads = list(16, (j) => `quadBroadcast(v0 + ${j}.0, ${j % 4}u)`, "+");
  await cost("sum, and value from a neighbour", 16, "var v0 = p;", `v0 = ${quads};`);
  const branch = (j) => `if (v${j} > f32(k)) { v${j} += p; }`;
  await cost("branch, and a sum behind it", 16, sixteen, list(16, branch));

  function chain(n) {
    return `${list(n, () => "fma(p, p, ", "")}v0${")".repeat(n)}`;
  }

  /** A tile of rows × 8 columns per invocation; with quads, four neighbours share the rows. */
  function tile(m, k, n, rows, quads) {
    const lanes = quads ? 4 : 1;
    const own = (g) => `vec4(${list(4, (j) => `load_a(m + ${4 * g}u + lane, k + ${j}u)`, ", ")})`;
    const row = (r) =>
      quads
        ? `quadBroadcast(s${r >> 2}, ${r % 4}u)`
        : `vec4(${list(4, (j) => `load_a(m + ${r}u, k + ${j}u)`, ", ")})`;
    const sums = (r, h) =>
      `y${r}_${h} += ${[3, 2, 1].reduceRight((e, j) => `fma(vec4(a${r}[${j}]), b${h}_${j}, ${e})`, `a${r}.x * b${h}_0`)};`;
    return `
const M = ${m}u; const K = ${k}u; const N = ${n}u;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
fn load_a(m: u32, k: u32) -> f32 { return a[m * K + k]; }
fn load_b(k: u32, n: u32) -> vec4f { let i = k * N + n; return vec4(b[i], b[i + 1u], b[i + 2u], b[i + 3u]); }
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let lane = id.x % ${lanes}u;
  const COLUMNS = (N + ${8 * lanes - 1}u) / ${8 * lanes}u * ${lanes}u;
  let n = id.x % COLUMNS * 8u;
  let m = id.x / COLUMNS * ${rows}u;
  ${list(rows, (r) => `var y${r}_0 = vec4f(); var y${r}_1 = vec4f();`)}
  for (var k = 0u; k < K; k += 4u) {
    ${list(4, (j) => `let b0_${j} = load_b(k + ${j}u, n); let b1_${j} = load_b(k + ${j}u, n + 4u);`)}
    ${quads ? list(rows / 4, (g) => `let s${g} = ${own(g)};`) : ""}
    ${list(rows, (r) => `let a${r} = ${row(r)}; ${sums(r, 0)} ${sums(r, 1)}`)}
  }
  var all = array(${list(rows, (r) => `y${r}_0, y${r}_1`, ", ")});
  for (var r = 0u; r < ${2 * rows}u; r++) {
    for (var j = 0u; j < 4u; j++) {
      let column = n + r % 2u * 4u + j;
      if ((m + r / 2u < M) & (column < N)) { y[(m + r / 2u) * N + column] = all[r][j]; }
    }
  }
}`;
  }

  for (const [m, k, n] of [
    [100, 784, 50],
    [64, 784, 128],
    [128, 784, 256],
  ]) {
    const figures = [];
    for (const [rows, quads] of [
      [8, false],
      [16, false],
      [8, true],
      [16, true],
      [20, true],
    ]) {
      const lanes = quads ? 4 : 1;
      const owners = Math.ceil(m / rows) * Math.ceil(n / (8 * lanes)) * lanes;
      const bytes = [m * n, m * k, k * n].map((size) => 4 * size);
      const seconds = await time(tile(m, k, n, rows, quads), bytes, Math.ceil(owners / 16));
      const name = `${rows} × ${8 * lanes}${quads ? " by four" : ""}`;
      figures.push(`${name}: ${((2 * m * k * n) / seconds / 1e9).toFixed(2)}`);
    }
    console.log(`[${m},${k}]·[${k},${n}], GFLOP/s — ${figures.join(", ")}`);
  }
}
