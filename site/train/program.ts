/** The chosen settings as a program that runs by itself. */
import type { PlaneName } from "../shell/plane-data.ts";
import { type Chosen, fittingLoss, isPictures, isPlane, layerSizes } from "./choices.ts";
import type { TaskReport } from "./task.ts";

const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: "ReLU",
  leakyRelu: "LeakyReLU",
  elu: "ELU",
  gelu: "GELU",
  silu: "SiLU",
  mish: "Mish",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
};

const OPTIMIZERS: Readonly<Record<string, readonly [name: string, options: string]>> = {
  sgd: ["SGD", ""],
  momentum: ["SGD", ", momentum: 0.9"],
  nesterov: ["SGD", ", momentum: 0.9, nesterov: true"],
  adagrad: ["Adagrad", ""],
  rmsprop: ["RMSprop", ""],
  adam: ["Adam", ""],
  adamw: ["AdamW", ""],
  lion: ["Lion", ""],
};

/** What a program needs to know of its data. */
export interface DataShape {
  readonly inputs: number;
  /** Number of classes; null where values are learnt. */
  readonly classes: number | null;
  readonly examples: number;
  /** The names of a table's inputs. */
  readonly columns?: readonly string[];
}

/** The shape of a task's data. */
export function shapeOf({ classes, columns, inputs, trainSize }: TaskReport): DataShape {
  return { inputs, classes: classes?.length ?? null, examples: trainSize, columns };
}

/** The shape that some data always have; null for one's own. */
export function usualShape(data: Chosen["data"]): DataShape | null {
  if (isPlane(data)) return { inputs: 2, classes: 2, examples: 300 };
  if (data === "curve") return { inputs: 1, classes: null, examples: 150 };
  const isOwn = data === "csv" || data === "pictures";
  return isOwn ? null : { inputs: 784, classes: 10, examples: 300 };
}

