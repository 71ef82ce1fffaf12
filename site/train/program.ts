/** The chosen settings as a program that runs by itself. */
import { isPlane, type JobSettings, layerSizes } from "./choices.ts";

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

/** Writes the program: data, network, loop. */
export function programOf(settings: JobSettings): string {
  const { activation, batch, data, dropout, epochs, loss, optimizer, rate, schedule, seed } =
    settings;
  const sizes = layerSizes(settings.layers);
  const [inputs, outputs] = shapeOf(data);
  const [optimizerName, options] = OPTIMIZERS[optimizer];
  const functionName = ACTIVATIONS[activation];
  const widths = [inputs, ...sizes];
  const isHalved = !["tanh", "sigmoid", "sin", "linear"].includes(activation);
  const init = isHalved ? "heNormal()" : `xavierNormal(${activation === "sin" ? "3" : "5 / 3"})`;
  const layers = sizes.flatMap((size, i) => [
    `new Linear(${widths[i]}, ${size}, { weightInit, seed: ${seed + i} })`,
    ...(functionName ? [`new ${functionName}()`] : activation === "sin" ? ["sin"] : []),
    ...(dropout > 0 ? [`new Dropout(${dropout}, { seed: ${seed + i} })`] : []),
  ]);
  layers.push(`new Linear(${widths.at(-1)}, ${outputs}, { seed: ${seed + sizes.length} })`);
  const nn = new Set(["Linear", "Sequential"]);
  if (sizes.length > 0) nn.add(isHalved ? "heNormal" : "xavierNormal");
  if (functionName && sizes.length > 0) nn.add(functionName);
  if (dropout > 0 && sizes.length > 0) nn.add("Dropout");
  const core = new Set(["init", "tensor"]);
  if (activation === "sin" && sizes.length > 0) core.add("sin");
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
    ...dataOf(data, outputs),
    `const loader = new DataLoader({ dataset, batchSize: Math.min(${batch}, dataset.size), seed: ${seed}, dropLast: true });`,
    ...(sizes.length > 0 ? [`const weightInit = ${init};`] : []),
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

function shapeOf(data: JobSettings["data"]): [inputs: number, outputs: number] {
  if (isPlane(data)) return [2, 2];
  if (data === "curve") return [1, 1];
  if (data === "csv") return [4, 3];
  return [784, 10];
}

/** Data of one's own stand in for what the page makes or loads. */
function dataOf(data: JobSettings["data"], outputs: number): string[] {
  if (data === "curve") {
    return [
      "const places = Array.from({ length: 150 }, () => 2 * Math.random() - 1);",
      "const x = tensor(places.map((at) => [at]));",
      "const t = tensor(places.map((at) => [0.6 * Math.sin(3 * Math.PI * at)]));",
      "const dataset = new TensorDataset({ x, t });",
    ];
  }
  if (isPlane(data)) {
    return [
      "// Two spirals; put your own points and labels here.",
      "const labels = Array.from({ length: 300 }, (_, i) => i % 2);",
      "const points = labels.map((label, i) => {",
      "  const turn = Math.sqrt(i / 300) * 2.9 * Math.PI + label * Math.PI;",
      "  return [Math.sqrt(i / 300) * Math.cos(turn), Math.sqrt(i / 300) * Math.sin(turn)];",
      "});",
      "const dataset = new TensorDataset({ x: tensor(points), t: tensor(Int32Array.from(labels)) });",
    ];
  }
  const width = data === "csv" ? 4 : 784;
  return [
    `// Rows of ${width} numbers and labels from 0 to ${outputs - 1}; put your own here.`,
    `const rows = Array.from({ length: 300 }, () => Array.from({ length: ${width} }, Math.random));`,
    `const labels = Int32Array.from({ length: 300 }, (_, i) => i % ${outputs});`,
    "const dataset = new TensorDataset({ x: tensor(rows), t: tensor(labels) });",
  ];
}

function lossOf(loss: JobSettings["loss"], outputs: number): [name: string, text: string] {
  if (loss === "squaredError") {
    return [
      "meanSquaredError",
      `meanSquaredError(softmax(net.call(x), { axis: 1 }), oneHot(t, ${outputs}))`,
    ];
  }
  const name = loss === "hinge" ? "multiclassHinge" : loss;
  return [name, `${name}(net.call(x), t)`];
}

function rateOf(schedule: JobSettings["schedule"], rate: number): [names: string[], text: string] {
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
