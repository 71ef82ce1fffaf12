// Cart-pole after Barto, Sutton & Anderson 1983, "Neuronlike adaptive elements that can solve difficult
// learning control problems", appendix, without friction and with the constants of Gym's CartPole.

/** m/s². */
const GRAVITY = 9.8;
/** In kilograms. */
const [CART, POLE] = [1, 0.1];
/** Half the pole, in metres. */
const HALF = 0.5;
/** In newtons, to the left or to the right. */
const FORCE = 10;
/** Seconds in a step, by Euler's method. */
const STEP = 0.02;
/** Where an episode ends: metres from the middle, and radians from upright. */
export const [FAR, STEEP] = [2.4, (12 * Math.PI) / 180];

/** x in metres, ẋ, θ in radians from upright and θ̇: how many numbers a state has. */
export const STATE = 4;
/** Push to the left, or to the right. */
export const ACTIONS = 2;

/** The accelerations ẍ and θ̈ under a force, from θ and θ̇. */
export function accelerations(force: number, theta: number, turn: number): [number, number] {
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
  const mass = CART + POLE;
  const push = (force + POLE * HALF * turn ** 2 * sin) / mass;
  // θ̈ = (g sin θ − cos θ (F + m l θ̇² sin θ) / M) / (l (4/3 − m cos² θ / M))
  const angular = (GRAVITY * sin - cos * push) / (HALF * (4 / 3 - (POLE * cos ** 2) / mass));
  return [push - (POLE * HALF * angular * cos) / mass, angular];
}

/** Several carts at once, each with its own episode. */
export class CartPoles {
  /** `[n, 4]`. */
  readonly states: Float64Array;

  /** @param limit steps after which an episode is ended. */
  constructor(
    readonly size: number,
    readonly limit: number,
  ) {
    this.states = new Float64Array(size * STATE);
    this.#steps = new Uint32Array(size);
  }

  readonly #steps: Uint32Array;

  /** Begins an episode: each number of the state from −0.05 to 0.05, by four numbers in [0, 1). */
  reset(cart: number, drawn: ArrayLike<number>): void {
    for (let i = 0; i < STATE; i++) this.states[cart * STATE + i] = (drawn[i] - 0.5) / 10;
    this.#steps[cart] = 0;
  }

  /**
   * Pushes a cart to the left (0) or to the right (1). It earns 1 for that; `fell` says whether pole
   * or cart went too far, `ended` whether the episode is over, be it by the limit.
   */
  push(cart: number, action: number): { fell: boolean; ended: boolean } {
    const at = cart * STATE;
    const [x, speed, theta, turn] = this.states.subarray(at, at + STATE);
    const [linear, angular] = accelerations(action === 1 ? FORCE : -FORCE, theta, turn);
    const next = [
      x + STEP * speed,
      speed + STEP * linear,
      theta + STEP * turn,
      turn + STEP * angular,
    ];
    this.states.set(next, at);
    const fell = Math.abs(next[0]) > FAR || Math.abs(next[2]) > STEEP;
    return { fell, ended: ++this.#steps[cart] >= this.limit || fell };
  }
}
