/** What is to be learnt: examples on the device, and what the page is told of them. */
import { reshape, type Tensor, tensor } from "gradus";
import { type Batch, type Dataset, DeviceDataset, readIdx, TensorDataset } from "gradus/data";
import { ImageDataset } from "gradus/pictures";
import { loadDigits } from "../shell/digits.ts";
import { loadMnist } from "../shell/mnist.ts";
import { normal, planeData, uniform } from "../shell/plane-data.ts";
import { isPlane, type JobSettings } from "./choices.ts";
import { loadFashion } from "./fashion.ts";
import { DIGITS, PLANE_CLASSES } from "./room.ts";
import { csvExamples, type Examples } from "./table.ts";

/** What the page is told of the data. */
export interface TaskReport {
  readonly kind: "plane" | "curve" | "pictures" | "table";
  /** The classes' names; null where values are learnt. */
  readonly classes: readonly string[] | null;
  readonly inputs: number;
  readonly trainSize: number;
  readonly testSize: number;
  /** The examples themselves where they are shown as points. */
  readonly shown: { readonly train: Examples; readonly test: Examples } | null;
  /** The names of the inputs of a table. */
  readonly columns?: readonly string[];
}

/** A task on the device. */
export interface Task {
  readonly report: TaskReport;
  readonly dataset: Dataset<TaskBatch>;
  readonly outputs: number;
  /** Inputs `[n, inputs]` of a batch. */
  inputsOf(batch: TaskBatch): Tensor;
  targetsOf(batch: TaskBatch): Tensor;
  /** Test inputs from one to before another, `[n, inputs]` as f32; the caller disposes them. */
  testInputs(from: number, to: number): Tensor;
  /** Test labels or values. */
  readonly testTargets: ArrayLike<number>;
  /** Bytes of the test pictures, 0 (paper) to 255 (ink). */
  readonly testPixels: Uint8Array | null;
  dispose(): void;
}

/** A batch of points or of pictures. */
export type TaskBatch =
  | Batch
  | { readonly size: number; readonly x: Tensor; readonly t: Tensor; dispose(): void };

const PIXELS = 784;

/** Makes the task of the chosen data; `progress` hears of bytes that are loaded. */
export async function makeTask(
  settings: JobSettings,
  progress: (received: number, total: number) => void,
): Promise<Task> {
  const { data } = settings;
  if (isPlane(data)) return planeTask(settings);
  if (data === "curve") return curveTask(settings);
  if (data === "csv") return csvTask(settings);
  if (data === "pictures") return ownPictures(settings);
  if (data === "fashion") return fashionTask(settings, progress);
  if (data === "digits") {
    const { train, test } = await loadDigits();
    return pictureTask(bytesOf(train.images, train.labels), test.images, test.labels, DIGITS);
  }
  const { train, test } = await loadMnist(progress);
  const [images, labels, testImages, testLabels] = [
    train.images,
    train.labels,
    test.images,
    test.labels,
  ].map((file) => readIdx(file).data as Uint8Array<ArrayBuffer>);
  return pictureTask(bytesOf(images, labels), testImages, testLabels, DIGITS);
}

function bytesOf(images: Uint8Array<ArrayBuffer>, labels: Uint8Array<ArrayBuffer>): DeviceDataset {
  const shape = [labels.length, PIXELS];
  return new DeviceDataset(tensor(images, { shape }), tensor(labels));
}

/** Some examples by their places. */
function pick({ x, t }: Examples, places: readonly number[]): Examples {
  const width = x.length / t.length;
  const rows = Float32Array.from({ length: places.length * width }, (_, i) => {
    return x[places[Math.floor(i / width)] * width + (i % width)];
  });
  const targets = places.map((place) => t[place]);
  const isWhole = t instanceof Int32Array;
  return { x: rows, t: isWhole ? Int32Array.from(targets) : Float32Array.from(targets) };
}

