import { SharingPace } from "./sharing-pace.ts";
import { coreCount, startThread, type Thread } from "./start-thread.ts";
import { SHARED_WORDS, SPIN, THREAD_SCRIPT } from "./thread-script.ts";

/** How work is shared out among threads. */
export interface Sharing {
  /** How many threads compute. */
  readonly count: number;
  /** Nanoseconds from which on work is shared out. */
  readonly worth: number;
  /** Elements of a unit, at least. */
  readonly unit: number;
}

/** A task of a plan that may be done in parts at once. */
export class SharedTask {
  readonly pace = new SharingPace();

  /**
   * @param number its number in the plan.
   * @param run computes a share on the main thread.
   */
  constructor(
    readonly number: number,
    readonly units: number,
    readonly run: (table: number, from: number, to: number, thread: number) => void,
  ) {}
}

/** No more threads than this unless they are asked for. */
const USUAL_MOST = 8;
/** Parts of a job for each thread, so that nobody waits long for who began last. */
const PARTS = 8;
const PARTS_LIMIT = 255;
/** How long the first thread may take to begin, in milliseconds, before others are not waited for. */
const PATIENCE = 2000;

/** Ends the threads of engines that nobody has any more. */
const abandoned = /* @__PURE__ */ new FinalizationRegistry<Threads>((threads) => threads.end());

/** How many threads compute where nobody says so: one core is left to others. */
function usualThreads(): number {
  return Math.max(1, Math.min(USUAL_MOST, coreCount() - 1));
}

/**
 * Threads that compute parts of jobs beside the main thread, on one memory. The main thread takes parts
 * like the others, so that a thread that gets no core costs nothing: it waits for parts that were
 * begun, and for nothing else.
 */
