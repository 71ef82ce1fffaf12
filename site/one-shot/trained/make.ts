// Trains the net that compares drawings from the start, and writes its weights with 16 bits each:
// npx vite build --config tools/vite.node.config.ts --ssr site/one-shot/trained/make.ts --outDir build/trained
// node build/trained/main.js
import { writeFileSync } from "node:fs";
import { init, reshape, tensor } from "gradus";
import { type Batch, DataLoader, DeviceDataset } from "gradus/data";
import { saveSafetensors } from "gradus/io";
import { tripletMined } from "gradus/losses";
import type { Module } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { randomAffine } from "gradus/pictures";
import { train } from "gradus/train";
import { loadMnist } from "../../../examples/mnist/data.ts";
import { DIGITS, knownDigits, tryDigits } from "../../../examples/oneshot/recognition.ts";
import { trainedNetwork } from "./network.ts";

// More steps know the digits 0 to 6 better, and others less.
const [BATCH, STEPS, TRIALS] = [70, Number(process.argv[2] ?? 250), 1000];

await init({ device: "cpu" });
const { trainData, testData } = await loadMnist();
const known = await knownDigits(trainData, DIGITS.test);
const images = tensor(known.pixels, { shape: [known.labels.length, 784] });
const dataset = new DeviceDataset(images, tensor(Uint8Array.from(known.labels)));
const loader = new DataLoader({ dataset, batchSize: BATCH, seed: 1, dropLast: true });
const model = trainedNetwork();
const learningRate = cosineDecay(0.003, { steps: STEPS });
const optimizer = new Adam(model.parameters(), { learningRate });
const options = { step: optimizer.counter, degrees: 15, scale: [0.85, 1.15] } as const;
const events = train({
  model,
  optimizer,
  loader,
  epochs: 1,
  // Drawings lean and vary more than MNIST's digits do.
  loss: (net: Module, { images, labels }: Batch) => {
    const square = reshape(images, [images.shape[0], 1, 28, 28]);
    const moved = randomAffine(square, { ...options, translate: [0.06, 0.06], seed: 5 });
    const found = net.call(reshape(moved, images.shape));
    return tripletMined(found, labels, { mining: "semi-hard", margin: 0.2 });
  },
});
for await (const event of events) {
  if (event.event !== "step") continue;
  if (event.step % 50 === 0) console.log(event.step, event.loss.toFixed(4));
  if (event.step === STEPS) break;
}
model.eval();
const { embeddings, pixels } = await tryDigits(model, testData, DIGITS.test, TRIALS);
console.log(`7, 8, 9 recognised ${embeddings.mean}, by pixels ${pixels.mean}`);
const bytes = await saveSafetensors(model, {}, { floats: "F16" });
writeFileSync("site/one-shot/trained/known.safetensors", bytes);
console.log(`${bytes.length} bytes`);