/** Deals examples: three quarters to train with, a quarter to test with. */
function deal(all: Examples, seed: number): { train: Examples; test: Examples } {
  const next = uniform(seed + 77);
  const order = Array.from(all.t, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const held = Math.max(1, Math.floor(order.length / 4));
  return { train: pick(all, order.slice(held)), test: pick(all, order.slice(0, held)) };
}

function rowTask(
  { train, test }: { train: Examples; test: Examples },
  report: Pick<TaskReport, "kind" | "classes" | "columns">,
): Task {
  const inputs = train.x.length / train.t.length;
  const { classes } = report;
  const targets = (t: Examples["t"]) => (classes ? tensor(t) : tensor(t, { shape: [t.length, 1] }));
  const x = tensor(train.x, { shape: [train.t.length, inputs] });
  const dataset = new TensorDataset({ x, t: targets(train.t) });
  const isShown = inputs <= 2;
  return {
    report: {
      ...report,
      inputs,
      trainSize: train.t.length,
      testSize: test.t.length,
      shown: isShown ? { train, test } : null,
    },
    dataset: dataset as unknown as Dataset<TaskBatch>,
    outputs: classes?.length ?? 1,
    inputsOf: (batch) => (batch as { x: Tensor }).x,
    targetsOf: (batch) => (batch as { t: Tensor }).t,
    testInputs: (from, to) =>
      tensor(test.x.slice(from * inputs, to * inputs), { shape: [to - from, inputs] }),
    testTargets: test.t,
    testPixels: null,
    dispose: () => dataset.dispose(),
  };
}

function planeTask({ data, noise, seed }: JobSettings): Task {
  if (!isPlane(data)) throw new Error(`data ${data}; expected data on a plane`);
  const { points, labels } = planeData(data, 400, { noise, seed });
  const all = { x: Float32Array.from(points.flat()), t: Int32Array.from(labels) };
  return rowTask(deal(all, seed), { kind: "plane", classes: PLANE_CLASSES });
}

function curveTask({ noise, seed }: JobSettings): Task {
  const next = uniform(seed);
  const bell = normal(seed + 1);
  const x = Float32Array.from({ length: 200 }, () => 2 * next() - 1);
  const t = x.map(
    (at) => 0.6 * Math.sin(3 * Math.PI * at) * (0.4 + at * at) + 0.3 * at + noise * bell(),
  );
  return rowTask(deal({ x, t }, seed), { kind: "curve", classes: null });
}

function csvTask({ csv = "", seed }: JobSettings): Task {
  const { x, t, ...report } = csvExamples(csv);
  return rowTask(deal({ x, t }, seed), report);
}

async function ownPictures({ pictures, seed }: JobSettings): Promise<Task> {
  if (!pictures || pictures.length === 0) {
    throw new Error(
      "No pictures yet: choose a folder that has a folder of pictures for each class.",
    );
  }
  using all = new ImageDataset(pictures, { size: 28, channels: 1 });
  using decoded = await all.load();
  const bytes = (await decoded.images.data()) as Uint8Array<ArrayBuffer>;
  const places = { x: Float32Array.from(all.labels, (_, i) => i), t: Int32Array.from(all.labels) };
  const { train, test } = deal(places, seed);
  const part = ({ x, t }: Examples) => {
    const pixels = new Uint8Array(t.length * PIXELS);
    for (const [i, place] of x.entries()) {
      pixels.set(bytes.subarray(place * PIXELS, (place + 1) * PIXELS), i * PIXELS);
    }
    return { pixels, labels: Uint8Array.from(t) };
  };
  const [trained, tested] = [part(train), part(test)];
  return pictureTask(
    bytesOf(trained.pixels, trained.labels),
    tested.pixels,
    tested.labels,
    all.classes,
  );
}

async function fashionTask(
  { fashion }: JobSettings,
  progress: (received: number, total: number) => void,
): Promise<Task> {
  if (!fashion) throw new Error("No files yet: choose the four files of Fashion-MNIST.");
  const { train, test, classes } = await loadFashion(fashion, progress);
  return pictureTask(bytesOf(train.images, train.labels), test.images, test.labels, classes);
}

function pictureTask(
  dataset: DeviceDataset,
  testPixels: Uint8Array<ArrayBuffer>,
  testLabels: Uint8Array,
  classes: readonly string[],
): Task {
  return {
    report: {
      kind: "pictures",
      classes,
      inputs: PIXELS,
      trainSize: dataset.size,
      testSize: testLabels.length,
      shown: null,
    },
    dataset,
    outputs: classes.length,
    inputsOf: (batch) => reshape((batch as Batch).images, [batch.size, PIXELS]),
    targetsOf: (batch) => (batch as Batch).labels,
    testInputs(from, to) {
      const bytes = testPixels.subarray(from * PIXELS, to * PIXELS);
      const x = Float32Array.from(bytes, (byte) => byte / 255);
      return tensor(x, { shape: [to - from, PIXELS] });
    },
    testTargets: testLabels,
    testPixels,
    dispose: () => dataset.dispose(),
  };
}
