import { blockUntilReady, defaultDevice, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { ADAM, type Network } from "../workloads/networks.ts";
import type { Steps } from "./peer.ts";

/** All that a step changes: parameters, and Adam's moments and β₁ᵗ, β₂ᵗ. */
export type State = {
  parameters: np.Array[];
  first: np.Array[];
  second: np.Array[];
  powers: np.Array[];
};

/** How parameters follow their gradients. */
type Rule = Pick<Network, "optimizer" | "learningRate">;

/** What is computed of parameters, inputs and what is wanted. */
export type Loss = (parameters: np.Array[], inputs: np.Array, targets: np.Array) => np.Array;

/** Makes an array of numbers. */
export function array(data: Float32Array | Int32Array, shape: readonly number[]): np.Array {
  return np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });
}

/** Hands an array's work to the device, without waiting for it on WebGPU, and frees the array. */
export async function submit(x: np.Array): Promise<void> {
  if (x.device === "webgpu") await x.gpuBuffer();
  else (await x.blockUntilReady()).dispose();
}

/** The mean cross-entropy of rows of logits and rows of zeros with a one. */
export function meanLoss(logits: np.Array, targets: np.Array): np.Array {
  return np.mean(np.sum(nn.logSoftmax(logits, 1).mul(targets), 1)).neg();
}

/** What a step begins with. */
export function initialState(parameters: np.Array[], { optimizer }: Rule): State {
  const isAdam = optimizer === "adam";
  const slots = () => (isAdam ? parameters.map((p) => np.zeros(p.shape)) : []);
  const powers = isAdam ? [np.array(1), np.array(1)] : [];
  return { parameters, first: slots(), second: slots(), powers };
}

/** All arrays of a state. */
export function arraysOf({ parameters, first, second, powers }: State): np.Array[] {
  return [...parameters, ...first, ...second, ...powers];
}

function descend({ learningRate }: Rule, state: State, gradients: np.Array[]): State {
  const parameters = state.parameters.map((p, i) => p.sub(gradients[i].mul(learningRate)));
  return { ...state, parameters };
}

/** Adam as the other libraries compute it. */
function adam({ learningRate }: Rule, state: State, gradients: np.Array[]): State {
  const { beta1, beta2, epsilon } = ADAM;
  const powers = [state.powers[0].mul(beta1), state.powers[1].mul(beta2)];
  const next: State = { parameters: [], first: [], second: [], powers };
  state.parameters.forEach((p, i) => {
    const g = gradients[i];
    const m = state.first[i].mul(beta1).add(g.ref.mul(1 - beta1));
    const v = state.second[i].mul(beta2).add(np.square(g).mul(1 - beta2));
    const corrected = v.ref.div(np.subtract(1, powers[1].ref));
    const direction = m.ref.div(np.subtract(1, powers[0].ref)).div(np.sqrt(corrected).add(epsilon));
    next.parameters.push(p.sub(direction.mul(learningRate)));
    next.first.push(m);
    next.second.push(v);
  });
  return next;
}

/** One step of training in one `jit`. */
export function makeStep(rule: Rule, lossOf: Loss) {
  const update = rule.optimizer === "adam" ? adam : descend;
  return jit((state: State, inputs: np.Array, targets: np.Array) => {
    const kept = state.parameters.map((p) => p.ref);
    const [loss, gradients] = valueAndGrad(lossOf)(kept, inputs, targets);
    return [loss, update(rule, state, gradients as np.Array[])] as [np.Array, State];
  });
}

/** Inputs and what is wanted of them. */
interface ArrayBatch {
  readonly inputs: np.Array;
  readonly targets: np.Array;
}

/** Steps of training from parameters on batches in turn; they end with all that they were given. */
export function stepsOf(
  rule: Rule,
  parameters: np.Array[],
  batches: readonly ArrayBatch[],
  lossOf: Loss,
): Steps<np.Array> {
  const step = makeStep(rule, lossOf);
  let state = initialState(parameters, rule);
  return {
    step: (number) => {
      const { inputs, targets } = batches[number % batches.length];
      const [loss, next] = step(state, inputs.ref, targets.ref) as [np.Array, State];
      state = next;
      return loss;
    },
    read: async (loss) => (await loss.data())[0],
    drop: submit,
    // Threads have the loss before they have the gradients; a GPU's queue gives it behind all of the step.
    finish: async () => {
      if (defaultDevice() === "wasm") await blockUntilReady(arraysOf(state));
    },
    dispose: () => {
      const own = batches.flatMap((b) => [b.inputs, b.targets]);
      for (const x of [...arraysOf(state), ...own]) x.dispose();
      step.dispose();
    },
  };
}
