import { DataMap } from "../core/data-map.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { postorder } from "../core/postorder.ts";
import { identity } from "../graph/identity.ts";
import { callKey, type Program, type Step } from "./program.ts";
import { simplify } from "./simplify.ts";

/**
 * What an op that is a loop runs: a program for each turn. The op's inputs are constants, which all
 * turns read, then first values of carries, then tensors of which each turn reads a row; its results
 * are the last values of the carries, then tensors of which each turn gives a row.
 */
export interface LoopBody {
  /** Its outputs are the carries' next values and rows. */
  readonly program: Program;
  /** For each source of the program, the input of the op that it stands for. */
  readonly uses: readonly number[];
  readonly constants: number;
  readonly carries: number;
  readonly length: number;
  /** Whether the last rows come first. */
  readonly isReversed: boolean;
}

let made = 0;

/** A loop as the attribute of an op. Those of one number are equal. */
export class RowLoop {
  readonly id = ++made;
  readonly #body: LoopBody;

  constructor(body: LoopBody) {
    this.#body = body;
  }

  get body(): LoopBody {
    return this.#body;
  }
}

/** Whether a program has loops. */
export function hasLoops({ steps }: Program): boolean {
  return steps.some(({ op }) => op?.writer);
}

/** What a loop does in each turn for the results that somebody wants. */
export interface Turn {
  readonly program: Program;
  /** For each source of the program, the input of the op that it stands for. */
  readonly sources: readonly number[];
  /** For each output of the program, the result of the op that it belongs to. */
  readonly results: readonly number[];
}

/** A part of a program without loops: what it reads and gives, by the steps of the whole program. */
export interface PlainPart {
  readonly program: Program;
  readonly sources: readonly number[];
  readonly outputs: readonly number[];
}

/** A loop in a program. */
export interface LoopPart {
  readonly body: LoopBody;
  readonly turn: Turn;
  /** The step of each input of the op. */
  readonly inputs: readonly number[];
  /** Result → its step, where it is wanted. */
  readonly results: ReadonlyMap<number, number>;
}

/** Whether a part of a program is a loop. */
export function isLoop(part: PlainPart | LoopPart): part is LoopPart {
  return "turn" in part;
}

/** The steps of which some are made, down to those that are given, as a program without outputs. */
function excerpt(
  steps: readonly Step[],
  wanted: readonly number[],
  isGiven: (step: number) => boolean,
): { steps: Step[]; given: readonly number[]; places: ReadonlyMap<number, number> } {
  const before = (i: number) => (isGiven(i) ? [] : steps[i].inputs);
  const reached = [...postorder(wanted, before)].sort((a, b) => a - b);
  const places = new Map(reached.map((step, place) => [step, place]));
  const own = reached.map((i): Step => {
    const { shape, dtype, inputs } = steps[i];
    if (isGiven(i)) return { op: null, attributes: {}, inputs: [], shape, dtype };
    return { ...steps[i], inputs: inputs.map((input) => places.get(input) as number) };
  });
  return { steps: own, given: reached.filter(isGiven), places };
}

/** Leaves out what the wanted results are not made of, in this turn or by what it leaves to the next. */
function turnOf({ program, uses, constants, carries }: LoopBody, wanted: Iterable<number>): Turn {
  const { steps, sources, outputs } = program;
  const inputOf = new Map(sources.map((step, i) => [step, uses[i]]));
  const needed = new Set(wanted);
  for (const result of needed) {
    // A Set goes on to what is added to it meanwhile.
    for (const i of postorder([outputs[result]], (step) => steps[step].inputs)) {
      const carry = (inputOf.get(i) ?? -1) - constants;
      if (carry >= 0 && carry < carries) needed.add(carry);
    }
  }
  const results = [...needed].sort((a, b) => a - b);
  const ends = results.map((result) => outputs[result]);
  const own = excerpt(steps, ends, (i) => inputOf.has(i));
  const placeOf = (step: number) => own.places.get(step) as number;
  return {
    program: simplify({
      steps: own.steps,
      sources: own.given.map(placeOf),
      outputs: ends.map(placeOf),
      updates: [],
    }),
    sources: own.given.map((step) => inputOf.get(step) as number),
    results,
  };
}

/** A part that is being made: what it may read, and what it is to give. */
interface Draft {
  readonly given: ReadonlySet<number>;
  readonly outputs: Set<number>;
  /** Whether the states change in it. */
  readonly isLast: boolean;
}

