import { DeviceError, GradusError, KernelError, MemoryError } from "../../core/errors.ts";
import { asMemoryError } from "../../core/host-memory.ts";
import { refusal, settles, within } from "./within.ts";

/** What turned out to be wrong with some calls to WebGPU, or null; never rejects. */
export type Check = Promise<GradusError | null>;

/** What a guard asks of its session. */
export interface GuardHost {
  readonly device: GPUDevice;
  /** Settles when the device is lost. */
  readonly lost: Promise<unknown>;
  /** How long WebGPU may take to answer, in milliseconds. */
  readonly timeout: number;
  /** What the loss of the device is to whoever called `op`; null while it lives. */
  lossOf(op: string): DeviceError | null;
  /** Frees what it can after memory ran out, and says what was wanted and what is held. */
  outOfMemory(op: string, wanted: number): MemoryError;
}

/** How long a failure waits for the news that the device is lost, which explains it. */
const LOSS_MS = 100;

const FILTERS = ["out-of-memory", "validation"] as const;

/** Calls WebGPU under error scopes; whatever it throws or rejects with becomes a `GradusError`. */
export class Guard {
  /** What the user called. */
  op = "webgpu";
  readonly #checks: Check[] = [];

  constructor(readonly host: GuardHost) {}

  /** Begins what the user called; what was made for another call is no longer of interest. */
  begin(op: string): void {
    this.op = op;
    this.#checks.length = 0;
  }

  /** Whether something was made that is not known to be good. */
  get isPending(): boolean {
    return this.#checks.length > 0;
  }

  /** Hands over the checks of what was made since the last time. */
  take(): Check[] {
    return this.#checks.splice(0);
  }

  /** Adds the check of something that is used. */
  add(check: Check | null): void {
    if (check) this.#checks.push(check);
  }

  /** Runs calls that make something; `take` hands over what is wrong with it. */
  make<T>(fn: () => T): T {
    const [value, check] = this.check(fn);
    this.#checks.push(check);
    return value;
  }

  /**
   * Runs synchronous calls and gives with their result what is wrong with them.
   * @param wanted gives the bytes that they asked for in vain, when nothing is held for them.
   * @throws GradusError for what they throw.
   */
  check<T>(
    fn: () => T,
    wanted = () => 0,
    op = this.op,
    filters: readonly GPUErrorFilter[] = FILTERS,
  ): [T, Check] {
    const scopes: GPUErrorFilter[] = [];
    const checks: Check[] = [];
    let value: T;
    try {
      for (const filter of filters) {
        this.host.device.pushErrorScope(filter);
        scopes.push(filter);
      }
      value = fn();
    } catch (error) {
      const { host } = this;
      const isFull = error instanceof RangeError; // no room to map a buffer
      throw host.lossOf(op) ?? (isFull ? host.outOfMemory(op, wanted()) : asGradus(op, error));
    } finally {
      while (scopes.length > 0) checks.push(this.#pop(scopes.pop() as GPUErrorFilter, wanted, op));
    }
    return [value, firstOf(checks)];
  }

  /**
   * Waits for an answer of WebGPU.
   * @throws DeviceError, as `op`, for the loss of the device, a refusal, or no answer in time.
   */
  async answer<T>(
    op: string,
    call: string,
    answer: Promise<T>,
    ms = this.host.timeout,
  ): Promise<T> {
    try {
      return await within(op, call, ms, () => answer);
    } catch (error) {
      throw await this.#explained(op, error as DeviceError);
    }
  }

  /** A check that is not waited for longer than so many milliseconds. */
  async inTime(check: Check, ms = this.host.timeout): Check {
    const { op } = this;
    return (await settles(check, ms)) ? check : this.#explained(op, silent(op, ms));
  }

  async #pop(filter: GPUErrorFilter, wanted: () => number, op: string): Check {
    try {
      const error = await this.host.device.popErrorScope();
      if (!error) return null;
      if (filter === "out-of-memory") return this.host.outOfMemory(op, wanted());
      return filter === "internal" ? this.#explained(op, invalid(op, error)) : invalid(op, error);
    } catch (error) {
      return this.#explained(op, refusal(op, "popErrorScope", error));
    }
  }

  /** The loss of the device, if that is why something failed. */
  async #explained(op: string, failure: GradusError): Promise<GradusError> {
    await settles(this.host.lost, LOSS_MS);
    return this.host.lossOf(op) ?? failure;
  }
}

/** What WebGPU threw, as an error of what the user called. */
export function asGradus(op: string, error: unknown): GradusError {
  const known = asMemoryError(op, error);
  return known instanceof GradusError ? known : invalid(op, error as Error);
}

function invalid(op: string, { message }: { readonly message: string }): DeviceError {
  return new DeviceError(`${op}: webgpu: ${message}; expected a valid command`);
}

/** The browser does not say what is wrong. */
export function silent(op: string, ms: number): DeviceError {
  return new DeviceError(
    `${op}: webgpu did not say within ${ms / 1000} s whether commands are valid; expected an answer`,
  );
}

/** Of several failures the one that says most: a compiler's message, then what memory was wanted. */
export async function firstOf(checks: readonly Check[]): Check {
  const failures = (await Promise.all(checks)).filter((failure) => failure !== null);
  return (
    failures.find((failure) => failure instanceof KernelError) ??
    failures.find((failure) => failure instanceof MemoryError) ??
    failures[0] ??
    null
  );
}
