// Trains the network that reads drawings, and writes its weights with 16 bits each:
// npx vite build --config tools/vite.node.config.ts --ssr site/train/reader/make.ts --outDir build/reader
// node build/reader/main.js
import { writeFileSync } from "node:fs";
import { init, reshape } from "gradus";
import { type Batch, DataLoader } from "gradus/data";
import { saveSafetensors } from "gradus/io";
import { crossEntropy } from "gradus/losses";
import type { Module } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { randomAffine } from "gradus/pictures";
import { evaluateAccuracy, train } from "gradus/train";
import { loadMnist } from "../../../examples/mnist/data.ts";
import { readerNetwork } from "./network.ts";

const EPOCHS = 8;

await init({ device: "cpu" });
const { trainData, testData } = await loadMnist();
const loader = new DataLoader({ dataset: trainData, batchSize: 128, seed: 4, dropLast: true });
const model = readerNetwork();
const learningRate = cosineDecay(0.003, { steps: EPOCHS * loader.stepsPerEpoch });
const optimizer = new Adam(model.parameters(), { learningRate });
const options = { step: optimizer.counter, degrees: 15, scale: [0.85, 1.15] } as const;
const events = train({
  model,
  optimizer,
  loader,
  epochs: EPOCHS,
  // Drawings lean and vary more than MNIST's digits do.
  loss: (net: Module, { images, labels }: Batch) => {
    const square = reshape(images, [images.shape[0], 1, 28, 28]);
    const moved = randomAffine(square, { ...options, translate: [0.06, 0.06], seed: 5 });
    return crossEntropy(net.call(reshape(moved, images.shape)), labels);
  },
});
for await (const event of events) {
  if (event.event === "epoch") console.log(event.epoch + 1, event.loss.toFixed(4));
}
console.log(`test accuracy ${await evaluateAccuracy(model, testData)}`);
const bytes = await saveSafetensors(model, {}, { floats: "F16" });
writeFileSync("site/train/reader/digits.safetensors", bytes);
console.log(`${bytes.length} bytes`);
