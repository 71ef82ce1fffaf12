import { beforeAll, describe, expect, test } from "vitest";
import { tools } from "../../src/core/tools.ts";
import type { Batch } from "../../src/data/index.ts";
import {
  add,
  mean,
  mul,
  relu,
  scan,
  softmax,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Dropout, Linear, type Module, Sequential } from "../../src/nn/index.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { accumulatedStep, train, trainStep } from "../../src/train/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";
import { smallData, smallLoss } from "../support/small-run.ts";

beforeAll(() => testDevice());

const block = (width: number) =>
  new Sequential({
    hidden: new Sequential({ linear: new Linear(6, width, { seed: 1 }), relu }),
    output: new Linear(width, 3, { seed: 2 }),
  });
const sgd = (model: Module) => new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
const list = async (x: Tensor) => Array.from(await x.data());
const firstBatch = (n = 4) => smallData(20).batch(Uint32Array.from({ length: n }, (_, i) => i));

describe("captures", () => {
  test("are what the model gives of the batch, from before the step", async () => {
    const model = block(5);
    using batch = firstBatch();
    const images = batch.images;
    const linear = (model.layers[0] as Sequential).layers[0] as Linear;
    const wanted = await list(relu(linear.call(images)));
    const logits = await list(model.call(images));
    const step = trainStep({
      model,
      optimizer: sgd(model),
      loss: smallLoss,
      capture: ["hidden.relu", "hidden", "output", "output.matmul"],
    });
    expect(step.captured()).toEqual({});
    await step(batch);
    const captured = step.captured();
    expect(Object.keys(captured)).toEqual(["hidden.relu", "hidden", "output", "output.matmul"]);
    expect(await list(captured["hidden.relu"])).toEqual(wanted);
    expect(await list(captured.hidden)).toEqual(wanted);
    expect(await list(captured.output)).toEqual(logits);
    expect((await list(captured["output.matmul"])).length).toBe(12);
    step.dispose();
    expect(captured.output.disposed).toBe(true);
  });

  test("change no bit of a run, and are those of the last step", async () => {
    const run = async (capture?: string[]) => {
      const model = block(5);
      const step = trainStep({ model, optimizer: sgd(model), loss: smallLoss, capture });
      using batch = firstBatch();
      const calls = Array.from({ length: 5 }, () => step(batch));
      await Promise.all(calls);
      const logits = step.captured().output;
      const losses = (await step.read()).map(({ loss }) => loss);
      const bits = await Promise.all([...model.state().values()].map(list));
      return {
        losses,
        bits,
        captured: logits && (await list(logits)),
        labels: await list(batch.labels),
      };
    };
    const plain = await run();
    const watched = await run(["output"]);
    expect(watched.bits).toEqual(plain.bits);
    expect(watched.losses).toEqual(plain.losses);
    expect(plain.captured).toBeUndefined();
    // The last loss, from the captured logits in float64.
    const z = watched.captured as number[];
    const loss = watched.labels.reduce((all, label, i) => {
      const row = z.slice(3 * i, 3 * i + 3);
      return all + Math.log(row.reduce((s, x) => s + Math.exp(x), 0)) - row[label];
    }, 0);
    expect(loss / 4).toBeCloseTo(watched.losses[4], 5);
  });

  test("of what passes its input on, twice the same value, and a second call", async () => {
    const model = new Sequential({ drop: new Dropout(0), linear: new Linear(6, 3, { seed: 1 }) });
    using batch = firstBatch();
    const step = trainStep<typeof model, Batch>({
      model,
      optimizer: sgd(model),
      loss: (net, { images, labels }) =>
        add(crossEntropy(net.call(images), labels), crossEntropy(net.call(mul(images, 2)), labels)),
      capture: ["drop", "drop#2"],
    });
    await step(batch);
    const images = await list(batch.images);
    const { drop, "drop#2": second } = step.captured();
    expect(await list(drop)).toEqual(images);
    expect(await list(second)).toEqual(images.map((x) => 2 * x));
    await step(batch);
    expect(drop.disposed).toBe(true);
    expect(await list(step.captured().drop)).toEqual(images);
    step.dispose();
  });

  test("that are not there are refused, and nothing is changed", async () => {
    const model = block(5);
    using batch = firstBatch();
    const before = await Promise.all([...model.state().values()].map(list));
    const given = { model, optimizer: sgd(model), loss: smallLoss };
    const step = trainStep({ ...given, capture: ["hiden.relu"] });
    await expect(step(batch)).rejects.toThrow(
      /^trainStep: capture "hiden.relu"; expected one of hidden.linear, hidden.relu, hidden, output, .*Did you mean "hidden.relu"/,
    );
    const wrong = trainStep({ ...given, capture: "hidden" as unknown as string[] });
    await expect(wrong(batch)).rejects.toThrow(
      'trainStep: capture "hidden"; expected a list of names such as "hidden.relu"',
    );
    expect(await Promise.all([...model.state().values()].map(list))).toEqual(before);
    const looped = trainStep<typeof model, Batch>({
      ...given,
      loss: (net, { images }) => {
        const [last] = scan((y, x) => [tanh(add(y, x)), null], tensor([0, 0, 0]), net.call(images));
        return sum(last);
      },
      capture: ["tanh"],
    });
    await expect(looped(batch)).rejects.toThrow(
      'trainStep: capture "tanh"; expected a value outside of loops and mapped functions',
    );
  });

  test("hold as much memory after 300 steps as after three", async () => {
    const device = await testDevice();
    const model = block(5);
    using batch = firstBatch();
    const step = trainStep({ model, optimizer: sgd(model), loss: smallLoss, capture: ["hidden"] });
    for (let i = 0; i < 3; i++) await step(batch);
    const before = held(device);
    for (let i = 0; i < 300; i++) await step(batch);
    expect(held(device)).toBe(before);
    step.dispose();
  });
});

