import { beforeAll, expect, test } from "vitest";
import { writeLooped } from "../../src/devices/webgpu/looped.ts";
import { settle } from "../../src/devices/webgpu/numbers.ts";
import { isLoop, type LoopPart, loopParts } from "../../src/engine/loop.ts";
import { trace } from "../../src/engine/program.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  add,
  checkpoint,
  gelu,
  grad,
  matmul,
  scan,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { ownDevice } from "../support/device.ts";
import { TRAITS } from "../support/plan-kernels.ts";
import { uniform } from "../support/reference.ts";

beforeAll(async () => {
  await ownDevice();
});

type Layer = (h: Tensor, x: Tensor) => readonly [Tensor, null];

/** A layer whose products are [2, 4], of weights [3, 4] and [4, 4]. */
function layerOf(activation: (x: Tensor) => Tensor) {
  return (w: Tensor, u: Tensor): Layer =>
    (h, x) => [activation(add(matmul(x, w), matmul(h, u))), null];
}

/** The program of a layer's gradient over so many rows. */
function programOf(layer: (w: Tensor, u: Tensor) => Layer, length: number) {
  const [xs, w, u, h0] = [
    [length, 2, 3],
    [3, 4],
    [4, 4],
    [2, 4],
  ].map((shape, i) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(uniform(size, i + 1), { shape });
  });
  const [h] = scan(layer(w, u), h0, xs);
  const slopes = grad(sum(h), [w, u]);
  return simplify(trace([h, ...slopes].map((x) => x.use()), "test").program); // biome-ignore format: one line
}

/** The shapes of what the loops of a program give of all turns. */
function rowsGiven(program: ReturnType<typeof programOf>): string[][] {
  const loops = loopParts(program).filter(isLoop) as LoopPart[];
  return loops.map(({ results, body }) =>
    [...results]
      .filter(([result]) => result >= body.carries)
      .map(([, step]) => {
        return `${program.steps[step].shape}`;
      }),
  );
}

test("for a gradient a loop stores its carries and one value of each chain behind a kernel", () => {
  // tanh' is made of tanh; its argument, and both products, are not stored.
  expect(rowsGiven(programOf(layerOf(tanh), 5))).toEqual([["5,2,4", "5,2,4"], []]);
  // gelu' is made of the argument, so that is stored.
  expect(
    rowsGiven(
      programOf(
        layerOf((x) => gelu(x)),
        5,
      ),
    ),
  ).toEqual([["5,2,4", "5,2,4"], []]);
  const again = (w: Tensor, u: Tensor) => checkpoint(layerOf(tanh)(w, u));
  expect(rowsGiven(programOf(again, 5))).toEqual([["5,2,4"], []]);
});

test("what is written for a GPU does not grow with the rows, and pipelines are one for all turns", () => {
  const limits = { maxStorageBuffersPerShaderStage: 10, maxComputeWorkgroupStorageSize: 16384 };
  const traits = TRAITS.direct;
  const host = { device: { limits }, traits, choose: byRule(traits) } as never;
  const [short, long] = [10, 100].map((length) => {
    const written = writeLooped(programOf(layerOf(tanh), length), host, { repeated: true });
    const texts = new Set(settle(written.codes, new Map()).map(({ code }) => code));
    const { length: dispatches = 0 } = written.turns ?? {};
    return { kernels: written.codes.length, texts: texts.size, dispatches };
  });
  expect([long.kernels, long.texts]).toEqual([short.kernels, short.texts]);
  expect(short.texts).toBeLessThan(short.kernels); // two sets of buffers take turns
  const perTurn = (long.dispatches - short.dispatches) / 90;
  expect(perTurn).toBe(6); // forward two products, back the slope, and three that make products
});
