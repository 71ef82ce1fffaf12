import type { Shape } from "../../src/core/shape.ts";
import {
  add,
  assignAll,
  type Device,
  matmul,
  mean,
  mul,
  Parameter,
  State,
  softmax,
  square,
  sub,
  tanh,
  tensor,
  writeAt,
} from "../../src/index.ts";
import { Adam, type Optimizer, RMSprop, SGD } from "../../src/optim/index.ts";
import { picker, type RandomProgram, SIDES, wave } from "./random-choice.ts";

/** A small network of random sizes with one of the optimizers, and a ring of losses. */
export function randomTraining(seed: number, device: Device, dtype: "f32" | "f64"): RandomProgram {
  const pick = picker(seed, 3);
  const [rows, a, b, c] = [0, 1, 2, 3].map(() => SIDES[pick(SIDES.length)]);
  const parameter = (shape: Shape, i: number) =>
    new Parameter(mul(wave(shape, seed + i, device, dtype), 1 / Math.sqrt(shape[0])), {
      name: `p${i}`,
    });
  const shapes = [[a, b], [b], [b, c], ...(pick(2) === 0 ? [[c]] : [])];
  const parameters = shapes.map(parameter);
  const makers: (() => Optimizer)[] = [
    () => new SGD(parameters, { learningRate: 0.1, momentum: pick(2) * 0.9 }),
    () => new Adam(parameters, { learningRate: 0.02, epsilon: 1e-2 }),
    () => new RMSprop(parameters, { learningRate: 0.02, epsilon: 1e-2 }),
  ];
  const optimizer = makers[pick(makers.length)]();
  const counter = new State(tensor(pick(5), { device, dtype: "u32" }), { name: "counter" });
  const ring = new State(wave([3], 0, device, dtype), { name: "ring" });
  return {
    states: [...parameters, ...optimizer.state().values(), counter, ring],
    inputs: (call) => [
      wave([rows, a], call, device, dtype),
      wave([rows, c], 2 * call, device, dtype),
    ],
    body: (x, y) => {
      const [w, bias, v, last] = parameters;
      const hidden = tanh(add(matmul(x, w), bias));
      const output = matmul(hidden, v);
      const logits = last ? add(output, last) : output;
      const loss = mean(square(sub(softmax(logits), y)));
      optimizer.step(loss, [logits]);
      assignAll([
        [ring, writeAt(ring, counter, loss)],
        [counter, add(counter, 1)],
      ]);
      return [loss, logits];
    },
  };
}
