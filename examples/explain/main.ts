// Shows the plan of the step that trains the two-layer network on MNIST, and the times of its kernels.
// The page's address may say which device, as in ?device=cpu, and whose code: ?code=2 or ?code=all.

import { chromeTrace, explain, init, tensor } from "gradus";
import { type Batch, BatchSampler, DeviceDataset } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import { SGD } from "gradus/optim";
import { trainStep } from "gradus/train";
import { TwoLayerNetwork } from "../mnist/network.ts";

/** Images and labels of MNIST; a plan depends on shapes only, so zeros do for the values. */
const SIZE = 60_000;
const BATCH = 100;

/** The table, and the profile of one step as a Chrome trace. */
export interface Explanation {
  readonly text: string;
  readonly trace: string;
}

async function explainStep(): Promise<Explanation> {
  const wanted = new URLSearchParams(location.search);
  const isCpu = wanted.get("device") === "cpu";
  const { device } = await init(
    isCpu ? { device: "cpu", engine: "compiled" } : { device: "webgpu" },
  );
  const pixels = tensor(new Uint8Array(SIZE * 784), { shape: [SIZE, 784] });
  const data = new DeviceDataset(pixels, tensor(new Uint8Array(SIZE)));
  const sampler = new BatchSampler({ size: SIZE, batchSize: BATCH, seed: 1 });
  const model = new TwoLayerNetwork(50, 1);
  const step = trainStep<TwoLayerNetwork, Batch>({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
    loss: (network, { images, labels }) => crossEntropy(network.call(images), labels),
    batchAt: (counter) => data.batchAt(counter, sampler),
  });
  const plan = await step.prepare();
  for (let i = 0; i < 5; i++) await step();
  const profile = await step.profile();
  const head = `784-50-10, sigmoid, cross-entropy, SGD, batch ${BATCH}, on ${device.description}`;
  const code = wanted.get("code") === "all" || Number(wanted.get("code") ?? 0) || false;
  const text = await explain(plan, { profile, code });
  return { text: `${head}\n\n${text}`, trace: chromeTrace(profile) };
}

const explanation = explainStep();
Object.assign(globalThis, { explanation });
const output = document.querySelector("#output") as HTMLPreElement;
explanation.then(
  ({ text }) => {
    output.textContent = text;
  },
  (error: unknown) => {
    output.textContent = String(error);
  },
);
