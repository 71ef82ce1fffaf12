import { beforeAll, expect, test } from "vitest";
import { add, type Device, init, mul, Parameter, State, sum, tensor } from "../../../src/index.ts";
import { crossEntropy } from "../../../src/losses/index.ts";
import { Linear, Sequential } from "../../../src/nn/index.ts";
import { Adam } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { uniform } from "../../support/reference.ts";

let devices: readonly Device[];
beforeAll(async () => {
  const made = ["plain", "compiled"] as const;
  devices = await Promise.all(
    made.map(async (engine) => (await init({ device: "cpu", engine, isolated: true })).device),
  );
});

/** What a loss of labels gives, or its error, on each device. */
function outcomes(labels: readonly number[], dtype: "i32" | "u32" | "u8", ignoreIndex?: number) {
  return Promise.all(
    devices.map(async (device) => {
      const logits = tensor(uniform(3 * labels.length, 5), { shape: [labels.length, 3], device });
      const targets =
        dtype === "u8"
          ? tensor(Uint8Array.from(labels), { device })
          : tensor([...labels], { dtype, device });
      try {
        return (await crossEntropy(logits, targets, { ignoreIndex }).item()).toFixed(5);
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
    }),
  );
}

test("a label that is no class is the specification's error, in each lane and at all lengths", async () => {
  for (let n = 1; n <= 9; n++) {
    for (let place = 0; place < n; place++) {
      const labels = Array.from({ length: n }, (_, i) => (i === place ? 3 : i % 3));
      const [plain, compiled] = await outcomes(labels, "i32");
      expect(plain).toBe(`GradusError: crossEntropy: label 3 of example ${place}; expected 0 to 2`);
      expect(compiled).toBe(plain);
    }
  }
});

test("what is a label is the same on both, by dtype, sign and what is ignored", async () => {
  const cases: readonly Parameters<typeof outcomes>[] = [
    [[0, 2, 1, 2, 0], "i32"],
    [[0, -1, 1, 2, 0], "i32"],
    [[0, -1, 1, 2, 0], "i32", -1],
    [[0, -1, 3, 2, 0], "i32", -1],
    [[0, -(2 ** 31), 1], "i32"],
    [[0, 2 ** 31 - 1, 1], "i32"],
    [[0, 255, 1], "u8"],
    [[0, 255, 1], "u8", 255],
    [[0, 3, 4], "u32"],
    [[2, 1, 0], "u32"],
  ];
  const told: string[] = [];
  for (const one of cases) {
    const [plain, compiled] = await outcomes(...one);
    expect(compiled, JSON.stringify(one)).toBe(plain);
    told.push(compiled);
  }
  expect(told.filter((text) => text.includes("expected")).length).toBe(6);
});

test("a step with a wrong label changes no state, not even one that knows nothing of labels", async () => {
  const [, device] = devices;
  const layer = new Linear(4, 3, { seed: 1, device });
  const model = new Sequential(layer);
  const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
  const calls = new State(tensor(0, { dtype: "u32", device }), { name: "calls" });
  const mean = new Parameter(tensor([0, 0, 0, 0], { device }), { name: "mean" });
  const x = tensor(uniform(8, 3), { shape: [2, 4], device });
  const batch = (...labels: number[]) => ({ x, t: tensor(labels, { dtype: "i32", device }) });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { x, t }: ReturnType<typeof batch>) => {
      mean.assign(add(mul(mean, 0.9), sum(x, { axis: 0 })));
      return crossEntropy(net.call(x), t);
    },
    after: () => calls.assign(add(calls, 1)),
  });
  const states = [...model.parameters(), mean, calls, optimizer.counter, step.cursor];
  const values = () => Promise.all(states.map((state) => state.data()));
  await step(batch(0, 1));
  const before = await values();
  const wrong = "crossEntropy: label 7 of example 1; expected 0 to 2";
  await expect(step(batch(0, 7))).rejects.toThrow(wrong);
  await expect(step.profile(batch(0, 7))).rejects.toThrow(wrong);
  expect(await values()).toEqual(before);
  await step(batch(2, 1));
  expect((await values()).every((value, i) => value.some((x, j) => x !== before[i][j]))).toBe(true);
  expect((await step.read()).map((report) => report.step)).toEqual([0, 1]);
  const { kernels } = await step.plans[0].stats();
  const names = kernels.flatMap(({ groups }) => groups.map((ops) => ops.join("+")));
  expect(names[0]).toContain("classLabels");
});
