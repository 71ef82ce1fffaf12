import {
  checkEach,
  checkFunctions,
  checkNotNegative,
  checkOptions,
  type Known,
} from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { GradusError } from "../core/errors.ts";
import { postorder } from "../core/postorder.ts";
import type { Device } from "../graph/device.ts";
import { inputsOf, type Node } from "../graph/node.ts";
import { type Parameter, type State, stateOf } from "../graph/state.ts";
import { substitute } from "../graph/substitute.ts";
import { Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { isTracing, traceFunction } from "../graph/tracing.ts";
import { add, div, mul } from "../ops/arithmetic.ts";
import { abs } from "../ops/unary.ts";
import { slopesOf } from "./check.ts";
import { globalNorm } from "./clip.ts";
import type { Assignment, OptimizerLike } from "./optimizer.ts";
import { rateOf, setRateOf } from "./shared-rate.ts";

/** Options of `SAM`. */
export interface SAMOptions {
  /** ρ, how far a step looks around, from 0; 0.05 when left out. */
  rho?: number;
  /** Whether distances count in units of each parameter's size, as in ASAM; false when left out. */
  adaptive?: boolean;
}

const SAM_OPTIONS: Known<SAMOptions> = { rho: "number", adaptive: "boolean" };

/** What lengths are divided by at the least. */
const SHORTEST = 1e-12;

/**
 * Looks for flat valleys: climbs first to where the loss is worst nearby, and has another optimizer step down the
 * gradient that is there:
 *
 *     g ← ∂L/∂p at p
 *     ε ← ρ g / (‖g‖ + 1e-12)                     (adaptive: ρ p² g / (‖|p| g‖ + 1e-12))
 *     p ← the optimizer's step from p, with ∂L/∂p at p + ε
 *
 * ‖·‖ goes over all parameters. A step costs two passes through the model. States that change while the loss is
 * computed, such as running statistics, change once, by the first pass; the second begins with those that the
 * loss read before it changed them, as `Dropout` does its counter, so that both drop the same elements. Outside
 * of compiled functions such a loss is computed once more, for both gradients alike.
 *
 * Its state and its learning rate are the optimizer's; its `clip` limits the second gradients. Where
 * gradients are given, by `apply` or `accumulatedStep`, there is no second one.
 * Source: Foret et al. 2021, "Sharpness-aware minimization for efficiently improving generalization",
 * Algorithm 1; Kwon et al. 2021, "ASAM", eq. 4, for `adaptive`, which takes a larger ρ such as 0.5.
 * @throws GradusError for what is no optimizer, and an option out of its range.
 * @example
 * const sgd = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
 * const step = trainStep({ model, optimizer: new SAM(sgd, { rho: 0.05 }), loss });
 */
export class SAM<Base extends OptimizerLike = OptimizerLike>
  implements OptimizerLike, KnownByIdentity
{
  /** Such as `SAM(SGD)`. */
  readonly kind: string;
  readonly parameters: readonly Parameter[];
  readonly rho: number;
  readonly adaptive: boolean;

  /** @param optimizer makes the steps. */
  constructor(
    readonly optimizer: Base,
    options: SAMOptions = {},
    ...surplus: never[]
  ) {
    checkOptions("SAM", options, SAM_OPTIONS, surplus);
    const { rho = 0.05, adaptive = false } = options;
    checkNotNegative("SAM", { rho });
    const isOptimizer = (x: unknown) => Array.isArray((x as Partial<Base> | null)?.parameters);
    checkEach(
      "SAM",
      { optimizer },
      isOptimizer,
      "an optimizer, such as new SGD(parameters, { … })",
    );
    this.kind = `SAM(${optimizer.kind})`;
    this.parameters = optimizer.parameters;
    this.rho = rho;
    this.adaptive = adaptive;
  }

  /** That of the optimizer, which setting it sets. */
  get learningRate(): Base["learningRate"] {
    return rateOf([this.optimizer]);
  }
  set learningRate(value: number) {
    setRateOf(this.kind, [this.optimizer], value);
  }

  state(): ReadonlyMap<string, State> {
    return this.optimizer.state();
  }

  /**
   * Makes one step, and evaluates `loss` and `also` with it.
   * @param again computes the loss a second time.
   * @throws GradusError without `again`, or when the loss does not depend on a parameter.
   * @example
   * const p = new Parameter(tensor([1]));
   * const sam = new SAM(new SGD([p], { learningRate: 0.1 }));
   * const loss = () => sum(square(p));
   * sam.step(loss(), [], loss);
   */
  step(loss: Tensor, also: readonly Tensor[] = [], again?: () => Tensor): void {
    checkFunctions("SAM", { again });
    const { kind, parameters, adaptive, rho } = this;
    const scaled = (x: Tensor, i: number) => (adaptive ? mul(x, abs(parameters[i])) : x);
    const firstOf = (x: Tensor) => slopesOf(kind, x, parameters);
    const known = isTracing() ? null : tracedSlopes(again as () => Tensor, firstOf);
    const slopes = (known ?? firstOf(loss)).map(scaled);
    const scale = div(rho, add(globalNorm(slopes), SHORTEST));
    const worst = slopes.map((g, i) => {
      return [parameters[i], add(parameters[i], mul(scaled(g, i), scale))] as const;
    });
    const before = isTracing() ? readBefore(loss) : [];
    const second = substitute([...before, ...worst], () => firstOf((again as () => Tensor)()));
    this.optimizer.apply(second, [loss, ...also]);
  }

  /** Refuses: a step takes a second gradient of the loss. */
  apply(_gradients: readonly Tensor[]): never {
    throw new GradusError(
      `${this.kind}: apply with gradients; expected step(loss, also, again), whose loss is ` +
        "computed a second time. Use trainStep, or the optimizer in it",
    );
  }

  /** Refuses, as `apply` does. */
  assignments(gradients: readonly Tensor[]): readonly Assignment[] {
    return this.apply(gradients);
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  owned(): readonly State[] {
    return this.optimizer.owned();
  }

  /** Moves what the optimizer holds to another device, as `Module.to` does the parameters. */
  async to(device: Device): Promise<this> {
    await this.optimizer.to(device);
    return this;
  }

  /** Frees what the optimizer holds, not the parameters. */
  dispose(): void {
    this.optimizer.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/** The states that a loss read before it changed them, with what it read first. */
function readBefore(loss: Tensor): (readonly [State, Tensor])[] {
  const first = new Map<State, Node>();
  const before = (node: Node) => (stateOf(node) ? [] : inputsOf(node));
  for (const node of postorder([loss.node], before)) {
    const state = stateOf(node);
    if (state && !(node.id > (first.get(state)?.id ?? node.id))) first.set(state, node);
  }
  const changed = [...first].filter(([state, node]) => state.node !== node);
  return changed.map(([state, node]) => [state, new Tensor(node)]);
}

/** The gradients of a loss that changes states after it read them, which stay as they are; null of others. */
function tracedSlopes(loss: () => Tensor, slopes: (loss: Tensor) => Tensor[]): Tensor[] | null {
  return traceFunction(() => {
    const value = loss();
    const isLoss = value instanceof Tensor; // else the second pass refuses it
    return isLoss && readBefore(value).length > 0 ? slopes(value) : null;
  }).result;
}
