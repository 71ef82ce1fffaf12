import type { NonFinite, NonFiniteInput } from "../core/faults.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { collect } from "../engine/program.ts";
import { identity } from "../graph/identity.ts";
import { inputsOf, type Node } from "../graph/node.ts";
import { stateOf } from "../graph/state.ts";
import { apply, Tensor } from "../graph/tensor.ts";
import { cast } from "../ops/cast.ts";
import {
  type FloatMarks,
  type IndexAttributes,
  indicesOp,
  isInRange,
  isMarked,
  markAll,
  NAN,
} from "./check-ops.ts";
import type { Origin, Places } from "./places.ts";

/** Inputs of more elements are not marked, for a data set is not to be searched in each step. */
const SOURCE_LIMIT = 2 ** 20;

/** What is known of a value of a graph without the graph. */
interface KnownValue {
  /** When it was made: ops of a loss come before those of its gradient. */
  readonly id: number;
  readonly origin: Origin;
  /** What it is called as an input of others. */
  readonly name: string;
  /** Whether it was there before, or is made of nothing. */
  readonly isGiven: boolean;
  /** Whether an infinity stands in it where its inputs have nothing, as it was asked to. */
  readonly isFilled: boolean;
  /** Whether somebody gets it. */
  readonly isResult: boolean;
  /** Whether it has as many elements as an input that it shows in another way. */
  readonly shows: number | null;
  readonly inputs: readonly number[];
  /** Which mark is its own; null for none. */
  readonly mark: number | null;
}

/** An op whose result is not what it should be. */
export interface Found {
  readonly origin: Origin;
  readonly value: NonFinite;
  readonly inputs: readonly NonFiniteInput[];
}

/** Indices outside their range. */
export interface FoundIndex {
  readonly origin: Origin;
  readonly range: IndexAttributes;
  readonly index: number;
  readonly position: number;
}

/** Which nodes a graph is cut at, and how messages call those. */
export interface Sources {
  is(node: Node): boolean;
  nameOf(node: Node): string | undefined;
}

/** What tells of all ops of a graph whether their results are finite, as more nodes of the graph. */
export class Inspection {
  /** To be computed with the graph. */
  readonly nodes: readonly Node[];
  readonly #entries: readonly KnownValue[];
  readonly #words: FloatMarks;
  readonly #indices: readonly { readonly origin: Origin; readonly range: IndexAttributes }[];

