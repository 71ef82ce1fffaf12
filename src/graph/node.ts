import type { DType, NumericArray } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Device, Storage } from "./device.ts";
import { type Attributes, NO_ATTRIBUTES, type Op } from "./op.ts";

let created = 0;

/** A storage that a node has. */
interface Held {
  readonly device: Device;
  storage: Storage | null;
}

/**
 * What goes with a storage from node to node and is collected with the last one. Not the nodes are
 * registered: V8's registry keeps what was registered until the next collection of old objects, and
 * with a node its whole graph.
 */
interface Charge {
  readonly held: Held;
}

const collected = new FinalizationRegistry<Held>(({ device, storage }) => {
  device.reclaim(storage as Storage);
});

/** The number that the next node will have. */
export function nextNodeId(): number {
  return created;
}

/** Why values are gone: the end of a sentence, or what becomes one when it is asked for. */
type Reason = { toString(): string };

const NO_INPUTS: readonly Node[] = [];

/** What `place` is of a node that is in no list. */
export const UNLISTED = -1;

/**
 * One value of the graph: an op applied to nodes, or a source that holds its values.
 * A node without `op` must have `storage` or `host`, unless it was `retired` or stands for an argument
 * of a traced function.
 */
export class Node {
  #charge: Charge | null = null;
  /** Counts nodes: what was made before another has a lower number. */
  readonly id = created++;
  /** Its number in the list that `listNodes` makes. */
  place = UNLISTED;
  /** Values on the host that go to the device when they are first needed. */
  host: NumericArray | null = null;
  /** The state whose present value it is. */
  owner: object | null = null;
  /** The gradient of this node, in place of its op's. */
  vjp: Op["vjp"] = null;
  /** How the values can be had again when the device lost them: on the host, or computed. */
  lineage: NumericArray | Node | null = null;
  /** Whether the values have gone with their device, and nothing tells how to have them again. */
  isLost = false;
  /** Why the values are gone, as the end of the sentence `<op>: depends on …`. */
  retired: Reason | null = null;
  /** Whether a `State` lies below, so that the graph stays after evaluation. */
  readonly tracked: boolean;

  constructor(
    readonly device: Device,
    readonly shape: Shape,
    readonly dtype: DType,
    public op: Op | null = null,
    public inputs: readonly Node[] = NO_INPUTS,
    public attributes: Attributes = NO_ATTRIBUTES,
    isState = false,
    /** Which of the op's results it is. */
    public result = 0,
  ) {
    this.tracked = isState;
    for (const input of inputs) this.tracked ||= input.tracked;
  }

  /** Values on the device. */
  get storage(): Storage | null {
    if (this.#held?.life?.isOver) this.#outlive();
    return this.#held;
  }

  get #held(): Storage | null {
    return this.#charge?.held.storage ?? null;
  }

  /** Takes charge of values on the device. */
  hold(storage: Storage): void {
    const held = { device: this.device, storage };
    this.#charge = { held };
    this.host = null;
    this.device.holders?.set(storage, new WeakRef(this));
    collected.register(this.#charge, held, this.#charge);
  }

  /** Hands the values over to the caller. */
  surrender(): Storage | null {
    const storage = this.#held;
    if (this.#charge) {
      collected.unregister(this.#charge);
      this.#charge.held.storage = null;
    }
    this.#charge = null;
    return storage;
  }

  /** Hands the values over to another node of the same device, which had none. */
  passTo(next: Node): void {
    if (this.#held) this.device.holders?.set(this.#held, new WeakRef(next));
    next.host = null;
    next.#charge = this.#charge;
    this.#charge = null;
  }

  /** Goes back to what the values were made of, when they went with their device. */
  #outlive(): void {
    this.device.release(this.surrender() as Storage);
    const { lineage } = this;
    if (!(lineage instanceof Node)) this.host = lineage;
    else if (!this.op) {
      this.become(lineage.op as Op, lineage.inputs, lineage.attributes, lineage.result);
    }
    this.isLost = lineage === null;
    this.lineage = null;
  }

  /** Whether the values are there without computing them. */
  get ready(): boolean {
    return this.storage !== null || this.host !== null;
  }

  /** Forgets how the value is computed. */
  cut(): void {
    this.op = null;
    this.inputs = NO_INPUTS;
    this.vjp = null;
  }

  /** Computes the value in another way from now on; it must not be there. */
  become(
    op: Op,
    inputs: readonly Node[],
    attributes: Attributes = NO_ATTRIBUTES,
    result = 0,
  ): void {
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.result = result;
    this.vjp = null;
  }

  /** Frees the values and says why to whoever asks for them later. */
  retire(reason: Reason): void {
    this.retired = reason;
    this.host = null;
    const storage = this.surrender();
    if (storage) this.device.release(storage);
  }
}

/** The inputs that a node's value depends on. */
export function inputsOf({ inputs, op }: Node): readonly Node[] {
  return op?.reads === undefined ? inputs : inputs.slice(0, op.reads);
}
