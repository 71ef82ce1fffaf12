import { AWAIT_IT, READ_OUTSIDE } from "../core/advice.ts";
import { Counters } from "../core/counters.ts";
import type { DType, NumericArray } from "../core/dtype.ts";
import { DeviceError, GradusError, MemoryError } from "../core/errors.ts";
import { asMemoryError, inMemory } from "../core/host-memory.ts";
import { sizeOf } from "../core/shape.ts";
import type { Device, DeviceLoss, DeviceNews, MemoryInfo, Storage } from "../graph/device.ts";
import { Node } from "../graph/node.ts";
import { Followers, type State, stateOf } from "../graph/state.ts";
import { isCompiling, isTracing, tracePurpose, untraced } from "../graph/tracing.ts";
import { watch } from "../graph/watch.ts";
import type { Journal } from "./journal.ts";
import type { Plan, PlanOptions } from "./plan.ts";
import { type Program, sourcesIn, trace } from "./program.ts";
import type { Session } from "./session.ts";
import { simplify } from "./simplify.ts";
import { type CallTurn, turnKey } from "./turns.ts";

/** How many plans a device keeps; the longest unused one goes first. */
const PLAN_LIMIT = 256;

let devices = 0;

/** What all devices do alike, through a session: plans are cached by the graph's structure. */
export abstract class EngineDevice implements Device {
  /** What it works through at present. */
  abstract session: Session;
  /** What the device was asked to do so far. */
  readonly counters = new Counters();
  readonly number = ++devices;
  /** What brings states back after a loss; null where nothing is lost. */
  journal: Journal | null = null;
  /** States that live or lived, where they can be lost. */
  readonly states = new Set<WeakRef<State>>();
  /** Who holds which values, where they may go to another session; null where they stay. */
  holders: Map<Storage, WeakRef<Node>> | null = null;
  /** Which session was chosen by time, and why, for people; null while none was. */
  chosen: string | null = null;
  /** Told of losses and recoveries. */
  readonly listeners = new Set<(news: DeviceNews) => void>();
  /** Settles when a device that was lost has been made again; null while it works. */
  recovering: Promise<void> | null = null;
  /** How often it was lost. */
  losses = 0;
  /** Calls of compiled functions that have not run yet, in order. */
  readonly turns = new Set<CallTurn<unknown>>();
  /** Plans of evaluations, those used last at the end. */
  readonly #plans: { readonly program: Program; readonly plan: Plan }[] = [];
  #tensors = 0;
  #reclaimed = 0;
  #isInside = false;
  #isDisposed = false;

  get kind(): "cpu" | "webgpu" {
    return this.session.kind;
  }

  /** Names the hardware, for people. */
  get description(): string {
    return this.session.description;
  }

  get dtypes(): ReadonlySet<DType> {
    return this.session.dtypes;
  }

  /** Settles when the device is lost or disposed. */
  get lost(): Promise<DeviceLoss> {
    return this.session.lost;
  }

  /** Does what others have to wait for while the device is being made again. */
  inside<T>(fn: () => T): T {
    const before = this.#isInside;
    this.#isInside = true;
    try {
      return fn();
    } finally {
      this.#isInside = before;
    }
  }

