/** Has one call of WebGPU go wrong, by the device's own errors where it has some. */

import { type Call, type Mode, plain, WATCHED } from "./fault-modes.ts";
import { LastingDevice } from "./lasting-device.ts";

/** A call that is to go wrong: the n-th of a method such as `GPUQueue.submit`, from 0. */
export interface Fault {
  readonly method: string;
  readonly n: number;
  readonly mode: Mode;
}

/** A device in use, and its buffers that were not destroyed. */
interface Live {
  readonly lasting: LastingDevice;
  readonly buffers: Set<GPUBuffer>;
  readonly onError: (event: GPUUncapturedErrorEvent) => void;
}

/**
 * Watches every call that begins at a `GPU`, counts them by method, and has one of them go wrong. The
 * objects stay the browser's own: methods are replaced on each.
 */
export class FaultInjector {
  /** Calls of each method while it was armed. */
  readonly counts = new Map<string, number>();
  /** Whether calls count, and can go wrong. */
  armed = true;
  /** How often the fault came about. */
  fired = 0;
  /** Errors that no scope caught. */
  readonly uncaptured: string[] = [];
  /** The classes of all errors of the device. */
  readonly raised = new Set<string>();
  readonly #live = new Map<GPUDevice, Live>();

  constructor(
    readonly gpu: GPU,
    readonly fault: Fault | null = null,
  ) {
    this.#watch(gpu, "GPU", null);
  }

  /** Devices that were made and not destroyed. */
  get devices(): number {
    return this.#live.size;
  }

  /** Their buffers that were made and not destroyed. */
  get buffers(): number {
    return [...this.#live.values()].reduce((sum, { buffers }) => sum + buffers.size, 0);
  }

  /** Lets the `GPU` be as it was. The device serves again, unless it is not to be trusted any more. */
  async close(isSound: boolean): Promise<void> {
    this.armed = false;
    for (const name of Object.keys(WATCHED.GPU)) Reflect.deleteProperty(this.gpu, name);
    for (const device of [...this.#live.keys()]) this.#release(device)?.giveBack();
    await LastingDevice.rest(isSound);
  }

  #watch<T extends object>(object: T, kind: string, device: GPUDevice | null): T {
    for (const name of Object.keys(WATCHED[kind])) {
      const real: Call["real"] = (...args) => plain(kind, name, object, ...args);
      const lose = (lost: GPUDevice) => this.#lose(lost);
      replace(object, name, (...args) => {
        return this.#call(kind, name, { object, args, real, device, lose });
      });
    }
    return object;
  }

  #watchDevice(lasting: LastingDevice): GPUDevice {
    const { device } = lasting;
    const onError = (event: GPUUncapturedErrorEvent) => {
      event.preventDefault();
      this.uncaptured.push(event.error.message);
      this.#noteError(event.error);
    };
    device.addEventListener("uncapturederror", onError);
    this.#live.set(device, { lasting, buffers: new Set(), onError });
    replace(device, "destroy", () => this.#release(device)?.giveBack());
    this.#watch(device.queue, "GPUQueue", device);
    return this.#watch(device, "GPUDevice", device);
  }

  /** Forgets a device and destroys its buffers. */
  #release(device: GPUDevice): LastingDevice | undefined {
    const live = this.#live.get(device);
    this.#live.delete(device);
    for (const buffer of live?.buffers ?? []) plain("GPUBuffer", "destroy", buffer);
    if (live) device.removeEventListener("uncapturederror", live.onError);
    return live?.lasting;
  }

  #call(kind: string, name: string, call: Call): unknown {
    const { gives, modes } = WATCHED[kind][name];
    const mode = this.#next(`${kind}.${name}`);
    const real = (...args: readonly unknown[]) => this.#real(name, call, args);
    const result = mode ? modes[mode]?.({ ...call, real }) : real(...call.args);
    if (!gives || !result) return result;
    const watch = (made: object | null) => made && this.#watch(made, gives, call.device);
    return result instanceof Promise ? result.then(watch) : watch(result as object);
  }

  /** Makes a call on the device that lasts, and notes what it does there. */
  #real(name: string, { object, real, device }: Call, args: readonly unknown[]): unknown {
    if (name === "requestDevice") {
      const request = () => real(...args) as Promise<GPUDevice>;
      return LastingDevice.take(request).then((lasting) => this.#watchDevice(lasting));
    }
    const live = device && this.#live.get(device);
    if (!live) return real(...args);
    if (name.startsWith("createComputePipeline")) {
      return live.lasting.make(name, real, args[0] as GPUComputePipelineDescriptor);
    }
    const result = real(...args);
    live.lasting.note(name, args, result);
    if (name === "popErrorScope") this.#noteScope(result as Promise<GPUError | null>);
    if (name === "createBuffer") live.buffers.add(result as GPUBuffer);
    if (name === "destroy") live.buffers.delete(object as GPUBuffer);
    return result;
  }

  #noteScope(error: Promise<GPUError | null>): void {
    error.then(
      (found) => found && this.#noteError(found),
      () => {},
    );
  }

  #noteError(error: GPUError): void {
    this.raised.add(error.constructor.name);
  }

  #lose(device: GPUDevice): void {
    this.#release(device)?.destroy();
  }

  /** Counts a call; how it is to go wrong, if it is. */
  #next(method: string): Mode | null {
    if (!this.armed) return null;
    const n = this.counts.get(method) ?? 0;
    this.counts.set(method, n + 1);
    const { fault } = this;
    if (fault?.method !== method) return null;
    const times = fault.mode === "out of memory twice" ? 2 : 1;
    if (n < fault.n || n >= fault.n + times) return null;
    this.fired++;
    return fault.mode;
  }
}

function replace(object: object, name: string, value: (...args: unknown[]) => unknown): void {
  Object.defineProperty(object, name, { value, configurable: true, writable: true });
}