describe("attached functions", () => {
  const predictor = (step: ReturnType<typeof stepOf>["step"]) =>
    step.attach((net, x: Tensor) => softmax(net.call(x)));
  const stepOf = (dropout = 0) => {
    const model = new Sequential({ drop: new Dropout(dropout), net: block(5) });
    const optimizer = sgd(model);
    return { model, step: trainStep({ model, optimizer, loss: smallLoss }) };
  };

  test("share the weights at any batch size, in evaluation mode", async () => {
    const { model, step } = stepOf(0.5);
    const predict = predictor(step);
    using batch = firstBatch(4);
    await step(batch);
    for (const count of [1, 4, 7]) {
      using other = firstBatch(count);
      using y = await predict(other.images);
      expect(await list(y)).toEqual(await list(softmax(model.call(other.images))));
      using again = await predict(other.images); // nothing is dropped: the same each time
      expect(await list(again)).toEqual(await list(y));
    }
    expect(model.training).toBe(false);
    expect(step.next).toBe(1);
    step.dispose();
  });

  test("see the steps that were called before, and none that were called after", async () => {
    using batch = firstBatch();
    const wanted: number[][] = [];
    {
      const { model, step } = stepOf();
      for (let i = 0; i < 4; i++) {
        await step(batch);
        wanted.push(await list(softmax(model.call(batch.images))));
      }
    }
    const { step } = stepOf();
    const predict = predictor(step);
    const calls: Promise<Tensor>[] = [];
    for (let i = 0; i < 4; i++) {
      step(batch);
      calls.push(predict(batch.images));
    }
    expect(await Promise.all(calls.map(async (y) => list(await y)))).toEqual(wanted);
  });

  test("end with their step, and take only functions", async () => {
    const { model, step } = stepOf();
    const predict = predictor(step);
    using batch = firstBatch();
    expect(() => step.attach(5 as never)).toThrow(
      "trainStep: attach: run is 5; expected a function",
    );
    await (await predict(batch.images)).data();
    await expect(predict(Symbol("x") as never)).rejects.toThrow(/^trainStep: arguments\.0 is /);
    step.dispose();
    const refused = "trainStep: the step was disposed; expected a live one";
    await expect(predict(batch.images)).rejects.toThrow(refused);
    await expect(step(batch)).rejects.toThrow(refused);
    expect(await list(model.call(batch.images))).toHaveLength(12); // the model is still there
  });
});

