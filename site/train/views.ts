/** What the page asks of a run: each is answered between two steps. */
import { softmax, type Tensor, tensor } from "gradus";
import { AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, Module, type Sequential } from "gradus/nn";
import { planeGrid } from "../shell/plane-data.ts";
import { NEURONS_SHOWN } from "./choices.ts";
import { type Judgement, judge, judgeValues } from "./judge.ts";
import type { Task } from "./task.ts";

/** Test examples that are looked at together: of pictures, a convolution makes many numbers of each. */
const TOGETHER = 500;

/** What one layer gives: numbers, or of a convolution and its pooling a map for each filter. */
export interface LayerValues {
  readonly name: string;
  readonly values: Float32Array;
  /** Pixels of a map's side; null where there are none. */
  readonly side: number | null;
}

/** The pictures of neurons on the plane. */
export interface PlaneView {
  /** Outputs of the network, `[side², outputs]`: probabilities of classes. */
  readonly surface: Float32Array;
  /** For each hidden layer its first neurons' activations, each `[side²]`. */
  readonly neurons: readonly (readonly Float32Array[])[];
}

/** Reads a tensor and frees it. */
async function read(x: Tensor): Promise<Float32Array> {
  const values = (await x.data()) as Float32Array;
  x.dispose();
  return values;
}

/** Looks into a network that a task is learnt by. */
export class Views {
  /** Inputs stay on the device for as long as they are asked for. */
  readonly #kept = new Map<string, Tensor>();

  constructor(
    readonly model: Sequential,
    readonly task: Task,
    readonly loss: (y: Tensor, t: Tensor) => Tensor,
  ) {}

  /** The loss and the judgement on the test examples. */
  async test(): Promise<Judgement & { loss: number }> {
    const { classes } = this.task.report;
    const { testTargets, testPixels, outputs } = this.task;
    const count = testTargets.length;
    const values = new Float32Array(count * outputs);
    let loss = 0;
    for (let from = 0; from < count; from += TOGETHER) {
      const to = Math.min(count, from + TOGETHER);
      const x = this.#keep(`test ${from}`, () => this.task.testInputs(from, to));
      const t = this.#keep(`targets ${from}`, () => this.#targets(from, to));
      const y = this.model.call(x);
      const [mean, some] = await Promise.all([this.loss(y, t).item(), read(this.#outcome(y))]);
      loss += (mean * (to - from)) / count;
      values.set(some, from * outputs);
    }
    const judged = classes
      ? judge(values, testTargets, outputs, testPixels)
      : judgeValues(values, testTargets);
    return { ...judged, loss };
  }

  /** The targets of some test examples. */
  #targets(from: number, to: number): Tensor {
    const { report, testTargets } = this.task;
    const some = Array.from({ length: to - from }, (_, i) => testTargets[from + i]);
    return report.classes
      ? tensor(Int32Array.from(some))
      : tensor(Float32Array.from(some), { shape: [some.length, 1] });
  }

  /** The network's outputs over the plane, and its neurons' where they are wanted. */
  async plane(side: number, small: number): Promise<PlaneView> {
    const grid = this.#keep(`grid ${side}`, () =>
      tensor(planeGrid(side), { shape: [side ** 2, 2] }),
    );
    const outputs = this.#outcome(this.model.call(grid));
    if (small === 0) return { surface: await read(outputs), neurons: [] };
    const few = this.#keep(`grid ${small}`, () =>
      tensor(planeGrid(small), { shape: [small ** 2, 2] }),
    );
    const inside = this.#activations(few).map(({ y }) => y);
    const [surface, ...layers] = await Promise.all([outputs, ...inside].map(read));
    const neurons = layers.slice(0, -1).map((values) => {
      const width = values.length / small ** 2;
      return Array.from({ length: Math.min(NEURONS_SHOWN, width) }, (_, neuron) =>
        Float32Array.from({ length: small ** 2 }, (_, i) => values[i * width + neuron]),
      );
    });
    return { surface, neurons };
  }