  constructor(op: string, results: readonly Node[], sources: Sources, places: Places) {
    const order = collect(results, op, sources.is);
    const number = new Map(order.map((node, i) => [node, i]));
    const wanted = new Set(results);
    const marked: Node[] = [];
    const entries: KnownValue[] = [];
    for (const node of order) {
      const isSource = sources.is(node);
      const inputs = isSource ? [] : inputsOf(node).map((input) => number.get(input) as number);
      const shows = showsAll(node, isSource) ? inputs[0] : null;
      const hasMark = shows === null && isMarked(node) && isSearched(node, isSource);
      const mark = hasMark ? marked.push(node) - 1 : null;
      const shown = shows === null ? null : entries[shows];
      const isNew = inputs.some((i) => sizeOf(order[i].shape) > 0);
      const origin = places.of(node);
      entries.push({
        id: node.id,
        origin,
        name: shown?.name ?? sources.nameOf(node) ?? inputName(node, origin),
        isGiven: shown ? shown.isGiven : isSource || !isNew,
        isFilled: isFilled(node),
        isResult: wanted.has(node),
        shows,
        inputs,
        mark,
      });
    }
    this.#entries = entries;
    const checked = order.filter((node) => node.op === (indicesOp as unknown) && !sources.is(node));
    this.#indices = checked.map((node) => {
      return { origin: places.of(node), range: node.attributes as IndexAttributes };
    });
    this.#words = markAll(marked.map((node) => new Tensor(node)));
    // Nodes of their own, for these are freed when they have been read.
    const copy = (node: Node) => apply(identity, [cast(new Tensor(node), "i32")], {});
    this.nodes = [...this.#words.words, ...checked.map(copy)].map(({ node }) => node);
  }

  /** Finds the first index outside its range, among the values of `nodes`. */
  findIndex(values: readonly ArrayLike<number>[]): FoundIndex | null {
    const indices = values.slice(values.length - this.#indices.length);
    for (const [i, { origin, range }] of this.#indices.entries()) {
      const position = Array.from(indices[i]).findIndex((index) => !isInRange(index, range));
      if (position >= 0) return { origin, range, index: indices[i][position], position };
    }
    return null;
  }

  /** Finds the op that made the first NaN, or an infinity that reaches a result or becomes a NaN. */
  find(values: readonly ArrayLike<number>[], allowInfinities: boolean): Found | null {
    const marks = this.#marks(values);
    if (marks.every((mark) => mark === 0)) return null;
    const matters = this.#matters(marks);
    const made = [...marks.keys()].filter((i) => {
      return marks[i] & NAN ? this.#makesNaN(i, marks) : this.#makesInfinity(i, marks);
    });
    const faults = made.filter((i) => marks[i] & NAN || (matters[i] && !allowInfinities));
    if (faults.length === 0) return null;
    const at = faults.reduce((a, b) => (this.#entries[a].id < this.#entries[b].id ? a : b));
    const { origin, inputs } = this.#entries[at];
    const found = inputs.flatMap((j, index) => {
      const { name } = this.#entries[j];
      return marks[j] === 0 ? [] : [{ index, name, value: valueOf(marks[j]) }];
    });
    return { origin, value: valueOf(marks[at]), inputs: found };
  }

  /** Whether an entry with a NaN made it, or has it of what was given. */
  #makesNaN(i: number, marks: readonly number[]): boolean {
    const { inputs, isGiven, shows } = this.#entries[i];
    const computed = inputs.filter((j) => !this.#entries[j].isGiven);
    return !isGiven && shows === null && computed.every((j) => (marks[j] & NAN) === 0);
  }

  /** Whether an entry made an infinity of finite numbers. */
  #makesInfinity(i: number, marks: readonly number[]): boolean {
    const { inputs, isGiven, isFilled, shows } = this.#entries[i];
    const isOwn = !isGiven && !isFilled && shows === null;
    return marks[i] !== 0 && isOwn && inputs.every((j) => marks[j] === 0);
  }

  #marks(values: readonly ArrayLike<number>[]): number[] {
    const own = this.#words.of(values);
    const marks: number[] = [];
    for (const { mark, shows } of this.#entries) {
      marks.push(mark !== null ? own[mark] : shows !== null ? marks[shows] : 0);
    }
    return marks;
  }

  /** Whether an entry is a result that is not finite, or a NaN, or made such a one. */
  #matters(marks: readonly number[]): boolean[] {
    const matters = marks.map((mark, i) => {
      return mark !== 0 && (this.#entries[i].isResult || (mark & NAN) !== 0);
    });
    for (let i = marks.length - 1; i >= 0; i--) {
      if (!matters[i]) continue;
      for (const j of this.#entries[i].inputs) matters[j] ||= marks[j] !== 0;
    }
    return matters;
  }
}

function valueOf(mark: number): NonFinite {
  return mark & NAN ? "NaN" : "infinity";
}

/** Whether a node shows all elements of its first input, and nothing else. */
function showsAll(node: Node, isSource: boolean): boolean {
  const { op, inputs } = node;
  const form = op?.form;
  const isView = form?.kind === "map" && !form.outside && inputs.length === 1;
  if (isSource || !isView) return false;
  return sizeOf(inputs[0].shape) <= sizeOf(node.shape);
}

function isFilled({ op, attributes }: Node): boolean {
  const form = op?.form;
  const value = form?.kind === "map" && form.outside ? form.outside(attributes) : 0;
  return Math.abs(value) === Number.POSITIVE_INFINITY;
}

function isSearched({ shape }: Node, isSource: boolean): boolean {
  return !isSource || sizeOf(shape) <= SOURCE_LIMIT;
}

/** What a node is called as an input. */
function inputName(node: Node, { op, place }: Origin): string {
  const state = stateOf(node);
  if (state) return `"${state.name}"`;
  return op ? place : `a tensor of shape ${formatShape(node.shape)}`;
}
