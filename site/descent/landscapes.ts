/** The landscapes of the page, and the ways down them. */

/** A function of x and y, and from where it is gone down. */
export interface Landscape {
  readonly title: string;
  /** In the grammar of `formula.ts`. */
  readonly formula: string;
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
  readonly start: readonly [x: number, y: number];
  /** Learning rates by kind of method. */
  readonly rates: Readonly<Record<Kind, number>>;
  readonly text: string;
}

/** Methods whose steps have the gradient's size; those that gather momentum; those that scale it. */
export type Kind = "plain" | "momentum" | "sum" | "scaled";

export const LANDSCAPES = {
  ravine: {
    title: "Ravine",
    formula: "x^2 / 20 + y^2",
    x: [-10, 10],
    y: [-5, 5],
    start: [-7, 2],
    rates: { plain: 0.9, momentum: 0.1, sum: 1.5, scaled: 0.3 },
    text: "Steep across, nearly flat along: gradient descent swings from wall to wall, for the slope hardly points to the least place (Saito, 2016, “Deep Learning from Scratch”, section 6.1). Across, a step makes the distance |1 − 2η| of what it was: from η = 1 on it grows.",
  },
  bowl: {
    title: "Bowl",
    formula: "x^2 + y^2",
    x: [-4, 4],
    y: [-4, 4],
    start: [-3, 2.5],
    rates: { plain: 0.1, momentum: 0.03, sum: 0.8, scaled: 0.15 },
    text: "Equally steep on all sides: the slope points to the least place, and all arrive. Gradient descent makes the distance |1 − 2η| of what it was in each step.",
  },
  rosenbrock: {
    title: "Rosenbrock",
    formula: "(1 - x)^2 + 100 (y - x^2)^2",
    x: [-2, 2],
    y: [-1, 3],
    start: [-1.4, 2.5],
    rates: { plain: 0.001, momentum: 0.0004, sum: 0.4, scaled: 0.04 },
    text: "A bent valley: the floor is found at once, and then the way along it is long. The least place is at (1, 1) (Rosenbrock, 1960, “An automatic method for finding the greatest or least value of a function”).",
  },
  himmelblau: {
    title: "Himmelblau",
    formula: "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    x: [-5, 5],
    y: [-5, 5],
    start: [-0.4, -0.8],
    rates: { plain: 0.01, momentum: 0.003, sum: 0.6, scaled: 0.1 },
    text: "Four least places, all 0 (Himmelblau, 1972, “Applied Nonlinear Programming”). From near the hill in the middle, methods end in different ones.",
  },
  saddle: {
    title: "Saddle",
    formula: "x^2 - y^2 + y^4 / 8",
    x: [-3, 3],
    y: [-3, 3],
    start: [-2.4, 0.01],
    rates: { plain: 0.05, momentum: 0.02, sum: 0.3, scaled: 0.06 },
    text: "Down along x and, ever so little off the ridge, down along y: near the middle the slope is nearly 0. Methods that scale it get away at once, gradient descent takes its time (Dauphin et al., 2014, “Identifying and attacking the saddle point problem”).",
  },
  own: {
    title: "Your own",
    formula: "sin(2x) cos(2y) + (x^2 + y^2) / 8",
    x: [-4, 4],
    y: [-4, 4],
    start: [-3, 2.6],
    rates: { plain: 0.08, momentum: 0.03, sum: 0.4, scaled: 0.06 },
    text: "Whatever you type: its gradient is taken by automatic differentiation. Powers are x^2, and there are sin, cos, exp, log, sqrt, abs and pi.",
  },
} as const satisfies Record<string, Landscape>;

export type LandscapeName = keyof typeof LANDSCAPES;
export const LANDSCAPE_NAMES = Object.keys(LANDSCAPES) as LandscapeName[];

/** The methods, in the order of the page. */
export const METHODS = [
  { id: "descent", title: "Gradient descent", kind: "plain", color: "--accent" },
  { id: "momentum", title: "Momentum", kind: "momentum", color: "--second" },
  { id: "nesterov", title: "Nesterov", kind: "momentum", color: "--third" },
  { id: "adagrad", title: "Adagrad", kind: "sum", color: "--fourth" },
  { id: "rmsprop", title: "RMSprop", kind: "scaled", color: "--fifth" },
  { id: "adam", title: "Adam", kind: "scaled", color: "--text" },
  { id: "lion", title: "Lion", kind: "scaled", color: "--sixth" },
] as const;

export type MethodName = (typeof METHODS)[number]["id"];