  /** The network's values at places from −1 to 1. */
  async curve(count: number): Promise<Float32Array> {
    const x = this.#keep(`line ${count}`, () =>
      tensor(
        Float32Array.from({ length: count }, (_, i) => (2 * i) / (count - 1) - 1),
        {
          shape: [count, 1],
        },
      ),
    );
    return read(this.model.call(x));
  }

  /** The weights of the first neurons of the first layer, each `[inputs]`; of filters each `[kernel²]`. */
  async weights(): Promise<Float32Array[]> {
    const first = this.model.layers.find(
      (layer) => layer instanceof Conv2d || layer instanceof Linear,
    );
    const { weight } = first as Conv2d | Linear; // [filters, 1, kernel, kernel], or [inputs, neurons]
    const values = (await weight.data()) as Float32Array;
    if (first instanceof Conv2d) {
      const [filters] = weight.shape;
      const size = values.length / filters;
      return Array.from({ length: Math.min(NEURONS_SHOWN, filters) }, (_, filter) =>
        values.slice(filter * size, (filter + 1) * size),
      );
    }
    const [inputs, neurons] = weight.shape;
    return Array.from({ length: Math.min(NEURONS_SHOWN, neurons) }, (_, neuron) =>
      Float32Array.from({ length: inputs }, (_, i) => values[i * neurons + neuron]),
    );
  }

  /** What each layer makes of one input `[inputs]`, the outcome last. */
  async activations(input: Float32Array): Promise<LayerValues[]> {
    using x = tensor(input, { shape: [1, input.length] });
    const layers = this.#activations(x);
    return Promise.all(
      layers.map(async ({ name, y }, i) => {
        const last = i === layers.length - 1;
        const side = y.shape.length === 4 ? y.shape[3] : null; // [1, filters, side, side]
        const values = await read(last ? this.#outcome(y) : y);
        return { name, values, side };
      }),
    );
  }

  /** A test example: its input and what it is. */
  example(index: number): { input: Float32Array; target: number } {
    const { testPixels, testTargets, report } = this.task;
    const { inputs } = report;
    const target = testTargets[index];
    if (testPixels) {
      const bytes = testPixels.subarray(index * inputs, (index + 1) * inputs);
      return { input: Float32Array.from(bytes, (byte) => byte / 255), target };
    }
    const x = report.shown?.test.x ?? new Float32Array((index + 1) * inputs);
    return { input: x.slice(index * inputs, (index + 1) * inputs), target };
  }

  /** The probabilities of one picture: `[784]`, 0 (paper) to 1 (ink). */
  async classify(pixels: Float32Array): Promise<Float32Array> {
    using x = tensor(pixels, { shape: [1, pixels.length] });
    return read(this.#outcome(this.model.call(x)));
  }

  /** Frees the inputs, which are put on the device anew when they are asked for. */
  dispose(): void {
    for (const x of this.#kept.values()) x.dispose();
    this.#kept.clear();
  }

  #keep(name: string, make: () => Tensor): Tensor {
    const kept = this.#kept.get(name) ?? make();
    this.#kept.set(name, kept);
    return kept;
  }

  #outcome(y: Tensor): Tensor {
    return this.task.report.classes ? softmax(y, { axis: 1 }) : y;
  }

  /** The values behind each layer: behind its function, as the next layer sees them. */
  #activations(x: Tensor): { name: string; y: Tensor }[] {
    const found: { name: string; y: Tensor }[] = [];
    const counts = { Convolution: 0, Pooling: 0, Layer: 0 };
    let y = x;
    for (const layer of this.model.layers) {
      y = layer instanceof Module ? layer.call(y) : layer(y);
      const kind = kindOf(layer);
      if (kind) found.push({ name: `${kind} ${++counts[kind]}`, y });
      else if (found.length > 0 && !(layer instanceof Flatten)) {
        found[found.length - 1] = { ...found[found.length - 1], y };
      }
    }
    return found;
  }
}

/** What a layer is called that has values of its own to show; null for functions behind one. */
function kindOf(layer: unknown): "Convolution" | "Pooling" | "Layer" | null {
  if (layer instanceof Conv2d) return "Convolution";
  if (layer instanceof MaxPool2d || layer instanceof AvgPool2d) return "Pooling";
  return layer instanceof Linear ? "Layer" : null;
}
