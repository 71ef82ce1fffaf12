// Times the first training step of nets that are made of repeats, and counts their pipelines:
//   node bench/kernels/first-steps.mjs
import { createServer } from "vite";
import { withPage } from "../../tools/page.mjs";
import { root } from "../../tools/sources.mjs";

const vite = await createServer({ root, configFile: false, server: { port: 0 }, appType: "mpa" });
await vite.listen();
await withPage(vite, async (page, url) => {
  await page.goto(`${url}package.json`);
  console.log(
    "net | dispatches | pipelines | seconds to the first loss | seconds of ten steps more",
  );
  for (const net of ["recurrent 4", "recurrent 40", "gpt 2", "gpt 4"]) {
    console.log(await page.evaluate(measure, net));
  }
});

/** Runs in the page. */
async function measure(net) {
  const [name, count] = net.split(" ");
  const { evaluate, init, setDefaultDevice } = await import("/src/index.ts");
  const { Adam } = await import("/src/optim/index.ts");
  const { trainStep } = await import("/src/train/index.ts");
  const nets = await import("/test/support/repeated-graphs.ts");
  const { device } = await init({ device: "webgpu", isolated: true });
  setDefaultDevice(device);
  const { model, batch, loss } = nets[name](Number(count));
  evaluate(...Object.values(batch));
  await Promise.all([...model.state().values()].map((state) => state.data()));
  const { pipelines } = device.memory();
  const begun = performance.now();
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 });
  const step = trainStep({ model, optimizer, loss: (_, given) => loss(given) });
  await step(batch);
  await step.read();
  const first = performance.now();
  for (let i = 0; i < 10; i++) await step(batch);
  await step.read();
  const seconds = [first - begun, performance.now() - first].map((ms) => (ms / 1000).toFixed(1));
  const [{ stats }] = step.plans;
  const made = device.memory().pipelines - pipelines;
  device.dispose();
  return [net, stats.dispatches, made, ...seconds].join(" | ");
}
