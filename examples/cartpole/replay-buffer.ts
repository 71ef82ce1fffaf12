import { type Tensor, tensor } from "gradus";
import { STATE } from "./physics.ts";

/** What a push led to. */
export interface Transition {
  /** Four numbers. */
  readonly state: ArrayLike<number>;
  readonly action: number;
  readonly next: ArrayLike<number>;
  readonly fell: boolean;
}

/** Some pushes: states `[n, 4]`, actions `[n]`, states after them, and 1 where the pole still stands. */
export interface Transitions {
  readonly states: Tensor;
  readonly actions: Tensor;
  readonly next: Tensor;
  readonly goesOn: Tensor;
}

/** The pushes made last, of which some are drawn to learn from. */
export class ReplayBuffer {
  readonly #states: Float32Array;
  readonly #actions: Int32Array;
  readonly #next: Float32Array;
  readonly #goesOn: Float32Array;
  #added = 0;

  /** @param capacity how many are kept. */
  constructor(readonly capacity: number) {
    this.#states = new Float32Array(capacity * STATE);
    this.#actions = new Int32Array(capacity);
    this.#next = new Float32Array(capacity * STATE);
    this.#goesOn = new Float32Array(capacity);
  }

  /** How many there are. */
  get size(): number {
    return Math.min(this.#added, this.capacity);
  }

  /** Takes in a push, in place of the oldest where there is no room. */
  add({ state, action, next, fell }: Transition): void {
    const at = this.#added++ % this.capacity;
    this.#states.set(state, at * STATE);
    this.#actions[at] = action;
    this.#next.set(next, at * STATE);
    this.#goesOn[at] = fell ? 0 : 1;
  }

  /** Gives the pushes that numbers in [0, 1) name, each of all with the same chance. */
  sample(drawn: ArrayLike<number>): Transitions {
    const n = drawn.length;
    const rows = Array.from(drawn, (u) => Math.floor(u * this.size));
    const take = (from: Float32Array) => {
      const numbers = new Float32Array(n * STATE);
      for (const [i, row] of rows.entries()) {
        numbers.set(from.subarray(row * STATE, (row + 1) * STATE), i * STATE);
      }
      return tensor(numbers, { shape: [n, STATE] });
    };
    return {
      states: take(this.#states),
      actions: tensor(Int32Array.from(rows, (row) => this.#actions[row])),
      next: take(this.#next),
      goesOn: tensor(Float32Array.from(rows, (row) => this.#goesOn[row])),
    };
  }
}
