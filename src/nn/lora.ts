import {
  checkDecay,
  checkEach,
  checkKinds,
  checkOptions,
  checkPositive,
  checkSizes,
  checkSurplus,
  type Known,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { type NameMatch, nameMatcher } from "../core/name-match.ts";
import { list, quote } from "../core/quote.ts";
import { foldIn, givenKey, type Key } from "../core/random.ts";
import { assignAll, Parameter, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { ones } from "../ops/creation.ts";
import { putAround, takeAway } from "./around-forward.ts";
import { Dropout } from "./dropout.ts";
import { Embedding } from "./embedding.ts";
import { countHolders } from "./holders.ts";
import { type Adaptable, kindOfLora, type LoraPair, weightCalled } from "./lora-adapter.ts";
import { type AnyModule, listParts, Module } from "./module.ts";
import { replaceWeights } from "./weight-in.ts";

/** Options of `addLora`. */
export interface LoraOptions {
  /** The rank r of what is added to a weight, from 1; 8 when left out. */
  rank?: number;
  /** α, above 0: what is added counts α / r; 8 when left out. */
  alpha?: number;
  /** The probability by which elements of an adapter's input are dropped in training mode; 0 when left out. */
  dropout?: number;
  /**
   * Which layers get an adapter: a regular expression, a name (which means all layers in it), an array
   * of these, or a function of name and layer. All that can be adapted when left out.
   */
  match?: NameMatch<AnyModule>;
  /** Fixes initial weights and masks on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
}

const LORA: Known<LoraOptions> = {
  rank: "number",
  alpha: true,
  dropout: true,
  match: true,
  seed: true,
  key: true,
};

/** What one weight of a layer has been given. */
interface AdaptedWeight extends LoraPair {
  readonly weight: string;
}

/** A and B of a weight as they were when their product went into it. */
type MergedPair = Readonly<Record<keyof LoraPair, State>>;

/** What a layer has been given. */
interface Adapter {
  readonly pairs: readonly AdaptedWeight[];
  readonly scale: number;
  readonly dropout: Dropout | null;
  /** What went into each weight; null while it is not there. */
  merged: readonly MergedPair[] | null;
}

const adapters = new WeakMap<AnyModule, Adapter>();

/**
 * Adapts a model to new data by little: beside each weight W it adds the product of two small matrices,
 * y = x·W + (α / r) · x·A·B, trains these and freezes all else. A begins at random and B with zeros (of an `Embedding`
 * the other way round), so that the model gives at first what it gave. For a convolution, A is one as the
 * layer's with r output channels, and B mixes these; with groups both have as many.
 * The projections of `MultiheadAttention` and the weights of recurrent layers and cells take A·B before a
 * call, W + (α / r) · A·B; `dropout` drops the same elements of all their inputs then.
 *
 * Layers stay the same objects and their states keep their names: a file of the model loads with
 * `strict: false` as before. What is added is `loraA` and `loraB` beside `weight`, in layers of several
 * weights `loraA.weightIhL0` and so on; `loraState` lists them alone. Make the optimizer after it, of `model.parameters()`; to train a part such as a new head as
 * well, `unfreeze` it. A second call for other layers leaves the adapters of the first as they are.
 * `mergeLora` takes the adapters into the weights.
 *
 * Source: Hu et al. 2022, "LoRA: low-rank adaptation of large language models", section 4.1; defaults,
 * initial values and names in files of PyTorch are those of PEFT, but for layers of several weights; its files
 * load by `loadState(loraState(model), bytes, { from: "pytorch", rename: [[/^base_model\.model\./, ""]] })`,
 * those of attention with `[/\.base_layer\./, "."]` in the list as well.
 * @returns the model itself.
 * @throws GradusError where no such layer matches, one has an adapter already or no parameter as weight;
 * ShapeError for a rank that is no multiple of a convolution's groups. Nothing is changed then.
 * @example
 * const model = new Sequential({ hidden: new Linear(64, 32), relu, head: new Linear(32, 10) });
 * addLora(model, { rank: 4, alpha: 8, match: /^hidden$/ });
 * model.parameters().map(({ name }) => name); // ["hidden.loraA", "hidden.loraB"]
 */
export function addLora<M extends AnyModule>(
  model: M,
  options: LoraOptions = {},
  ...surplus: never[]
): M {
  checkOptions("addLora", options, LORA, surplus);
  checkModule("addLora", model);
  const { rank = 8, alpha = 8, dropout = 0 } = options;
  checkSizes("addLora", { rank });
  checkPositive("addLora", { alpha });
  checkDecay("addLora", { dropout });
  const key = givenKey("addLora", options);
  const layers = matching(model, options.match);
  const isTrained = ({ trainable }: Parameter) => trainable;
  const trained = adaptersIn(model).flatMap(([, , { pairs }]) => bothOf(pairs).filter(isTrained));
  const made: [Adaptable, Adapter][] = [];
  try {
    for (const [i, [, layer]] of layers.entries()) {
      const own = key && foldIn(key, i);
      const pairs = adaptedNames(layer).map((weight, j) => {
        const part = own && j > 0 ? foldIn(own, j + 2) : own;
        return { weight, ...knownKind(layer).make(layer, rank, part, weight) };
      });
      const drops = dropout > 0 && !(layer instanceof Embedding);
      const settings = { key: own && foldIn(own, 2), device: pairs[0].a.device };
      const mask = drops ? new Dropout(dropout, settings).train(layer.training) : null;
      made.push([layer, { pairs, scale: alpha / rank, dropout: mask, merged: null }]);
    }
    model.freeze();
  } catch (error) {
    for (const [, adapter] of made) free(adapter);
    throw error;
  }
  for (const parameter of trained) parameter.trainable = true;
  for (const [layer, adapter] of made) {
    const { pairs, dropout: loraDropout } = adapter;
    adapters.set(layer, adapter);
    Object.assign(layer, parts(pairs, pairs, "lora"), loraDropout && { loraDropout });
    attach(layer, adapter);
  }
  model.state(); // whose parts take its names
  return model;
}

/**
 * Takes adapters into the weights, W ← W + (α / r) · A·B: the model costs what it did without them and
 * gives the same, but for rounding. The adapters stay, for `loraState`, and for `unmergeLora`, which takes this back.
 *
 * What went into a weight is kept beside it, as the states `loraMergedA` and `loraMergedB`: adapters may be
 * loaded meanwhile, and a file of the merged model does not load into one whose adapters are not merged,
 * which would count them twice. `removeLora` makes a plain model of it.
 * A weight that a model uses outside of its layer too, such as that of an embedding for logits, would
 * change there with it: it counts as shared where the model has it in a field, `tied = this.tokens.weight`.
 * @returns the model itself.
 * @throws GradusError where no layer has an adapter that is not merged, for weights that several modules
 * share, and for those that are computed. Nothing is changed then.
 * @example mergeLora(addLora(new Linear(64, 32), { rank: 4 }));
 */
export function mergeLora<M extends AnyModule>(model: M, ...surplus: never[]): M {
  checkSurplus("mergeLora(model)", surplus);
  return setMerged("mergeLora", model, true);
}

/**
 * Takes `mergeLora` back, W ← W − (α / r) · A·B, of A and B as they were then: weights are what they were,
 * but for rounding.
 * @returns the model itself.
 * @throws GradusError where no layer has a merged adapter.
 * @example unmergeLora(mergeLora(addLora(new Linear(64, 32), { rank: 4 })));
 */
export function unmergeLora<M extends AnyModule>(model: M, ...surplus: never[]): M {
  checkSurplus("unmergeLora(model)", surplus);
  return setMerged("unmergeLora", model, false);
}

/**
 * Takes all adapters off and frees them: what is merged stays in the weights, the rest is lost. Other
 * parameters stay frozen until `unfreeze`.
 * @returns the model itself.
 * @throws GradusError where no layer has an adapter.
 * @example removeLora(mergeLora(addLora(new Linear(64, 32), { rank: 4 })));
 */
export function removeLora<M extends AnyModule>(model: M, ...surplus: never[]): M {
  checkSurplus("removeLora(model)", surplus);
  for (const [, layer, adapter] of adapted("removeLora", model)) {
    detach(layer);
    dropMerged(layer, adapter);
    adapters.delete(layer);
    for (const name of ["loraA", "loraB", "loraDropout"]) Reflect.deleteProperty(layer, name);
    free(adapter);
  }
  return model;
}

/**
 * Lists the adapters' parameters alone, by the names that they have in the model, to be saved and loaded.
 * @throws GradusError where no layer has an adapter.
 * @example
 * const net = addLora(new Linear(64, 32), { rank: 4 });
 * const adapters = await saveSafetensors(loraState(net));
 * loadState(loraState(net), adapters);
 */
export function loraState(model: AnyModule, ...surplus: never[]): Map<string, State> {
  checkSurplus("loraState(model)", surplus);
  const own = new Set<State>(
    adapted("loraState", model).flatMap(([, , { pairs }]) => bothOf(pairs)),
  );
  return new Map([...model.state()].filter(([, state]) => own.has(state)));
}

function checkModule(op: string, model: unknown): void {
  checkKinds(op, { model }, (x) => x instanceof Module, "a module");
}

/** The layers that get an adapter, with their names. */
function matching(model: AnyModule, match?: NameMatch<AnyModule>): [string, Adaptable][] {
  const isMeant = match === undefined ? () => true : nameMatcher("addLora", "match", match);
  const all = listParts(model).filter(([, part]) => kindOfLora(part)) as [string, Adaptable][];
  const found = all.filter(([name, layer]) => isMeant(name, layer));
  if (found.length === 0) {
    const names = list(all.map(([name]) => quote(name))) || "none";
    throw new GradusError(`addLora: match meets no layer; expected some of ${names}`);
  }
  for (const [name, layer] of found) {
    const given = `addLora: layer ${quote(name)}`;
    if (adapters.has(layer)) {
      throw new GradusError(`${given} has an adapter; expected none. Call removeLora before`);
    }
    checkUncomputed("addLora", name, layer);
  }
  return found;
}

/** Throws a `GradusError` where a weight of a layer is computed. */
function checkUncomputed(op: string, name: string, layer: Adaptable): void {
  const own = adaptedNames(layer).map((weight) => {
    return [`layer ${quote(name)} has as ${weight}`, weightCalled(layer, weight)] as const;
  });
  const isParameter = (weight: unknown) => weight instanceof Parameter;
  checkEach(op, Object.fromEntries(own), isParameter, "a parameter");
}

/** The layers that have an adapter, with their names. */
function adaptersIn(model: AnyModule): [string, Adaptable, Adapter][] {
  return listParts(model).flatMap(([name, part]): [string, Adaptable, Adapter][] => {
    const adapter = adapters.get(part as AnyModule);
    return adapter ? [[name, part as Adaptable, adapter]] : [];
  });
}

/** The same; throws a `GradusError` where there are none. */
function adapted(op: string, model: AnyModule): [string, Adaptable, Adapter][] {
  checkModule(op, model);
  const found = adaptersIn(model);
  if (found.length > 0) return found;
  throw new GradusError(`${op}: a model without adapters; expected one that addLora was given`);
}

function knownKind(layer: Adaptable): NonNullable<ReturnType<typeof kindOfLora>> {
  return kindOfLora(layer) as NonNullable<ReturnType<typeof kindOfLora>>;
}

/** The names of the weights of a layer that are adapted. */
function adaptedNames(layer: Adaptable): readonly string[] {
  return knownKind(layer).weights(layer);
}

function bothOf(pairs: readonly LoraPair[]): Parameter[] {
  return pairs.flatMap(({ a, b }) => [a, b]);
}

function free({ pairs, dropout }: Adapter): void {
  for (const part of [...bothOf(pairs), dropout]) part?.dispose();
}

/** How pairs lie in a layer: `loraA` and `loraB`, by the name of the weight where there are several. */
function parts(
  weights: readonly AdaptedWeight[],
  pairs: readonly MergedPair[],
  start: string,
): Record<string, State | Record<string, State>> {
  const of = (part: keyof LoraPair) => {
    const own = pairs.map((pair, i) => [weights[i].weight, pair[part]] as const);
    return own.length === 1 ? own[0][1] : Object.fromEntries(own);
  };
  return { [`${start}A`]: of("a"), [`${start}B`]: of("b") };
}

/** Adds what an adapter computes to the output of its layer, or to the weights that this computes with. */
function attach(layer: Adaptable, { pairs, scale, dropout }: Adapter): void {
  const { apply, delta } = knownKind(layer);
  if (apply) {
    putAround(layer, addLora, (forward, inputs) => {
      const y = forward(...inputs) as Tensor;
      const x = dropout ? dropout.call(inputs[0] as Tensor) : (inputs[0] as Tensor);
      return add(y, mul(apply(layer, x, pairs[0], ...inputs.slice(1)), scale));
    });
    return;
  }
  const own = pairs.map(({ weight, a, b }) => {
    const changed = () => {
      const isKept = dropout?.call(ones([a.shape[0], 1], { dtype: a.dtype, device: a.device }));
      const change = delta(layer, { a: isKept ? mul(a, isKept) : a, b });
      return add(weightCalled(layer, weight), mul(change, scale));
    };
    return [weight, changed] as const;
  });
  replaceWeights(layer, new Map(own));
  putAround(layer, addLora, (forward, inputs) => forward(...inputs)); // so that it is noticed
}

function detach(layer: Adaptable): void {
  replaceWeights(layer, null);
  takeAway(layer, addLora);
}

/** Takes adapters into the weights, or out of them. */
function setMerged<M extends AnyModule>(op: string, model: M, isMerged: boolean): M {
  const all = adapted(op, model).filter(([, , { merged }]) => !merged === isMerged);
  if (all.length === 0) {
    const is = isMerged ? "merged" : "unmerged";
    throw new GradusError(`${op}: adapters are ${is} already; expected some that are not`);
  }
  for (const [name, layer] of all) checkUncomputed(op, name, layer);
  checkUnshared(op, model, all);
  const copies: State[] = [];
  const copy = (x: Parameter, name: string) => {
    const made = new State(x, { name });
    copies.push(made);
    return made;
  };
  try {
    const changes = all.map(([, layer, { pairs, scale, merged }]) => {
      const own = pairs.map(({ weight: name, a, b }, i) => {
        const pair = merged?.[i] ?? { a: copy(a, "loraMergedA"), b: copy(b, "loraMergedB") };
        const delta = mul(knownKind(layer).delta(layer, pair), scale);
        const weight = weightCalled(layer, name);
        return { pair, weight, value: isMerged ? add(weight, delta) : sub(weight, delta) };
      });
      return [layer, own] as const;
    });
    assignAll(changes.flatMap(([, own]) => own.map(({ weight, value }) => [weight, value])));
    for (const [i, [layer, own]] of changes.entries()) {
      const adapter = all[i][2];
      if (isMerged) {
        adapter.merged = own.map(({ pair }) => pair);
        Object.assign(layer, parts(adapter.pairs, adapter.merged, "loraMerged"));
        detach(layer);
      } else {
        dropMerged(layer, adapter);
        attach(layer, adapter);
      }
    }
  } catch (error) {
    for (const made of copies) made.dispose();
    throw error;
  }
  model.state(); // whose parts take its names
  return model;
}

/** Frees what is known of a merged adapter, if it is one. */
function dropMerged(layer: Adaptable, adapter: Adapter): void {
  for (const name of ["loraMergedA", "loraMergedB"]) Reflect.deleteProperty(layer, name);
  for (const { a, b } of adapter.merged ?? []) for (const state of [a, b]) state.dispose();
  adapter.merged = null;
}

/** Throws a `GradusError` for a weight that another module has too, which would change with it. */
function checkUnshared(
  op: string,
  model: AnyModule,
  layers: readonly (readonly [string, Adaptable, Adapter])[],
): void {
  for (const [name, layer] of layers) {
    for (const weight of adaptedNames(layer)) {
      const count = countHolders(model, weightCalled(layer, weight));
      if (count < 2) continue;
      throw new GradusError(
        `${op}: the ${weight} of ${quote(name)} is that of ${count} modules; expected one of its own. ` +
          "Leave the adapter beside it",
      );
    }
  }
}