describe("replaceModel", () => {
  test("trains the new model as a step of its own does, and keeps the losses", async () => {
    using batch = firstBatch();
    const alone = block(9);
    const own = trainStep({ model: alone, optimizer: sgd(alone), loss: smallLoss });
    for (let i = 0; i < 3; i++) await own(batch);
    const [first, second] = [block(5), block(9)];
    const step = trainStep({ model: first, optimizer: sgd(first), loss: smallLoss });
    const predict = step.attach((net, x: Tensor) => net.call(x));
    await step(batch);
    await step(batch);
    await (await predict(batch.images)).data();
    const late = step(batch); // called before: it trains the old model
    const before = step.plans.length;
    step.replaceModel(second, sgd(second));
    expect(before).toBeGreaterThan(0);
    expect(step.plans).toEqual([]);
    for (let i = 0; i < 3; i++) await step(batch);
    await late;
    expect(step.next).toBe(6);
    const losses = (await step.read()).map(({ step: at, loss }) => [at, loss]);
    const wanted = (await own.read()).map(({ loss }, i) => [3 + i, loss]);
    expect(losses.map(([at]) => at)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(losses.slice(3)).toEqual(wanted);
    expect(await list(second.parameters()[0])).toEqual(await list(alone.parameters()[0]));
    expect(await list(await predict(batch.images))).toEqual(await list(second.call(batch.images)));
  });

  test("leaves calls the old model that waited for the code of captures", async () => {
    using batch = firstBatch();
    const trained = async (late: boolean) => {
      const [first, second] = [block(5), block(9)];
      if (late) tools.loaded = null; // as before the first capture
      const step = trainStep({
        model: first,
        optimizer: sgd(first),
        loss: smallLoss,
        capture: ["output"],
      });
      const predict = step.attach((net, x: Tensor) => net.call(x));
      const calls = [step(batch), predict(batch.images)] as const;
      if (!late) await Promise.all(calls);
      step.replaceModel(second, sgd(second));
      const logits = await list(await calls[1]);
      await calls[0];
      expect(step.plans).toEqual([]);
      await step(batch);
      const states = [...first.state().values(), ...second.state().values()];
      const values = await Promise.all(states.map(list));
      const losses = (await step.read()).map(({ loss }) => loss);
      step.dispose();
      return { logits, values, losses };
    };
    expect(await trained(true)).toEqual(await trained(false));
  });

  test("lets calls that wait for that code keep what typed arrays held", async () => {
    const model = new Sequential(new Linear(2, 1, { seed: 1 }));
    tools.loaded = null;
    const step = trainStep({
      model,
      optimizer: sgd(model),
      loss: (net, { x }: { x: Float32Array }) => sum(net.call(tensor(x, { shape: [1, 2] }))),
      capture: ["0"],
    });
    const wanted = await sum(model.call(tensor([[1, 2]]))).item();
    const x = Float32Array.of(1, 2);
    const call = step({ x });
    x.fill(9);
    await call;
    expect((await step.read())[0].loss).toBeCloseTo(wanted, 5);
    step.dispose();
  });

  test("refuses what is no model, and goes on with the old one", async () => {
    using batch = firstBatch();
    const model = block(5);
    const step = trainStep({ model, optimizer: sgd(model), loss: smallLoss });
    await step(batch);
    expect(() => step.replaceModel({} as never, sgd(model))).toThrow(
      "trainStep: model is an object; expected a Module",
    );
    expect(() => step.replaceModel(block(3), null as never)).toThrow(
      "trainStep: optimizer is null; expected an optimizer",
    );
    await step(batch);
    const [a, b] = await step.read();
    expect(b.loss).toBeLessThan(a.loss);
  });

  test("holds as much memory after many models as after ten", async () => {
    const device = await testDevice();
    using batch = firstBatch();
    let model = block(4);
    let optimizer = sgd(model);
    const step = trainStep({ model, optimizer, loss: smallLoss, capture: ["hidden"] });
    await step(batch);
    const replace = async (width: number) => {
      const [oldModel, oldOptimizer] = [model, optimizer];
      model = block(width);
      optimizer = sgd(model);
      step.replaceModel(model, optimizer);
      await step(batch);
      oldModel.dispose();
      oldOptimizer.dispose();
    };
    const rounds = isAcceptance ? 1000 : 60;
    for (let i = 0; i < 10; i++) await replace(4 + (i % 3));
    const before = held(device);
    const { bytes } = device.memory();
    for (let i = 10; i < rounds; i++) await replace(4 + (i % 3));
    await replace(4);
    expect(step.plans).toHaveLength(1);
    expect(held(device)).toBe(before);
    expect(device.memory().bytes).toBeLessThanOrEqual(bytes);
    step.dispose();
  }, 60_000);

  test("with gradients that accumulate begins a change", async () => {
    using batch = firstBatch();
    const run = async (first: ReturnType<typeof block> | null) => {
      const second = block(6);
      const start = first ?? second;
      const step = accumulatedStep({
        model: start,
        optimizer: sgd(start),
        loss: smallLoss,
        accumulate: 2,
      });
      if (first) {
        await step(batch);
        expect(step.pending).toBe(1);
        step.replaceModel(second, sgd(second));
        expect(step.pending).toBe(0);
      }
      for (let i = 0; i < 4; i++) await step(batch);
      expect([...step.state().values()].map(({ shape }) => shape[0])).toEqual([6, 6, 6, 3]);
      return list(second.parameters()[0]);
    };
    expect(await run(block(3))).toEqual(await run(null));
  });
});

describe("changes of mode and of what is frozen", () => {
  test("count from the next step on, and make a plan only once", async () => {
    using batch = firstBatch();
    const drop = new Dropout(0.9, { seed: 1 });
    const model = new Sequential({ drop, net: block(5) });
    const loss = (net: typeof model, { images }: Batch) => mean(square(net.call(images)));
    const optimizer = new SGD(model.parameters(), { learningRate: 0 });
    const step = trainStep({ model: model.train(), optimizer, loss });
    const predict = step.attach((net, x: Tensor) => net.call(x));
    const counted = async () => {
      await step(batch);
      await predict(batch.images);
      return drop.step.item();
    };
    expect(await counted()).toBe(1);
    drop.eval();
    expect(await counted()).toBe(1);
    const evaluated = (await step.read())[1].loss;
    expect(evaluated).toBeCloseTo(await loss(model.eval(), batch).item(), 5);
    // In evaluation mode as a whole, it trains as one that is in training mode.
    expect(await counted()).toBe(2);
    expect(step.plans).toHaveLength(3);
    for (const training of [true, false, true]) {
      model.train(training);
      await counted();
    }
    expect(await drop.step.item()).toBe(5);
    expect(step.plans).toHaveLength(3);
    step.dispose();
  });

  test("count for losses that ask what is trained", async () => {
    using batch = firstBatch();
    const model = block(5);
    const all = sgd(model);
    const loss = (net: typeof model, { images }: Batch) =>
      add(mul(mean(net.call(images)), 0), net.parameters().length);
    const step = trainStep({ model, optimizer: all, loss });
    await step(batch);
    model.freeze(/bias$/);
    await step(batch);
    model.unfreeze();
    await step(batch);
    expect((await step.read()).map(({ loss }) => loss)).toEqual([4, 2, 4]);
    step.dispose();
  });
});

test("train tells what is captured of the step made last", async () => {
  const model = block(5);
  const dataset = smallData(20);
  const events: [number, number][] = [];
  for await (const event of train({
    model,
    optimizer: new Adam(model.parameters(), { learningRate: 0.01 }),
    loss: smallLoss,
    loader: Array.from({ length: 4 }, (_, i) => dataset.batch(Uint32Array.of(i, i + 1))),
    epochs: 2,
    metricsEvery: 2,
    capture: ["hidden"],
  })) {
    if (event.event !== "step") continue;
    const { hidden } = event.captured ?? {};
    events.push([event.step, hidden ? (await list(hidden)).length : 0]);
  }
  expect(events.map(([step]) => step)).toEqual([2, 4, 6, 8]);
  expect(events.map(([, size]) => size)).toEqual([10, 10, 10, 10]);
});