/** Writes the program: data, network, loop. */
export function programOf(settings: Chosen, shape: DataShape): string {
  const { activation, batch, dropout, epochs, optimizer, rate, schedule, seed } = settings;
  const sizes = layerSizes(settings.layers);
  const filters = isPictures(settings.data) ? layerSizes(settings.convolutions) : [];
  const { classes, inputs } = shape;
  const outputs = classes ?? 1;
  const loss = fittingLoss(settings.loss, classes !== null);
  const [optimizerName, options] = OPTIMIZERS[optimizer];
  const hasInit = filters.length + sizes.length > 0;
  const functionName = hasInit ? ACTIVATIONS[activation] : undefined;
  const isHalved = !["tanh", "sigmoid", "sin", "linear"].includes(activation);
  const init = isHalved ? "heNormal()" : `xavierNormal(${activation === "sin" ? "3" : "5 / 3"})`;
  const applied = functionName ? [`new ${functionName}()`] : activation === "sin" ? ["sin"] : [];
  const pool = settings.pooling === "max" ? "MaxPool2d" : "AvgPool2d";
  const layers: string[] = [];
  let [next, width, channels, side] = [seed, inputs, 1, 28];
  if (filters.length > 0) layers.push("(x) => reshape(x, [x.shape[0], 1, 28, 28])");
  for (const count of filters) {
    const given = `{ padding: "same", weightInit, seed: ${next++} }`;
    layers.push(`new Conv2d(${channels}, ${count}, ${settings.kernel}, ${given})`);
    layers.push(...applied, `new ${pool}(2)`);
    [channels, side] = [count, Math.floor(side / 2)];
  }
  if (filters.length > 0) {
    layers.push("new Flatten()");
    width = channels * side ** 2;
  }
  for (const size of sizes) {
    layers.push(`new Linear(${width}, ${size}, { weightInit, seed: ${next} })`, ...applied);
    if (dropout > 0) layers.push(`new Dropout(${dropout}, { seed: ${next} })`);
    width = size;
    next++;
  }
  layers.push(`new Linear(${width}, ${outputs}, { seed: ${next} })`);
  const nn = new Set(["Linear", "Sequential"]);
  if (filters.length > 0) for (const each of ["Conv2d", "Flatten", pool]) nn.add(each);
  if (hasInit) nn.add(isHalved ? "heNormal" : "xavierNormal");
  if (functionName) nn.add(functionName);
  if (dropout > 0 && sizes.length > 0) nn.add("Dropout");
  const core = new Set(["init", "tensor"]);
  if (filters.length > 0) core.add("reshape");
  if (activation === "sin" && hasInit) core.add("sin");
  if (loss === "squaredError") for (const each of ["oneHot", "softmax"]) core.add(each);
  const [lossName, lossText] = lossOf(loss, outputs);
  const [scheduleName, rateText] = rateOf(schedule, rate);
  const imports: [Iterable<string>, string][] = [
    [core, "gradus"],
    [["DataLoader", "TensorDataset"], "gradus/data"],
    [[lossName], "gradus/losses"],
    [nn, "gradus/nn"],
    [[optimizerName, ...scheduleName], "gradus/optim"],
    [["train"], "gradus/train"],
  ];
  return [
    ...imports.map(([names, from]) => `import { ${[...names].sort().join(", ")} } from "${from}";`),
    "",
    "await init();",
    ...dataOf(settings, shape),
    `const loader = new DataLoader({ dataset, batchSize: Math.min(${batch}, dataset.size), seed: ${seed}, dropLast: true });`,
    ...(hasInit ? [`const weightInit = ${init};`] : []),
    "const model = new Sequential(",
    ...layers.map((layer) => `  ${layer},`),
    ");",
    ...(scheduleName.length > 0 ? [`const steps = ${epochs} * loader.stepsPerEpoch;`] : []),
    `const learningRate = ${rateText};`,
    `const optimizer = new ${optimizerName}(model.parameters(), { learningRate${options} });`,
    `const loss = (net, { x, t }) => ${lossText};`,
    `for await (const event of train({ model, optimizer, loss, loader, epochs: ${epochs} })) {`,
    '  if (event.event === "epoch") console.log(event.epoch + 1, event.loss.toFixed(4));',
    "}",
  ].join("\n");
}

/** How each set of points is made: the lines that give `x`, `y` and `label`. */
const POINTS: Readonly<Record<PlaneName, readonly string[]>> = {
  spirals: [
    "const label = i % 2;",
    "const t = Math.sqrt((i + 1) / 300);",
    "const turn = t * 2.9 * Math.PI + label * Math.PI;",
    "const [x, y] = [0.92 * t * Math.cos(turn), 0.92 * t * Math.sin(turn)];",
  ],
  moons: [
    "const label = i % 2;",
    "const turn = Math.PI * Math.random();",
    "const x = 0.56 * (label ? 0.5 - Math.cos(turn) : Math.cos(turn) - 0.5);",
    "const y = 0.75 * (label ? 0.25 - Math.sin(turn) : Math.sin(turn) - 0.25);",
  ],
  circles: [
    "const label = i % 2;",
    "const radius = label ? 0.68 + 0.2 * Math.random() : 0.42 * Math.sqrt(Math.random());",
    "const turn = 2 * Math.PI * Math.random();",
    "const [x, y] = [radius * Math.cos(turn), radius * Math.sin(turn)];",
  ],
  xor: [
    "const place = () => (Math.random() < 0.5 ? -1 : 1) * (0.08 + 0.84 * Math.random());",
    "const [x, y] = [place(), place()];",
    "const label = x * y > 0 ? 0 : 1;",
  ],
  clouds: [
    "const label = i % 2;",
    "const near = () => (Math.random() + Math.random() + Math.random() - 1.5) * 0.42;",
    "const centre = label ? 0.42 : -0.42;",
    "const [x, y] = [centre + near(), centre + near()];",
  ],
};
const TITLES: Readonly<Record<PlaneName, string>> = {
  spirals: "Two spirals",
  moons: "Two moons",
  circles: "A disk in a ring",
  xor: "Exclusive or",
  clouds: "Two clouds",
};