  /** Makes the device work again when its session is lost. */
  remakeWhenLost(): void {
    const { session } = this;
    session.onLost = ({ message }) => {
      if (session !== this.session || this.#isDisposed) return;
      if (session.life) session.life.isOver = true;
      this.losses++;
      const end = (tell = () => {}) => {
        this.recovering = null;
        if (this.#isDisposed) this.session.dispose();
        tell();
      };
      this.recovering ??= this.remake(message).then(end, () => end());
    };
  }

  /** Gives the device another session, and the states that it had; gives what tells of that. */
  protected async remake(_message: string): Promise<() => void> {
    return () => {};
  }

  /**
   * Begins to guard the states against a loss, so that at most so many runs are repeated after one.
   * Settles when what there is so far is safe; null where it is.
   */
  guard(_most: number): Promise<void> | null {
    return null;
  }

  register(state: State): void {
    if (!this.session.life) return;
    this.states.add(new WeakRef(state));
    this.journal?.add(state);
  }

  /** Makes a program ready to run. */
  protected compile(program: Program, options: PlanOptions): Plan {
    return this.session.compile(program, options);
  }

  /** Throws a `DeviceError` when the device was lost or disposed. */
  check(op: string): void {
    if (!this.recovering) this.session.check(op);
  }

  /** Waits until the device is no longer far behind; undefined when it is not. */
  room(): Promise<void> | undefined {
    return this.session.room();
  }

  /** Frees everything; later calls throw a `DeviceError`. */
  dispose(): void {
    this.#isDisposed = true;
    this.session.dispose();
    this.#plans.length = this.#tensors = 0;
  }

  memory(): MemoryInfo {
    const plans = this.#plans.length;
    return { tensors: this.#tensors, ...this.session.usage(), plans, reclaimed: this.#reclaimed };
  }

  /** Begins what the user called; throws a `DeviceError` when the device was lost or disposed. */
  begin(op: string): void {
    if (this.recovering && !this.#isInside) {
      const error = new DeviceError(
        `${op}: the device was lost and is being made again; expected one that works${AWAIT_IT}`,
      );
      throw Object.assign(error, { recovering: this.recovering });
    }
    this.session.begin(op);
  }

  catchUp(node: Node, isChange = false): void {
    const { turns } = this;
    if (turns.size === 0 || this.recovering || isCompiling) return;
    const key = turnKey(node); // each turn may give a state another node
    const isTouched = ({ changed, uses }: CallTurn<unknown>) =>
      (isChange ? uses : changed).has(key);
    untraced(() => {
      for (const turn of turns) if ([...turns].some(isTouched)) turn.hurry();
    });
  }

  /** Runs a function whose evaluations may share a submit with what it runs last. */
  together<T>(fn: () => T): T {
    return this.session.together(fn);
  }

  /** Makes a plan that is going to run many times. */
  plan(program: Program, options: Omit<PlanOptions, "repeated"> = {}): Plan {
    return this.compile(simplify(program), { ...options, repeated: true });
  }

  evaluate(nodes: readonly Node[], op = "evaluate", isCut = false): void {
    if (isTracing()) return; // what a traced function wants evaluated, its plan computes
    this.#evaluate(nodes, op, isCut);
  }

  /** Evaluates nodes; `undo` is given what makes one that failed as it was before. */
  #evaluate(nodes: readonly Node[], op: string, isCut: boolean, undo?: (() => void)[]): void {
    this.begin(op);
    this.#bring(nodes, op, undo);
    const wanted = [...new Set(nodes)].filter((node) => !node.ready);
    if (wanted.length === 0) return;
    const check = watch?.evaluation(op, wanted);
    const { plan, sources } = this.#plan(wanted, op);
    this.#bring(sources, op, undo);
    const storages = inMemory(op, () => plan.run(sources.map((x) => x.storage as Storage)));
    for (let i = 0; i < wanted.length; i++) {
      const node = wanted[i];
      const { op, inputs, vjp } = node;
      this.give(node, storages[i]);
      undo?.push(this.#revert.bind(this, node, { op, inputs, vjp }, storages[i]));
      if (node.tracked) continue;
      node.lineage = this.journal?.shortLineage(node) ?? null;
      node.cut();
    }
    if (!isCut) this.#follow(wanted, sources);
    check?.();
  }

  /** Has values that were computed of states lose their graphs with the states' present values. */
  #follow(computed: readonly Node[], sources: readonly Node[]): void {
    const followers = new Followers(computed.filter(({ tracked }) => tracked));
    for (const x of sources) stateOf(x)?.follow(followers);
  }

  /** Makes a node whose value failed what it was without it, unless it has another value by now. */
  #revert(node: Node, before: Partial<Node>, storage = node.storage): void {
    if (!storage?.failure || node.storage !== storage) return;
    node.surrender();
    this.release(storage);
    Object.assign(node, before);
  }

  async read(node: Node, op = "read"): Promise<NumericArray> {
    return (await this.readAll([node], op))[0];
  }

  async readAll(nodes: readonly Node[], op = "read"): Promise<NumericArray[]> {
    if (isTracing()) {
      throw new GradusError(
        `${op}: called in a function that is being ${tracePurpose ?? "compiled"}; expected no reads there${READ_OUTSIDE}`,
      );
    }
    let failure: MemoryError | null = null;
    for (;;) {
      const undo: (() => void)[] = [];
      try {
        return await this.#read(nodes, op, undo);
      } catch (thrown) {
        const error = asMemoryError(op, thrown);
        if (error instanceof MemoryError) for (const revert of undo) revert();
        if (failure || !(error instanceof MemoryError)) throw failure ?? error;
        failure = error; // what was spare has been freed: a second try may find room
      }
    }
  }

  async #read(nodes: readonly Node[], op: string, undo: (() => void)[]): Promise<NumericArray[]> {
    this.check(op);
    return this.journal ? this.journal.read(nodes, op, undo) : this.readNow(nodes, op, undo);
  }

