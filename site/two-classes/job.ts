/** A net with one output tells pictures of two classes apart. */
import { compile, init, sigmoid, type Tensor } from "gradus";
import { type Batch, DataLoader } from "gradus/data";
import { binaryCrossEntropyWithLogits } from "gradus/losses";
import type { Sequential } from "gradus/nn";
import { Adam } from "gradus/optim";
import { trainJob } from "gradus/worker";
import { type NetworkKind, network } from "../../examples/folders/network.ts";
import { divide, outputs } from "../../examples/folders/training.ts";
import { drawnPictures, ownPictures } from "./pictures.ts";
import { type OwnPicture, SIZE } from "./sizes.ts";

export interface Task {
  readonly network: NetworkKind;
  /** The reader's pictures; null for drawn ones. */
  readonly own: readonly OwnPicture[] | null;
  /** How many are drawn. */
  readonly count: number;
  readonly rate: number;
  readonly seed: number;
}

/** A picture that the net does not train on: its planes of red, green and blue, and its class. */
export interface Tested {
  readonly name: string;
  readonly label: number;
  readonly planes: Uint8Array;
}

/** What is told: the pictures at first, then what the net makes of those that it does not train on. */
export type Note =
  | {
      readonly kind: "pictures";
      readonly tested: Tested[];
      readonly trained: number;
      readonly parameters: number;
    }
  | {
      readonly kind: "chances";
      readonly step: number;
      /** The chance of the second class, of each. */
      readonly chances: Float32Array;
    };

/** Pictures in a step, steps of a run, steps between two looks. */
const [BATCH, STEPS, EVERY] = [20, 600, 4];

export default trainJob(async (task: Task, tell: (note: Note) => void) => {
  await init();
  const { count, own, rate, seed } = task;
  const { data, labels, names } = own ? await ownPictures(own) : await drawnPictures(count, seed);
  // #region job
  const { train, test } = divide(data, labels, seed); // four fifths to learn from
  const model = network(task.network, SIZE, seed).eval(); // a step trains it all the same
  const optimizer = new Adam(model.parameters(), { learningRate: rate });
  const batchSize = Math.min(BATCH, train.size);
  const loader = new DataLoader({ dataset: train, batchSize, seed, dropLast: true });
  // One output: a logit, of which sigmoid is the chance of the second class.
  const loss = (net: Sequential, batch: Batch) =>
    binaryCrossEntropyWithLogits(...outputs(net, batch));
  const chance = compile((images: Tensor) => sigmoid(model.call(images)));
  // #endregion
  const tested = test.indices;
  const shown = data.batch(tested);
  const bytes = (await data.images.data()) as Uint8Array;
  const size = 3 * SIZE * SIZE;
  tell({
    kind: "pictures",
    tested: Array.from(tested, (i) => {
      return { name: names[i], label: labels[i], planes: bytes.slice(size * i, size * (i + 1)) };
    }),
    trained: train.size,
    parameters: model.parameters().reduce((sum, parameter) => sum + parameter.size, 0),
  });
  const look = async (step: number) => {
    using found = await chance(shown.images);
    tell({ kind: "chances", step, chances: (await found.data()) as Float32Array });
  };
  return {
    ...{ model, optimizer, loss, loader, metricsEvery: EVERY },
    epochs: Math.ceil(STEPS / loader.stepsPerEpoch),
    onStart: () => look(0),
    async onEvent(event) {
      if (event.event === "step") await look(event.step);
    },
    dispose() {
      chance.dispose();
      shown.dispose();
      data.dispose();
    },
  };
});
