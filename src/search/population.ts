import { checkFunctions } from "../core/check.ts";
import { dtypesOf, either, isFloat } from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import type { Key } from "../core/random.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import { assignAll, type Parameter, State } from "../graph/state.ts";
import { substitute } from "../graph/substitute.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import type { LossOptions } from "../losses/reduction.ts";
import { add } from "../ops/arithmetic.ts";
import { broadcastTo } from "../ops/broadcast.ts";
import { pad } from "../ops/pad.ts";
import { randomNormal } from "../ops/random.ts";
import { mean } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { concat, slice } from "../ops/slice.ts";

/** Many values of a model's parameters at once: each row holds those of one individual. */
export class Population {
  /** `[individuals, genes]`. */
  readonly genes: State;

  /** Individual 0 has the parameters' values, the others these and normal numbers. */
  constructor(
    readonly parameters: readonly Parameter[],
    readonly size: number,
    scale: number,
    key: Key,
  ) {
    checkGenes(parameters);
    const { device, dtype } = parameters[0];
    const own = concat(parameters.map((p) => reshape(p, [p.size])));
    const noise = randomNormal([size - 1, own.size], { std: scale, key, device, dtype });
    const genes = add(
      own,
      pad(noise, [
        [1, 0],
        [0, 0],
      ]),
    );
    this.genes = new State(genes, { name: "population" });
  }

  /** Runs a function in which each parameter stands for its values in all individuals. */
  asModel<T>(fn: () => T): T {
    return substitute(this.#parts({}, batchedShape), fn);
  }

  /** Assigns the parameters the values of individual 0. */
  load(): void {
    assignAll(this.#parts({ end: 1 }, (shape) => shape));
  }

  #parts(rows: { end?: number }, shapeOf: (shape: Shape, individuals: number) => Shape) {
    let start = 0;
    return this.parameters.map((p): [Parameter, Tensor] => {
      const part = slice(this.genes, [rows, { start, end: start + p.size }]);
      start += p.size;
      return [p, reshape(part, shapeOf(p.shape, this.size))];
    });
  }
}

/** [a, b] becomes [p, a, b], which multiplies [n, a]; [b] becomes [p, 1, b], which is added to [p, n, b]. */
function batchedShape(shape: Shape, individuals: number): Shape {
  return [individuals, ...new Array<number>(Math.max(0, 2 - shape.length)).fill(1), ...shape];
}

function checkGenes(parameters: readonly Parameter[]): void {
  if (parameters.length === 0) {
    throw new GradusError("GeneticAlgorithm: no parameters; expected at least one");
  }
  const [{ dtype }] = parameters;
  const wrong = parameters.find((p) => p.dtype !== dtype || !isFloat(p.dtype));
  if (!wrong) return;
  throw new DTypeError(
    `GeneticAlgorithm: "${wrong.name}" has dtype ${wrong.dtype}; ` +
      `expected ${either(dtypesOf("float"))}, one for all`,
  );
}

/**
 * Computes the mean loss of each individual, `[p]`, from what a population's model computes,
 * `[p, n, …]`, and targets `[n, …]`.
 * @param loss one of the catalogue, or another function that gives the losses of single examples.
 * @throws ShapeError for outputs that are not of a population or targets of another number.
 * @example lossPerIndividual(crossEntropy, model.call(images), labels);
 */
export function lossPerIndividual(
  loss: (outputs: Tensor, targets: Tensor, options: LossOptions) => Tensor,
  outputs: Tensor,
  targets: Tensor,
): Tensor {
  checkFunctions("lossPerIndividual", { loss });
  checkTensors("lossPerIndividual", [outputs, targets]);
  if (outputs.rank < 2 || targets.shape[0] !== outputs.shape[1]) {
    throw new ShapeError(
      `lossPerIndividual: outputs ${formatShape(outputs.shape)}, targets ` +
        `${formatShape(targets.shape)}; expected [p, n, …] and [n, …]`,
    );
  }
  const [p, n, ...rest] = outputs.shape;
  const [, ...each] = targets.shape;
  const repeated = reshape(broadcastTo(targets, [p, n, ...each]), [p * n, ...each]);
  const losses = loss(reshape(outputs, [p * n, ...rest]), repeated, { reduction: "none" });
  return mean(reshape(losses, [p, losses.size / p]), { axis: 1 });
}
