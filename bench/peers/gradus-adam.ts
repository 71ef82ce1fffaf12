import { add, div, mul, State, sqrt, square, sub, type Tensor, tensor } from "../../src/index.ts";
import {
  type Assignment,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "../../src/optim/index.ts";
import { ADAM } from "../workloads/networks.ts";

/** Adam with bias correction (Kingma and Ba 2015, algorithm 1), written in public ops. */
export class Adam extends Optimizer {
  readonly #first: readonly State[];
  readonly #second: readonly State[];
  /** β₁ᵗ and β₂ᵗ. */
  readonly #powers: readonly [State, State];

  constructor(parameters: Parameters, options: OptimizerOptions) {
    super(parameters, options);
    this.#first = this.makeSlots("first");
    this.#second = this.makeSlots("second");
    this.#powers = [new State(tensor(1)), new State(tensor(1))];
  }

  protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
    const { beta1, beta2, epsilon } = ADAM;
    const [power1, power2] = [mul(this.#powers[0], beta1), mul(this.#powers[1], beta2)];
    const slots = this.parameters.flatMap((p, i): Assignment[] => {
      const m = add(mul(this.#first[i], beta1), mul(gradients[i], 1 - beta1));
      const v = add(mul(this.#second[i], beta2), mul(square(gradients[i]), 1 - beta2));
      const root = add(sqrt(div(v, sub(1, power2))), epsilon);
      const direction = div(div(m, sub(1, power1)), root);
      return [
        [this.#first[i], m],
        [this.#second[i], v],
        [p, sub(p, mul(direction, this.rate))],
      ];
    });
    return [...slots, [this.#powers[0], power1], [this.#powers[1], power2]];
  }

  override dispose(): void {
    super.dispose();
    for (const power of this.#powers) power.dispose();
  }
}
