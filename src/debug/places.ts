import { type Place, partsOf, walk } from "../core/tree.ts";
import type { Node } from "../graph/node.ts";
import { State } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";
import { type AnyModule, listParts, Module } from "../nn/module.ts";
import { indicesOp } from "./check-ops.ts";
import { callSite } from "./sites.ts";

/** What serves so many states belongs to none of them: no parameter has as many slots. */
const MANY = 16;

/** Where a node comes from. */
export interface Origin {
  readonly op: string;
  place: string;
  readonly site: Error | null;
}

/** Remembers where nodes come from while graphs are built. */
export class Places {
  readonly #origins = new WeakMap<Node, Origin>();
  /** The ways to the modules that are being called, an inner one last. */
  readonly #calls: string[] = [];
  /** The modules that are being called, from outside. */
  readonly #outer: object[] = [];
  readonly #names = new WeakMap<AnyModule, Map<object, string>>();
  /** The op whose gradient is being built. */
  #forward: Origin | null = null;
  /** What an optimizer's step adds; null outside of one. */
  #updates: Node[] | null = null;

  /** `told` hears of each node of the graph forward by its place, and of what layers give by theirs. */
  constructor(readonly told: (place: string, node: Node, isResult: boolean) => void = () => {}) {}

  /** Remembers a node that an op has added. */
  add(node: Node): void {
    const op = opOf(node);
    const forward = this.#forward;
    const place = forward ? `${forward.place} (gradient)` : joined(this.#calls.at(-1) ?? "", op);
    this.#origins.set(node, { op, place, site: forward ? forward.site : callSite() });
    this.#updates?.push(node);
    if (!forward && !this.#updates) this.told(place, node, false);
  }

  /** Tells where a node comes from, as far as that is known. */
  of(node: Node): Origin {
    const op = opOf(node);
    return this.#origins.get(node) ?? { op, place: op, site: null };
  }

  /** Runs what adds a node's part of a gradient. */
  gradient(node: Node, build: () => void): void {
    const before = this.#forward;
    this.#forward = this.of(node);
    try {
      build();
    } finally {
      this.#forward = before;
    }
  }

  /** Runs the call of a layer. */
  call<T>(layer: object, run: () => T, name?: string): T {
    this.#outer.push(layer);
    const way = this.#wayTo(layer, name);
    this.#calls.push(way);
    try {
      const result = run();
      if (way) tell(way, result, (place, x) => this.told(place, x.node, true));
      return result;
    } finally {
      this.#outer.pop();
      this.#calls.pop();
    }
  }

  /** Runs what gives an optimizer's assignments, and names what it has added by what that changes. */
  updates<A extends readonly (readonly [State, Tensor])[]>(kind: string, build: () => A): A {
    const before = this.#updates;
    const added: Node[] = [];
    this.#updates = added;
    try {
      const assignments = build();
      this.#nameUpdates(kind, new Set(added), assignments);
      return assignments;
    } finally {
      this.#updates = before;
    }
  }

  /** The way to a layer from the outermost module that is being called. */
  #wayTo(layer: object, name?: string): string {
    const [root] = this.#outer;
    if (name !== undefined) return dotted(this.#calls.at(-1) ?? "", name);
    if (!(root instanceof Module)) return "";
    const names = this.#names.get(root) ?? this.#list(root);
    return names.get(layer) ?? this.#list(root).get(layer) ?? this.#calls.at(-1) ?? "";
  }

  #list(root: AnyModule): Map<object, string> {
    const parts = listParts(root);
    const way = wayOf(parts);
    const names = new Map<object, string>();
    for (const [name, part] of parts) {
      if (!(part instanceof State) && !names.has(part)) names.set(part, dotted(way, name));
    }
    this.#names.set(root, names);
    return names;
  }

  /** What only one parameter's next value is made of is named by it; the rest by the optimizer. */
  #nameUpdates(
    kind: string,
    added: ReadonlySet<Node>,
    assignments: readonly (readonly [State, Tensor])[],
  ): void {
    /** Node → the places of the assignments that it is needed for, up to many. */
    const owners = new Map<Node, Set<number>>();
    const own = (node: Node, place: number) => {
      const places = owners.get(node) ?? new Set();
      if (places.size < MANY) owners.set(node, places.add(place));
    };
    for (const [place, [, { node }]] of assignments.entries()) own(node, place);
    for (const node of [...added].reverse()) {
      const places = [...(owners.get(node) ?? [])].sort((a, b) => a - b);
      for (const input of node.inputs) for (const place of places) own(input, place);
      const names = places.map((place) => assignments[place][0].name);
      const owner = places.length > 0 && places.length < MANY ? names.reduce(common) : "";
      this.of(node).place = owner ? `${kind}: ${owner}` : kind;
    }
  }
}

/** Tells of the tensors in what a layer gives: `lstm`, or `lstm.0` for the first of several. */
function tell(way: string, result: unknown, told: (place: string, x: Tensor) => void): void {
  const open = (part: unknown, { isCycle }: Place) => (isCycle ? null : partsOf(part));
  walk(result, open, (part, { path }) => {
    if (part instanceof Tensor && !part.disposed) told([way, ...path].join("."), part);
  });
}

/** The name of a node's op; of indices, that of the op which takes them. */
function opOf({ op, attributes }: Node): string {
  return op === (indicesOp as unknown) ? `${attributes.caller}` : (op?.name ?? "");
}

/** The shorter of two names where it begins the other, as `hidden.weight` does `hidden.weight.mean`. */
function common(a: string, b: string): string {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long === short || long.startsWith(`${short}.`) ? short : "";
}

/** The way to a module from outside, which its states' names tell: `hidden` of `hidden.weight`. */
function wayOf(parts: readonly (readonly [string, unknown])[]): string {
  for (const [name, part] of parts) {
    if (part instanceof State && part.name.endsWith(`.${name}`)) {
      return part.name.slice(0, -1 - name.length);
    }
  }
  return "";
}

function dotted(way: string, name: string): string {
  return way && name ? `${way}.${name}` : way || name;
}

/** A place in a model: the way to a module, and an op, unless the way ends with its name. */
function joined(way: string, op: string): string {
  return way === op || way.endsWith(`.${op}`) ? way : dotted(way, op);
}