/**
 * Cuts a program into its loops and what comes before, between and behind them, in the order in which
 * they run. States change in the last part. What two parts need is computed in the first of them and
 * stored, unless it only moves elements or is made of nothing.
 */
export function loopParts(program: Program): readonly (PlainPart | LoopPart)[] {
  const { steps, sources, outputs, updates } = program;
  const parts: (Draft | LoopPart)[] = [];
  /** What is in memory behind the parts so far. */
  const stored = new Set(sources);
  const madeIn = new Map<number, Draft>();
  const add = (wanted: readonly number[], isLast: boolean) => {
    const before = (i: number): readonly number[] => {
      const maker = madeIn.get(i);
      if (maker && steps[i].op?.cost !== 0 && !stored.has(i)) {
        maker.outputs.add(i);
        stored.add(i);
      }
      return stored.has(i) ? [] : steps[i].inputs;
    };
    const reached = [...postorder(wanted, before)];
    const given = new Set(reached.filter((i) => stored.has(i)));
    const own = new Set(wanted.filter((i) => !stored.has(i)));
    if (own.size === 0 && !isLast) return;
    const draft = { given, outputs: own, isLast };
    for (const i of reached) if (!given.has(i)) madeIn.set(i, draft);
    for (const i of own) stored.add(i);
    parts.push(draft);
  };
  for (const call of loopCalls(program)) {
    const { step, results } = call;
    const { body } = step.attributes.loop as RowLoop;
    const turn = call.turn as Turn;
    add(
      turn.sources.map((input) => step.inputs[input]),
      false,
    );
    parts.push({ body, turn, inputs: step.inputs, results });
    for (const result of results.values()) stored.add(result);
  }
  add([...outputs, ...updates.map(({ value }) => value)], updates.length > 0);
  return parts.map((part) => ("turn" in part ? part : plainPart(program, part)));
}

/** The program of a part without loops. */
function plainPart({ steps, updates }: Program, { given, outputs, isLast }: Draft): PlainPart {
  const changes = isLast ? updates : [];
  const ends = changes.flatMap(({ source, value }) => [source, value]);
  const isGiven = (i: number) => given.has(i) || changes.some(({ source }) => source === i);
  const own = excerpt(steps, [...outputs, ...ends], isGiven);
  const placeOf = (step: number) => own.places.get(step) as number;
  const results = [...outputs].filter((i) => !changes.some(({ value }) => value === i));
  /** A new value of a state; what is stored already is copied. */
  const valueOf = (value: number): number => {
    if (!isGiven(value)) return placeOf(value);
    const { shape, dtype } = steps[value];
    const copy = { op: identity, attributes: {}, inputs: [placeOf(value)], shape, dtype };
    return own.steps.push(copy) - 1;
  };
  const program = {
    steps: own.steps,
    sources: own.given.map(placeOf),
    outputs: results.map(placeOf),
    updates: changes.map(({ source, value }) => ({
      source: placeOf(source),
      value: valueOf(value),
    })),
  };
  return { program, sources: own.given, outputs: results };
}

/** A call of an op that is a loop, and the steps of its results that somebody needs. */
interface LoopCall {
  readonly step: Step;
  readonly first: number;
  readonly results: Map<number, number>;
  turn: Turn | null;
}

/** The loops of a program whose results are needed, in order, and what their turns do. */
function loopCalls({ steps, outputs, updates }: Program): LoopCall[] {
  const calls = new DataMap<LoopCall>();
  const callOf = new Map<number, LoopCall>();
  for (const [i, step] of steps.entries()) {
    if (!step.op?.writer) continue;
    const make = () => ({ step, first: i, results: new Map<number, number>(), turn: null });
    const call = getOrInsert(calls, callKey(step), make);
    call.results.set(step.result ?? 0, i);
    callOf.set(i, call);
  }
  // What only a loop reads that does not need it is needed by nobody.
  const needed = new Set([...outputs, ...updates.map(({ value }) => value)]);
  for (let i = steps.length - 1; i >= 0; i--) {
    const { inputs, attributes, result = 0 } = steps[i];
    const call = callOf.get(i);
    if (!call) {
      if (needed.has(i)) for (const input of inputs) needed.add(input);
      continue;
    }
    if (!needed.has(i)) call.results.delete(result);
    if (call.first < i || call.results.size === 0) continue;
    call.turn = turnOf((attributes.loop as RowLoop).body, call.results.keys());
    for (const input of call.turn.sources) needed.add(inputs[input]);
  }
  return [...new Set(callOf.values())].filter(({ turn }) => turn !== null);
}
