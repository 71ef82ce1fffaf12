/** What can be chosen on the page, and what a run's job is given. */
import { PLANE_NAMES, type PlaneName } from "../shell/plane-data.ts";
import { choice, number, text, toggle, type Values } from "../shell/settings.ts";

/** Data on a plane, a curve, digits, and one's own. */
export const DATA = [
  ...PLANE_NAMES,
  "curve",
  "digits",
  "mnist",
  "fashion",
  "csv",
  "pictures",
] as const;
export type DataName = (typeof DATA)[number];

export const ACTIVATIONS = [
  "relu",
  "leakyRelu",
  "elu",
  "gelu",
  "silu",
  "mish",
  "tanh",
  "sigmoid",
  "sin",
  "linear",
] as const;
/** Losses of classes, then those of values. */
export const CLASS_LOSSES = ["crossEntropy", "focal", "squaredError", "hinge"] as const;
export const VALUE_LOSSES = ["meanSquaredError", "meanAbsoluteError", "huber", "logCosh"] as const;
export const OPTIMIZERS = [
  "sgd",
  "momentum",
  "nesterov",
  "adagrad",
  "rmsprop",
  "adam",
  "adamw",
  "lion",
] as const;
export const SCHEDULES = ["constant", "cosine", "warmup", "step", "exponential"] as const;

/** How many hidden layers there may be, and neurons in each. */
const LAYERS = /^\s*(\d{1,3}(\s*,\s*\d{1,3}){0,5})?\s*$/;

/** How many convolutions there may be, and filters in each: three times halved, 28 pixels are 3. */
const CONVOLUTIONS = /^\s*(\d{1,2}(\s*,\s*\d{1,2}){0,2})?\s*$/;

/** The settings of the page. */
export const CHOICES = {
  data: choice<DataName>("spirals", DATA),
  noise: number(0.03, { min: 0, max: 0.5 }),
  convolutions: text("", CONVOLUTIONS, "up to three numbers with commas, such as 8, 16"),
  kernel: choice("3", ["3", "5"]),
  pooling: choice("max", ["max", "average"]),
  layers: text("24, 24", LAYERS, "up to six numbers with commas, such as 32, 16"),
  activation: choice("gelu", ACTIVATIONS),
  dropout: number(0, { min: 0, max: 0.9 }),
  loss: choice("crossEntropy", [...CLASS_LOSSES, ...VALUE_LOSSES]),
  optimizer: choice("adam", OPTIMIZERS),
  schedule: choice("constant", SCHEDULES),
  rate: number(0.01, { above: 0, max: 100 }),
  batch: number(30, { min: 1, max: 10_000, integer: true }),
  epochs: number(2000, { min: 1, max: 1_000_000, integer: true }),
  seed: number(1, { min: 0, max: 4_294_967_295, integer: true }),
  device: choice("auto", ["auto", "webgpu", "cpu"]),
  speed: choice("watch", ["slow", "watch", "full"]),
  smooth: number(0.6, { min: 0, max: 0.98 }),
  log: toggle(false),
  reader: choice("trained", ["trained", "running"]),
};

export type Chosen = Values<typeof CHOICES>;

/** What the user brings. */
export interface Own {
  /** The text of a CSV file. */
  readonly csv?: string;
  /** Fashion-MNIST's files by name, the address of their folder, or "published" for where they come from. */
  readonly fashion?: Readonly<Record<string, File>> | string;
  /** Pictures with their classes. */
  readonly pictures?: readonly { readonly label: string; readonly source: File }[];
}

/** What a run's job is given. */
export type JobSettings = Omit<Chosen, "smooth" | "log" | "reader"> & Own;

/** Neurons or filters of a layer that are shown at most. */
export const NEURONS_SHOWN = 24;

/** Milliseconds of rest after every five steps. */
export const PAUSES: Readonly<Record<Chosen["speed"], number>> = { slow: 150, watch: 12, full: 0 };

/** What suits a kind of data, where another was chosen before. */
export function suited(data: DataName): Partial<Chosen> {
  const convolutions = "";
  const loss = data === "curve" ? "meanSquaredError" : "crossEntropy";
  if (!isPictures(data)) {
    const shared = { convolutions, loss, rate: 0.01, speed: "watch" } as const;
    if (data === "curve") return { ...shared, layers: "32, 32", batch: 20, epochs: 3000 };
    if (data === "csv") return { ...shared, layers: "16", batch: 16, epochs: 500 };
    return { ...shared, layers: "24, 24", batch: 30, epochs: 2000 };
  }
  const shared = { convolutions, loss, layers: "64", rate: 0.003, speed: "full" } as const;
  return data === "pictures"
    ? { ...shared, batch: 16, epochs: 100 }
    : { ...shared, batch: 100, epochs: 10 };
}

/** The loss to use for classes, or for values: the chosen one where it is of that kind. */
export function fittingLoss(loss: Chosen["loss"], ofClasses: boolean): Chosen["loss"] {
  const fitting: readonly Chosen["loss"][] = ofClasses ? CLASS_LOSSES : VALUE_LOSSES;
  return fitting.includes(loss) ? loss : fitting[0];
}

/** Whether some data have classes; null where only the table that is read can tell. */
export function haveClasses(data: DataName): boolean | null {
  return data === "csv" ? null : data !== "curve";
}

export function isPlane(data: DataName): data is PlaneName {
  return (PLANE_NAMES as readonly string[]).includes(data);
}

/** Whether the data are 28 × 28 pictures. */
export function isPictures(data: DataName): boolean {
  return ["digits", "mnist", "fashion", "pictures"].includes(data);
}

/** Whether the data are digits, as drawings are. */
export function isDigits(data: DataName): boolean {
  return data === "digits" || data === "mnist";
}

/** Whether the data are there only when the user has brought them. */
export function isBrought(data: DataName): boolean {
  return data === "fashion" || data === "pictures";
}

/** The sizes of hidden layers, or the numbers of filters of convolutions. */
export function layerSizes(layers: string): number[] {
  const sizes = layers.trim() === "" ? [] : layers.split(",").map(Number);
  return sizes.filter((size) => size > 0);
}
