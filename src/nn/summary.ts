import { checkFunctions, checkOptions, describeValue, type Known } from "../core/check.ts";
import { isFloat } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { formatShape, type Shape, sameShape } from "../core/shape.ts";
import { partsOf, walk } from "../core/tree.ts";
import { Parameter, State } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";
import { traceFunction } from "../graph/tracing.ts";
import { zeros } from "../ops/creation.ts";
import { inMode } from "./mode.ts";
import type { AnyModule, Part } from "./module.ts";
import type { LayerSummary, ModuleSummary, SummaryOptions } from "./module-summary.ts";
import { observe } from "./observe.ts";

const OPTIONS: Known<SummaryOptions> = {
  inputShape: "number",
  inputs: true,
  dtype: "string",
  print: true,
};

type LayerRow = { -readonly [K in keyof LayerSummary]: LayerSummary[K] };

/** Describes a model of these parts, see `Module.summary`. */
export function summarize(
  model: AnyModule,
  parts: readonly (readonly [string, Part])[],
  options: SummaryOptions,
  surplus: readonly unknown[],
): ModuleSummary {
  checkOptions("summary", options, OPTIONS, surplus);
  const parameters = parts.map(([, part]) => part).filter((part) => part instanceof Parameter);
  const { print = console.log } = options;
  if (print !== null) checkFunctions("summary", { print });
  const inputs = callInputs(options, parameters);
  const layers = rowsOf(parts, inputs ? outputShapes(model, inputs) : new Map());
  const summary = {
    layers,
    parameters: sizes(parameters),
    trainable: sizes(parameters.filter(({ trainable }) => trainable)),
    toString: () => table(summary),
  };
  print?.(summary.toString());
  return summary;
}

function sizes(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { size }) => sum + size, 0);
}

/** What the model is called with; nothing where neither a shape nor inputs are given. */
function callInputs(
  { inputShape, inputs, dtype }: SummaryOptions,
  parameters: readonly Parameter[],
): readonly unknown[] | undefined {
  if (inputs !== undefined) {
    if (Array.isArray(inputs) && inputShape === undefined) return inputs;
    const given = inputShape ? "inputs beside inputShape" : `inputs ${describeValue(inputs)}`;
    throw new GradusError(`summary: ${given}; expected inputShape, or inputs in an array`);
  }
  const like = parameters.find((parameter) => isFloat(parameter.dtype));
  if (!inputShape) return undefined;
  return [zeros(inputShape, { dtype: dtype ?? like?.dtype, device: like?.device })];
}

/** The shapes of what each layer gives, in the order of its calls; nothing is computed. */
function outputShapes(model: AnyModule, inputs: readonly unknown[]): Map<object, Shape[]> {
  const found = new Map<object, Shape[]>();
  const before = observe((layer, call, name) => {
    const y = before ? before(layer, call, name) : call();
    found.set(layer, [...(found.get(layer) ?? []), ...shapesIn(y)]);
    return y;
  });
  const run = () => inMode(model, false, () => model.call(...(inputs as never)));
  // In a trace what the model assigns to states is forgotten again.
  try {
    traceFunction(run);
  } finally {
    observe(before);
  }
  return found;
}

/** The shapes of the tensors in what a layer gives, in order. */
function shapesIn(given: unknown): Shape[] {
  const shapes: Shape[] = [];
  const open = (part: unknown) => (part instanceof Tensor ? null : partsOf(part));
  walk(given, open, (leaf) => {
    if (leaf instanceof Tensor) shapes.push(leaf.shape);
  });
  return shapes;
}

/** A row for each module, and for each function that was called as a layer. */
function rowsOf(
  parts: readonly (readonly [string, Part])[],
  shapes: Map<object, Shape[]>,
): LayerRow[] {
  const rows: LayerRow[] = [];
  for (const [name, part] of parts) {
    if (part instanceof State) {
      if (part instanceof Parameter) ownerOf(name, rows).parameters += part.size;
      continue;
    }
    const given = shapes.get(part) ?? [];
    if (typeof part === "function") {
      const shape = given.shift(); // the same function may be several layers
      if (shape)
        rows.push({ name, type: part.name || "function", outputShapes: [shape], parameters: 0 });
    } else {
      const outputShapes = given.filter((shape, i) => given.findIndex(isLike(shape)) === i);
      rows.push({ name, type: part.constructor.name, outputShapes, parameters: 0 });
    }
  }
  const [model, ...others] = rows;
  return model.parameters === 0 && others.length > 0 ? others : rows;
}

function isLike(shape: Shape): (other: Shape) => boolean {
  return (other) => sameShape(shape, other);
}

/** The row of the innermost module on the way to a state. */
function ownerOf(name: string, rows: readonly LayerRow[]): LayerRow {
  const holds = (row: LayerRow) => row.name === "" || name.startsWith(`${row.name}.`);
  return rows.findLast(holds) as LayerRow;
}

const HEAD = ["name", "layer", "output", "parameters"];

function table({ layers, parameters, trainable }: ModuleSummary): string {
  const count = (n: number) => n.toLocaleString("en-US");
  const cells = layers.map(({ name, type, outputShapes, parameters: own }) => {
    const output = outputShapes.map(formatShape).join(" and ") || "?";
    return [name || "(itself)", type, output, count(own)];
  });
  const totals = [
    ["", "", "all", count(parameters)],
    ["", "", "trainable", count(trainable)],
  ];
  const rows = [HEAD, ...cells, ...totals];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  const rule = "-".repeat(line(HEAD).length);
  return [line(HEAD), rule, ...cells.map(line), rule, ...totals.map(line)].join("\n");
}