export class Threads implements Sharing {
  /** Shorter work is done before another thread is awake. */
  worth = 1e5;
  unit = 1024;
  /** Whether all jobs are shared, whatever their pace. */
  isEager = false;
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SHARED_WORDS).length));
  readonly #threads: Thread[] = [];
  readonly #plans = new Map<number, WebAssembly.Module>();
  readonly #mayWait = mayWait();
  #job = 0;
  #lastPlan = 0;
  #isOver = false;
  /** How many jobs were shared out. */
  jobs = 0;

  private constructor(
    readonly count: number,
    readonly memory: WebAssembly.Memory,
  ) {}

  /**
   * Starts threads; null for one, which is there. Rejects where there are none to be had.
   * @param count how many compute, the main thread among them; as many as usual when left out.
   */
  static async start(count = usualThreads()): Promise<Threads | null> {
    if (count === 1) return null;
    const threads = new Threads(count, sharedMemory());
    await threads.#first();
    return threads;
  }

  /** How many plans the threads know. */
  get plans(): number {
    return this.#plans.size;
  }

  /** Parts of jobs that others than the main thread have done. */
  get done(): number {
    return Atomics.load(this.#words, SHARED_WORDS.DONE);
  }

  /** Ends the threads when an object is collected. */
  endWith(owner: object): void {
    abandoned.register(owner, this, this);
  }

  /** Makes a task that is shared out: see `SharedTask`. */
  task(...task: ConstructorParameters<typeof SharedTask>): SharedTask {
    return new SharedTask(...task);
  }

  /** Has all threads know a module; gives the number of its plan. */
  keep(module: WebAssembly.Module): number {
    const plan = ++this.#lastPlan;
    this.#tell(plan, module);
    this.#plans.set(plan, module);
    while (this.#threads.length < this.count - 1 && !this.#isOver) this.#add();
    return plan;
  }

  /** Has all threads forget a plan. */
  forget(plan: number): void {
    if (this.#plans.delete(plan)) this.#tell(plan, null);
  }

  /**
   * Does a task of a plan, together with who has a core for it, unless that takes longer than alone.
   * @param table the address of the plan's table.
   */
  share(plan: number, table: number, task: SharedTask): void {
    const { pace, units, run } = task;
    const isShared = !this.#isOver && (this.isEager || pace.isShared);
    const begin = performance.now();
    if (isShared) {
      this.jobs++;
      this.#publish(plan, table, task);
      this.#work(table, task);
    } else run(table, 0, units, 0);
    pace.note(isShared, performance.now() - begin);
  }

  /** Ends the threads; jobs are done by the main thread from now on. */
  end(): void {
    this.#isOver = true;
    abandoned.unregister(this);
    for (const thread of this.#threads.splice(0)) thread.end();
    this.#plans.clear();
  }

  /** Starts one thread and waits for it, but not for long. */
  async #first(): Promise<void> {
    const { ready } = this.#add();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    try {
      await Promise.race([ready, patience]);
    } catch (error) {
      this.end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #add(): Thread {
    const thread = startThread(THREAD_SCRIPT);
    thread.ready.catch(() => {}); // the others do its work
    const number = this.#threads.push(thread);
    const mail = Atomics.load(this.#words, SHARED_WORDS.MAIL);
    const shared = { words: this.#words, memory: this.memory, thread: number };
    thread.send({ ...shared, mail, plans: [...this.#plans] });
    return thread;
  }

  /** Sends a message to all threads, which wake for it. */
  #tell(plan: number, module: WebAssembly.Module | null): void {
    const mail = Atomics.add(this.#words, SHARED_WORDS.MAIL, 1) + 1;
    for (const thread of this.#threads) thread.send({ mail, plans: [[plan, module]] });
    this.#announce(0, this.#threads.length);
  }

  /** Begins a job of so many parts, with another number, and wakes so many threads. */
  #announce(parts: number, helpers: number): void {
    this.#job = (this.#job + 1) & 0xffffff;
    Atomics.store(this.#words, SHARED_WORDS.NEXT, (this.#job << 8) | parts);
    Atomics.notify(this.#words, SHARED_WORDS.NEXT, helpers);
  }

  #publish(plan: number, table: number, { number, units }: SharedTask): void {
    const words = this.#words;
    const parts = Math.min(units, PARTS * this.count, PARTS_LIMIT);
    words[SHARED_WORDS.PLAN] = plan;
    words[SHARED_WORDS.TASK] = number;
    words[SHARED_WORDS.TABLE] = table;
    words[SHARED_WORDS.UNITS] = units;
    words[SHARED_WORDS.PARTS] = parts;
    Atomics.store(words, SHARED_WORDS.LEFT, parts);
    this.#announce(parts, parts - 1);
  }

  /** Computes parts that nobody has begun, and waits for those that others have. */
  #work(table: number, { units, run }: SharedTask): void {
    const words = this.#words;
    const parts = words[SHARED_WORDS.PARTS];
    const failures: unknown[] = [];
    for (;;) {
      const next = Atomics.load(words, SHARED_WORDS.NEXT);
      const part = (next & 255) - 1;
      if (part < 0) break;
      if (Atomics.compareExchange(words, SHARED_WORDS.NEXT, next, next - 1) !== next) continue;
      try {
        const [from, to] = [part, part + 1].map((i) => Math.floor((i * units) / parts));
        if (failures.length === 0) run(table, from, to, 0);
      } catch (error) {
        failures.push(error);
      }
      Atomics.sub(words, SHARED_WORDS.LEFT, 1);
    }
    this.#wait();
    if (failures.length > 0) throw failures[0];
    if (Atomics.exchange(words, SHARED_WORDS.FAILED, 0)) {
      throw new Error("a part of the work failed on another thread");
    }
  }

  /** Waits for parts that others have begun. */
  #wait(): void {
    const begin = performance.now();
    for (;;) {
      const left = Atomics.load(this.#words, SHARED_WORDS.LEFT);
      if (left === 0) return;
      if (this.#mayWait && performance.now() - begin > SPIN) {
        Atomics.wait(this.#words, SHARED_WORDS.LEFT, left);
      }
    }
  }
}

/** A memory that threads share; its bounds are reserved at once, and some machines have not so much. */
function sharedMemory(): WebAssembly.Memory {
  const make = (maximum: number) => new WebAssembly.Memory({ initial: 1, maximum, shared: true });
  try {
    return make(2 ** 16);
  } catch {
    return make(2 ** 14);
  }
}

/** Whether this thread may sleep: a page's own may not. */
function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}