  /** Reads values from the session that there is, and may lose them. */
  async readNow(
    nodes: readonly Node[],
    op: string,
    undo: (() => void)[] = [],
  ): Promise<NumericArray[]> {
    const hosts = nodes.map(({ host }) => host?.slice());
    const wanted = nodes.filter((_, i) => !hosts[i]);
    if (wanted.length === 0) return hosts as NumericArray[];
    this.counters.add("reads");
    this.#evaluate(wanted, op, false, undo);
    const downloads = wanted.map(({ storage, dtype, shape }) => {
      return { storage: storage as Storage, dtype, size: sizeOf(shape) };
    });
    const told = watch?.settled(nodes); // of what is known at this moment, whoever is told first
    told?.catch(() => {});
    const values = (await this.session.download(downloads)).values();
    await told;
    return hosts.map((host) => host ?? (values.next().value as NumericArray));
  }

  overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
    this.begin("write");
    this.counters.add("writes");
    this.session.overwrite(storage, values, dtype);
  }

  /** Gives values that lie on the host anyway, not to be changed; undefined where reads wait. */
  peek(storage: Storage): NumericArray | undefined {
    return this.session.peek?.(storage);
  }

  reclaim(storage: Storage): void {
    this.#reclaimed++;
    this.release(storage);
  }

  release(storage: Storage): void {
    if (this.#isDisposed) return; // all is freed
    this.#tensors--;
    this.holders?.delete(storage);
    if (!storage.life?.isOver) this.session.release(storage);
  }

  /** Brings values on the host to the device; throws why those there are not what they should be. */
  #bring(nodes: readonly Node[], op: string, undo?: (() => void)[]): void {
    for (const node of nodes) {
      const { storage, host } = node; // in this order: what went with a device is on the host again
      if (!storage && host) this.#upload(node, host, op, undo);
      if (!storage?.failure) continue;
      const { lineage } = node;
      if (!lineage || lineage instanceof Node || stateOf(node)) throw storage.failure;
      this.#revert(node, {}); // what was lost on its way is sent again
      this.#upload(node, lineage, op);
    }
  }

  #upload(node: Node, host: NumericArray, op: string, undo?: (() => void)[]): void {
    this.counters.add("writes");
    this.give(
      node,
      inMemory(op, () => this.session.upload(host, node.dtype)),
    );
    if (this.session.life) node.lineage = host;
    undo?.push(this.#revert.bind(this, node, { host }, node.storage));
  }

  /** Gives a node its values. */
  give(node: Node, storage: Storage): void {
    this.#tensors++;
    node.hold(storage);
  }

  /** A plan that computes nodes, and the nodes of its sources: one that there is, or a new one. */
  #plan(wanted: readonly Node[], op: string): { plan: Plan; sources: readonly Node[] } {
    const plans = this.#plans;
    for (let i = plans.length - 1; i >= 0; i--) {
      const { program, plan } = plans[i];
      const sources = sourcesIn(program, wanted);
      if (!sources) continue;
      plans.push(...plans.splice(i, 1));
      return { plan, sources };
    }
    const { program, sources } = trace(wanted, op);
    const plan = this.compile(simplify(program), { repeated: false });
    plans.push({ program, plan });
    if (plans.length > PLAN_LIMIT) plans.shift()?.plan.dispose();
    return { plan, sources };
  }
}
