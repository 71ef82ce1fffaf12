import {
  add,
  assignAll,
  concat,
  grad,
  matmul,
  mean,
  mul,
  Parameter,
  State,
  sin,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, ReLU, Sequential } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";

/** Graphs of one kind, small and large. */
export interface Growth {
  readonly name: string;
  /** What is counted, and how many of it there are. */
  readonly unit: string;
  readonly counts: readonly number[];
  /** Whether it is many evaluations one after the other, and not one. */
  readonly isMany?: boolean;
  /**
   * Makes states, and gives what builds the graph, its gradients and a step, as far as there are: each
   * is given what the one before it gave, and the last one gives the results.
   */
  make(count: number): readonly Build[];
}

/** Builds a part of a graph on what the part before it gave. */
export type Build = (given: readonly Tensor[]) => readonly Tensor[];

const square3 = () => tensor(new Float32Array(9).fill(0.1), { shape: [3, 3] });

const chain = (count: number, next: (y: Tensor) => Tensor, x = square3()): Tensor => {
  let y = x;
  for (let i = 0; i < count; i++) y = next(y);
  return y;
};

const layers = (count: number) => {
  const linear = Array.from({ length: count }, (_, i) => new Linear(16, 16, { seed: i + 1 }));
  return new Sequential(...linear.flatMap((layer) => [layer, new ReLU()]));
};

/** The gradients of a loss, and an optimizer's step along them. */
const stepOf = (optimizer: Adam): Build[] => [
  ([y]) => [y, ...grad(y, optimizer.parameters)],
  ([y, ...gradients]) => {
    optimizer.apply(gradients, [y]);
    return [y];
  },
];

/** What is looked at for how its cost grows. */
export const GROWTHS: readonly Growth[] = [
  {
    name: "a chain of additions",
    unit: "additions",
    counts: [100, 1000, 10_000],
    make: (count) => [() => [chain(count, (y) => add(y, 1))]],
  },
  {
    name: "the gradient of a chain of sines",
    unit: "sines",
    counts: [100, 400, 3000, 10_000],
    make: (count) => {
      const x = square3();
      return [() => [sum(chain(count, sin, x))], ([y]) => grad(y, [x])];
    },
  },
  {
    name: "a step of a net with Adam",
    unit: "layers",
    counts: [2, 10, 50, 200],
    make: (count) => {
      const model = layers(count);
      const optimizer = new Adam(model.parameters(), { learningRate: 0.01 });
      const loss = () => {
        const x = tensor(new Float32Array(64).fill(0.3), { shape: [4, 16] });
        return [crossEntropy(model.call(x), tensor(Int32Array.of(1, 2, 3, 4)))];
      };
      return [loss, ...stepOf(optimizer)];
    },
  },
  {
    name: "a step of many parameters with Adam",
    unit: "parameters",
    counts: [10, 100, 1000],
    make: (count) => {
      const parameters = Array.from({ length: count }, () => new Parameter(square3()));
      const optimizer = new Adam(parameters, { learningRate: 0.01 });
      const loss = () => [parameters.map((p) => sum(square(p))).reduce((a, b) => add(a, b))];
      return [loss, ...stepOf(optimizer)];
    },
  },
  {
    name: "a step of an unrolled recurrent net",
    unit: "time steps",
    counts: [4, 40, 400],
    make: (count) => {
      const [w, u] = [new Parameter(square3()), new Parameter(square3())];
      const loss = () => {
        const x = square3();
        return [mean(square(chain(count, (y) => tanh(add(matmul(y, w), matmul(x, u))))))];
      };
      const next = (state: Parameter, slope: Tensor) => add(state, mul(slope, -0.01));
      const step: Build = ([y, dw, du]) => {
        const pairs: [State, Tensor][] = [
          [w, next(w, dw)],
          [u, next(u, du)],
        ];
        assignAll(pairs, [y]);
        return [y];
      };
      return [loss, ([y]) => [y, ...grad(y, [w, u])], step];
    },
  },
  {
    name: "parts joined to one",
    unit: "parts",
    counts: [50, 500, 3000],
    make: (count) => [() => [concat(Array.from({ length: count }, (_, i) => tensor([i, 1])))]],
  },
  {
    name: "states assigned at once",
    unit: "states",
    counts: [30, 300, 3000],
    make: (count) => {
      const states = Array.from({ length: count }, () => new State(square3()));
      const assign = () => {
        assignAll(states.map((state) => [state, mul(state, 0.5)]));
        return states;
      };
      return [assign];
    },
  },
  {
    name: "updates that nobody reads",
    unit: "updates",
    counts: [500, 5000, 50_000],
    isMany: true,
    make: (count) => {
      const state = new State(square3());
      const assign = () => {
        for (let i = 0; i < count; i++) state.assign(mul(state, 0.999));
        return [state];
      };
      return [assign];
    },
  },
];
