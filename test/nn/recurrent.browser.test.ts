import { beforeAll, describe, expect, test } from "vitest";
import {
  type Device,
  evaluate,
  explain,
  init,
  mean,
  randomNormal,
  square,
  sub,
  type Tensor,
} from "../../src/index.ts";
import { Linear, LSTM, Module } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { expectNear } from "../support/loop-outcome.ts";
import { RECURRENT_CASES, recurrentOutcome } from "../support/recurrent-cases.ts";

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  gpus = await kernelKinds();
});

/** Cases by kernels: each is a plan of its own, which takes this adapter a second or two. */
const CASES = {
  direct: ["RNN of relu", "LSTM in rows", "LSTM projected", "GRU in rows", "GRUCell"],
  workgroup: ["LSTM in rows"],
} as const;

async function numbersOf(name: string, device: Device, dtype: "f32" | "f64"): Promise<number[][]> {
  const { results, inputs, weights } = recurrentOutcome(RECURRENT_CASES[name], device, dtype);
  const all = [...results, ...inputs, ...weights.values()];
  evaluate(...all);
  return Promise.all(all.map(async (x) => Array.from(await x.data())));
}

describe.each(KERNEL_KINDS)("%s kernels", (kind) => {
  test.each(CASES[kind])("give values and gradients of the case %s", async (name) => {
    const wanted = await numbersOf(name, cpu, "f64");
    expectNear(await numbersOf(name, gpus[kind], "f32"), wanted, 2e-5);
  });
});

/** The next value of a series. */
class Forecast extends Module<[x: Tensor]> {
  readonly lstm: LSTM;
  readonly output: Linear;

  constructor(device: Device) {
    super();
    this.lstm = new LSTM(3, 16, { seed: 1, device });
    this.output = new Linear(16, 3, { seed: 2, device });
  }

  override forward(x: Tensor): Tensor {
    const [, [h]] = this.lstm.call(x);
    return this.output.call(h);
  }
}

/** What a step of so many turns is and makes, on a device of its own. */
async function stepOf(time: number) {
  const { device } = await init({ device: "webgpu", tune: "off", isolated: true });
  const model = new Forecast(device);
  const step = trainStep({
    model,
    optimizer: new Adam(model.parameters(), { learningRate: 0.01 }),
    loss: (net, { x, y }: { x: Tensor; y: Tensor }) => mean(square(sub(net.call(x), y))),
  });
  const x = randomNormal([8, time, 3], { seed: 3, device });
  const y = randomNormal([8, 3], { seed: 4, device });
  await step({ x, y });
  const [plan] = step.plans;
  const { dispatches, kernels } = await plan.stats();
  const { pipelines } = device.memory();
  const text = await explain(plan);
  device.dispose();
  return { pipelines, dispatches, kernels: kernels.length, text };
}

test("an LSTM of 100 turns compiles as many pipelines as one of 10", async () => {
  const [short, long] = [await stepOf(10), await stepOf(100)];
  expect(long.pipelines, long.text).toBe(short.pipelines);
  expect(long.kernels).toBe(short.kernels);
  expect(long.dispatches - short.dispatches).toBe(90 * 6);
});
