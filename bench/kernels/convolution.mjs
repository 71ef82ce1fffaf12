// Times convolutions as windows and a product, on WebGPU in headless Chromium: as a view, and with the
// windows' elements stored first, as most libraries do; and their gradients.
//   node bench/kernels/convolution.mjs
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { withPage } from "../../tools/page.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const server = await createServer({
  root,
  configFile: false,
  logLevel: "error",
  server: { port: 0, watch: null, hmr: false },
  optimizeDeps: { noDiscovery: true, exclude: ["webgpu"] },
});
await server.listen();
await withPage(server, async (page, url) => {
  page.on("console", (message) => message.type() === "log" && console.log(message.text()));
  await page.goto(`${url}LICENSE`);
  await page.evaluate(measure, url);
});

/** Runs in the page. */
async function measure(url) {
  const gradus = await import(`${url}src/index.ts`);
  const { compile, grad, init, matmul, pad, permute, relu, reshape, tensor, windows } = gradus;
  await init({ device: "webgpu" });

  const random = (...shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7)),
      { shape },
    );
  };

  /** Milliseconds of one call, the best of some rounds. */
  async function time(call) {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 6; round++) {
      const start = performance.now();
      await (await call()).data();
      best = Math.min(best, performance.now() - start);
    }
    return best.toFixed(1).padStart(13);
  }

  const columnsOf = (x, w, margin) => {
    const [kh, kw, channels] = w.shape;
    const sides = [
      [0, 0],
      [margin, margin],
      [margin, margin],
      [0, 0],
    ];
    const view = windows(margin > 0 ? pad(x, sides) : x, [kh, kw], { axis: [1, 2] });
    const [n, oh, ow] = view.shape;
    return reshape(permute(view, 0, 1, 2, 4, 5, 3), [n * oh * ow, kh * kw * channels]);
  };
  const product = (columns, w, b) =>
    relu(matmul(columns, reshape(w, [w.size / b.size, b.size])).add(b));

  console.log(
    "milliseconds".padEnd(28),
    ...["a view", "stored first", "gradients"].map((t) => t.padStart(13)),
  );
  for (const [image, kernel, margin] of [
    [[8, 28, 28, 16], [5, 5, 16, 32], 0],
    [[8, 28, 28, 16], [5, 5, 16, 32], 2],
    [[8, 28, 28, 3], [5, 5, 3, 16], 0],
    [[8, 14, 14, 32], [3, 3, 32, 64], 1],
  ]) {
    const [x, w, b] = [random(...image), random(...kernel), random(kernel[3])];
    const whole = (x, w, b) => product(columnsOf(x, w, margin), w, b);
    const view = compile(whole);
    const columns = compile((x, w) => columnsOf(x, w, margin));
    const rest = compile(product);
    const gradients = compile((x, w, b) => grad(whole(x, w, b).sum(), [w, b, x]));
    const times = [
      await time(() => view(x, w, b)),
      await time(async () => rest(await columns(x, w), w, b)),
      await time(async () => (await gradients(x, w, b))[0]),
    ];
    const name = `${image.slice(1)} * ${kernel} + ${margin}`;
    console.log(name.padEnd(28), ...times);
  }
}
