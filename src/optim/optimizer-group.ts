import { checkEach, checkOptions, describeValue } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { GradusError } from "../core/errors.ts";
import type { Device } from "../graph/device.ts";
import { assignAll, type Parameter, type State } from "../graph/state.ts";
import { loadMove, type Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { checkClip, checkGradients, checkParameters, rowRules, slopesOf } from "./check.ts";
import type { Schedule } from "./learning-rate.ts";
import type { Assignment, Clip, OptimizerLike } from "./optimizer.ts";
import { rateOf, setRateOf } from "./shared-rate.ts";

/** Options of `OptimizerGroup`. */
export interface OptimizerGroupOptions {
  /** Limits the gradients of all members together, before their own `clip`. */
  clip?: Clip;
}

/**
 * Lets several optimizers make a step together, each with parameters, rate and kind of its own: one
 * step is one plan. The learning rate is set here where all have one, and else on the members.
 *
 * Its state has the members' names behind their number: `0.step`, `1.head.bias.mean`.
 * @throws GradusError for no members, or a parameter that two of them have.
 * @example
 * const decayed = new AdamW(weights, { learningRate: 1e-3, weightDecay: 0.1 });
 * const plain = new AdamW(biases, { learningRate: 1e-3, weightDecay: 0 });
 * const optimizer = new OptimizerGroup([decayed, plain]);
 */
export class OptimizerGroup<Member extends OptimizerLike = OptimizerLike>
  implements OptimizerLike, KnownByIdentity
{
  /** Such as `OptimizerGroup(SGD, Adam)`. */
  readonly kind: string;
  readonly members: readonly Member[];
  /** All members' parameters, in order. */
  readonly parameters: readonly Parameter[];
  readonly clip: Clip;

  constructor(
    members: readonly Member[],
    options: OptimizerGroupOptions = {},
    ...surplus: never[]
  ) {
    checkOptions<OptimizerGroupOptions>("OptimizerGroup", options, { clip: true }, surplus);
    const { clip = (g) => g } = options;
    checkClip("OptimizerGroup", clip);
    if (!Array.isArray(members)) {
      throw new GradusError(
        `OptimizerGroup: members are ${describeValue(members)}; expected an array of optimizers`,
      );
    }
    if (members.length === 0) {
      throw new GradusError("OptimizerGroup: no members; expected at least one optimizer");
    }
    const isMember = (x: unknown) => Array.isArray((x as Partial<Member> | null)?.parameters);
    const given = Object.fromEntries(members.map((member, i) => [`member ${i}`, member]));
    checkEach(
      "OptimizerGroup",
      given,
      isMember,
      "an optimizer, such as new SGD(parameters, { … })",
    );
    this.members = [...members];
    this.kind = `OptimizerGroup(${members.map(({ kind }) => kind).join(", ")})`;
    this.parameters = members.flatMap((member) => member.parameters);
    checkParameters("OptimizerGroup", this.parameters);
    this.clip = clip;
  }

  /**
   * Step size of all members; undefined where they differ. Setting it sets that of each.
   * @throws GradusError when set where members differ, besides what a member throws.
   */
  get learningRate(): number | Schedule | undefined {
    return rateOf(this.members);
  }
  set learningRate(value: number) {
    setRateOf(this.kind, this.members, value);
  }

  state(): ReadonlyMap<string, State> {
    const named = (member: Member, i: number) =>
      [...member.state()].map(([name, state]) => [`${i}.${name}`, state] as const);
    return new Map(this.members.flatMap(named));
  }

  /**
   * Makes one step down the gradient of `loss`, a scalar, and evaluates `loss` and `also` with it.
   * @throws GradusError when the loss does not depend on a parameter.
   */
  step(loss: Tensor, also: readonly Tensor[] = []): void {
    this.apply(slopesOf("OptimizerGroup", loss, this.parameters), [loss, ...also]);
  }

  /** Makes one step with given gradients, one for each of `parameters`. */
  apply(gradients: readonly Tensor[], also: readonly Tensor[] = []): void {
    assignAll(this.assignments(gradients), also);
  }

  assignments(gradients: readonly Tensor[]): readonly Assignment[] {
    const rules = rowRules("OptimizerGroup", gradients);
    const given = rules ? rules.limit(this.clip, gradients) : this.clip(gradients);
    checkGradients("OptimizerGroup", given, this.parameters);
    let end = 0;
    return this.members.flatMap((member) => {
      const start = end;
      end += member.parameters.length;
      return member.assignments(given.slice(start, end));
    });
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  owned(): State[] {
    return this.members.flatMap((member) => member.owned());
  }

  /** Moves what the members hold to another device, as `Module.to` does the parameters. */
  async to(device: Device, ...surplus: never[]): Promise<this> {
    await (await loadMove()).moveStates(this.owned(), device, surplus);
    return this;
  }

  /** Frees what the members hold, not the parameters. */
  dispose(): void {
    for (const member of this.members) member.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}
