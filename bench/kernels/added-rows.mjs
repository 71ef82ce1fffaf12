// Times the gradients of gathered rows, as of embeddings, on WebGPU in headless Chromium:
//   node bench/kernels/added-rows.mjs
import { createServer } from "vite";
import { withPage } from "../../tools/page.mjs";
import { root } from "../../tools/sources.mjs";

const vite = await createServer({ root, configFile: false, server: { port: 0 }, appType: "mpa" });
await vite.listen();
await withPage(vite, async (page, url) => {
  await page.goto(`${url}package.json`);
  console.log("rows × columns | indices | dispatches | milliseconds");
  for (const sizes of [
    [300, 16, 128],
    [1000, 16, 256],
    [10_000, 64, 1024],
    [10_000, 64, 4096],
    [50_000, 64, 4096],
  ]) {
    console.log(await page.evaluate(measure, sizes));
  }
});

/** Runs in the page. */
async function measure([rows, columns, count]) {
  const { compile, full, gather, grad, init, mul, ones, sum, tensor } = await import(
    "/src/index.ts"
  );
  await init({ device: "webgpu" });
  const table = ones([rows, columns]);
  const indices = tensor(Int32Array.from({ length: count }, (_, j) => (j * 7919) % rows));
  const g = full([count, columns], 0.5);
  const add = compile((x, i, g) => grad(sum(mul(gather(x, i), g)), [x])[0]);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 6; round++) {
    const start = performance.now();
    const y = await add(table, indices, g);
    await y.data();
    best = Math.min(best, performance.now() - start);
    y.dispose();
  }
  const { dispatches } = await add.plans[0].stats;
  return `${rows} × ${columns} | ${count} | ${dispatches} | ${best.toFixed(1)}`;
}