/** Points are made as on the page; random rows stand in for what it loads. */
function dataOf(
  { data, noise }: Chosen,
  { classes, columns = [], examples, inputs }: DataShape,
): string[] {
  // Normal numbers (Box, Muller, 1958).
  const bell =
    noise > 0
      ? [
          "const bell = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());",
        ]
      : [];
  const noisy = (value: string) => (noise > 0 ? `${value} + ${noise} * bell()` : value);
  if (data === "curve") {
    return [
      ...bell,
      "const places = Array.from({ length: 150 }, () => 2 * Math.random() - 1);",
      "const curve = (x) => 0.6 * Math.sin(3 * Math.PI * x) * (0.4 + x * x) + 0.3 * x;",
      "const x = tensor(places.map((at) => [at]));",
      `const t = tensor(places.map((at) => [${noisy("curve(at)")}]));`,
      "const dataset = new TensorDataset({ x, t });",
    ];
  }
  if (isPlane(data)) {
    return [
      `// ${TITLES[data]}; put your own points and labels here.`,
      ...bell,
      "const rows = Array.from({ length: 300 }, (_, i) => {",
      ...POINTS[data].map((line) => `  ${line}`),
      `  return [${noisy("x")}, ${noisy("y")}, label];`,
      "});",
      "const x = tensor(rows.map(([x, y]) => [x, y]));",
      "const t = tensor(Int32Array.from(rows, ([, , label]) => label));",
      "const dataset = new TensorDataset({ x, t });",
    ];
  }
  const names = columns.length > 0 ? ` (${listed(columns)})` : "";
  const learnt = classes === null ? "values" : `labels from 0 to ${classes - 1}`;
  const rows = `Array.from({ length: ${inputs} }, Math.random)`;
  return [
    `// Rows of ${inputs} numbers${names} and ${learnt}; put your own here.`,
    `const rows = Array.from({ length: ${examples} }, () => ${rows});`,
    "const x = tensor(rows);",
    classes === null
      ? `const t = tensor(rows.map((row) => [row[0] - 0.5]));`
      : `const t = tensor(Int32Array.from(rows, (_, i) => i % ${classes}));`,
    "const dataset = new TensorDataset({ x, t });",
  ];
}

/** Some names within one line. */
function listed(names: readonly string[]): string {
  const told = names.slice(0, 6).map((name) => name.replace(/\s+/g, " "));
  return told.join(", ") + (names.length > told.length ? ", …" : "");
}

function lossOf(loss: Chosen["loss"], outputs: number): [name: string, text: string] {
  if (loss === "squaredError") {
    return [
      "meanSquaredError",
      `meanSquaredError(softmax(net.call(x), { axis: 1 }), oneHot(t, ${outputs}))`,
    ];
  }
  const name = loss === "hinge" ? "multiclassHinge" : loss;
  return [name, `${name}(net.call(x), t)`];
}

function rateOf(schedule: Chosen["schedule"], rate: number): [names: string[], text: string] {
  if (schedule === "cosine") return [["cosineDecay"], `cosineDecay(${rate}, { steps })`];
  if (schedule === "warmup") {
    const rising = "Math.max(1, Math.round(steps / 10))";
    return [
      ["cosineDecay", "linearWarmup"],
      `linearWarmup(cosineDecay(${rate}, { steps }), { steps: ${rising} })`,
    ];
  }
  if (schedule === "step") {
    return [["stepDecay"], `stepDecay(${rate}, { every: Math.ceil(steps / 4), factor: 0.5 })`];
  }
  if (schedule === "exponential") {
    return [
      ["exponentialDecay"],
      `exponentialDecay(${rate}, { decayRate: 0.01, decaySteps: steps })`,
    ];
  }
  return [[], String(rate)];
}
