// Trains the net that compares drawings from the start, as the page trains its own but for longer, and
// writes its weights with 16 bits each:
// npx vite build --config tools/vite.node.config.ts --ssr site/one-shot/trained/make.ts --outDir build/trained
// node build/trained/main.js
// With `--validate` it holds back 3, 4 and 5 too, tries these and writes nothing: settings were chosen so.
import { writeFileSync } from "node:fs";
import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { loadMnist } from "../../../examples/mnist/data.ts";
import { DIGITS, knownDigits, tryDigits } from "../../../examples/oneshot/recognition.ts";
import { type Settings, trainEmbedding } from "../../../examples/oneshot/training.ts";
import { CHANNELS, SEED } from "./network.ts";

const TRIALS = 1000;
const isTrial = process.argv.includes("--validate");

await init({ device: "cpu" });
const { trainData, testData } = await loadMnist();
const digits = DIGITS[isTrial ? "validation" : "test"];
const settings: Settings = {
  ...{ set: "mnist" as const, channels: CHANNELS, seed: SEED, steps: 1200, every: 100 },
  ...{ classes: 24, invented: 17, examples: 4, margin: 0.2, learningRate: 0.003 },
};
const { model } = await trainEmbedding(await knownDigits(trainData, digits), settings, {
  onProgress: ({ step, loss }) => console.log(step, loss.toFixed(4)),
});
const { embeddings, pixels } = await tryDigits(model, testData, digits, TRIALS);
console.log(`${digits.unseen} recognised ${embeddings.mean}, by pixels ${pixels.mean}`);
if (!isTrial) {
  const bytes = await saveSafetensors(model, {}, { floats: "F16" });
  writeFileSync("site/one-shot/trained/known.safetensors", bytes);
  console.log(`${bytes.length} bytes`);
}
process.exit();
