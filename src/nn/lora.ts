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
import { putAround, takeAway } from "./around-forward.ts";
import { Dropout } from "./dropout.ts";
import { Embedding } from "./embedding.ts";
import { countHolders } from "./holders.ts";
import { type Adaptable, kindOfLora, type LoraPair } from "./lora-adapter.ts";
import { type AnyModule, listParts, Module } from "./module.ts";

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
   * of these, or a function of name and layer. All `Linear`, `Embedding` and layers of convolutions
   * when left out.
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

/** What a layer has been given. */
interface Adapter extends LoraPair {
  readonly scale: number;
  readonly dropout: Dropout | null;
  /** A and B as they were when their product went into the weight; null while it is not there. */
  merged: { readonly a: State; readonly b: State } | null;
}

const adapters = new WeakMap<AnyModule, Adapter>();

/**
 * Adapts a model to new data by little: beside each weight W it adds the product of two small matrices,
 * y = x·W + (α / r) · x·A·B, trains these and freezes all else. A begins at random and B with zeros (of an `Embedding`
 * the other way round), so that the model gives at first what it gave. For a convolution, A is one as the
 * layer's with r output channels, and B mixes these; with groups both have as many. Recurrent layers and the joint projection of `MultiheadAttention` get none.
 *
 * Layers stay the same objects and their states keep their names: a file of the model loads with
 * `strict: false` as before. What is added is `loraA` and `loraB` beside `weight`; `loraState` lists them
 * alone. Make the optimizer after it, of `model.parameters()`; to train a part such as a new head as
 * well, `unfreeze` it. A second call for other layers leaves the adapters of the first as they are.
 * `mergeLora` takes the adapters into the weights.
 *
 * Source: Hu et al. 2022, "LoRA: low-rank adaptation of large language models", section 4.1; defaults,
 * initial values and names in files of PyTorch are those of PEFT, whose files load by
 * `loadState(loraState(model), bytes, { from: "pytorch", rename: [[/^base_model\.model\./, ""]] })`.
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
  const trained = adaptersIn(model).flatMap(([, , { a, b }]) => [a, b].filter(isTrained));
  const made: [Adaptable, Adapter][] = [];
  try {
    for (const [i, [, layer]] of layers.entries()) {
      const own = key && foldIn(key, i);
      const pair = kindOfLora(layer)?.make(layer, rank, own) as LoraPair;
      const drops = dropout > 0 && !(layer instanceof Embedding);
      const settings = { key: own && foldIn(own, 2), device: layer.weight.device };
      const mask = drops ? new Dropout(dropout, settings).train(layer.training) : null;
      made.push([layer, { ...pair, scale: alpha / rank, dropout: mask, merged: null }]);
    }
    model.freeze();
  } catch (error) {
    for (const [, { a, b, dropout }] of made) for (const part of [a, b, dropout]) part?.dispose();
    throw error;
  }
  for (const parameter of trained) parameter.trainable = true;
  for (const [layer, adapter] of made) {
    const { a: loraA, b: loraB, dropout: loraDropout } = adapter;
    adapters.set(layer, adapter);
    Object.assign(layer, { loraA, loraB, ...(loraDropout && { loraDropout }) });
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
 * @returns the model itself.
 * @throws GradusError where no layer has an adapter that is not merged, and for weights that several
 * layers share. Nothing is changed then.
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
    const { a, b, dropout } = adapter;
    takeAway(layer, addLora);
    dropMerged(layer, adapter);
    adapters.delete(layer);
    for (const name of ["loraA", "loraB", "loraDropout"]) Reflect.deleteProperty(layer, name);
    for (const part of [a, b, dropout]) part?.dispose();
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
  const own = new Set<State>(adapted("loraState", model).flatMap(([, , { a, b }]) => [a, b]));
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
    checkEach(
      "addLora",
      { [`layer ${quote(name)} has as weight`]: layer.weight },
      (weight) => weight instanceof Parameter,
      "a parameter",
    );
  }
  return found;
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

/** Adds what an adapter computes to the output of its layer. */
function attach(layer: Adaptable, { a, b, scale, dropout }: Adapter): void {
  putAround(layer, addLora, (forward, inputs) => {
    const y = forward(...inputs) as Tensor;
    const x = dropout ? dropout.call(inputs[0] as Tensor) : (inputs[0] as Tensor);
    const change = kindOfLora(layer)?.apply(layer, x, { a, b }) as Tensor;
    return add(y, mul(change, scale));
  });
}

/** Takes adapters into the weights, or out of them. */
function setMerged<M extends AnyModule>(op: string, model: M, isMerged: boolean): M {
  const all = adapted(op, model).filter(([, , { merged }]) => !merged === isMerged);
  if (all.length === 0) {
    const is = isMerged ? "merged" : "unmerged";
    throw new GradusError(`${op}: adapters are ${is} already; expected some that are not`);
  }
  checkUnshared(op, model, all);
  const copies: State[] = [];
  const copy = (x: Parameter, name: string) => {
    const made = new State(x, { name });
    copies.push(made);
    return made;
  };
  try {
    const changes = all.map(([, layer, { a, b, scale, merged }]) => {
      const pair = merged ?? { a: copy(a, "loraMergedA"), b: copy(b, "loraMergedB") };
      const delta = mul(kindOfLora(layer)?.delta(layer, pair) as Tensor, scale);
      const value = isMerged ? add(layer.weight, delta) : sub(layer.weight, delta);
      return [layer, pair, value] as const;
    });
    assignAll(changes.map(([{ weight }, , value]) => [weight, value]));
    for (const [i, [layer, { a, b }]] of changes.entries()) {
      const adapter = all[i][2];
      if (isMerged) {
        adapter.merged = { a, b };
        Object.assign(layer, { loraMergedA: a, loraMergedB: b });
        takeAway(layer, addLora);
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
  for (const state of [adapter.merged?.a, adapter.merged?.b]) state?.dispose();
  adapter.merged = null;
}

/** Throws a `GradusError` for a weight that another layer has too, which would change with it. */
function checkUnshared(
  op: string,
  model: AnyModule,
  layers: readonly (readonly [string, Adaptable, Adapter])[],
): void {
  for (const [name, { weight }] of layers) {
    const count = countHolders(model, weight);
    if (count < 2) continue;
    throw new GradusError(
      `${op}: the weight of ${quote(name)} is that of ${count} layers; expected one of its own. ` +
        "Leave the adapter beside it",
    );
  }
}
