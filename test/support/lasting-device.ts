import { nextTask } from "../../src/core/event-loop.ts";
import { plain } from "./fault-modes.ts";

type Create = (given: GPUComputePipelineDescriptor) => unknown;

/**
 * A device that outlives those who use it one after the other, with its pipelines by their code: to
 * compile them takes nearly all the time of a short run on an adapter that a CPU emulates.
 */
export class LastingDevice {
  /** The code of modules, and the layouts, that were made as they were asked for. */
  readonly #modules = new WeakMap<object, string>();
  readonly #layouts = new WeakSet<object>();
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  #isTaken = false;
  #isLost = false;

  private constructor(readonly device: GPUDevice) {
    device.lost.then(() => this.destroy());
  }

  static #present: LastingDevice | null = null;

  /** The device that nobody has, or one more. */
  static async take(request: () => Promise<GPUDevice>): Promise<LastingDevice> {
    const spare = LastingDevice.#present;
    const taken = spare && !spare.#isTaken ? spare : new LastingDevice(await request());
    LastingDevice.#present ??= taken;
    taken.#isTaken = true;
    return taken;
  }

  /** Ends the use of the device by those before; destroys it when it is not to be trusted. */
  static async rest(isSound: boolean): Promise<void> {
    const present = LastingDevice.#present;
    if (!present || !isSound) return present?.destroy();
    const scopes = () => plain<Promise<unknown>>("GPUDevice", "popErrorScope", present.device);
    const isLeft = () =>
      scopes().then(
        () => true,
        () => false,
      );
    while (await isLeft()) {
      // What a call left open when it went wrong must not catch the next one's errors.
    }
  }

  /** Leaves the device to the next taker, unless it is one too many. */
  giveBack(): void {
    if (LastingDevice.#present === this) this.#isTaken = false;
    else this.destroy();
  }

  destroy(): void {
    if (LastingDevice.#present === this) LastingDevice.#present = null;
    this.#isLost = true;
    plain("GPUDevice", "destroy", this.device);
  }

  /** Notes what a call gave that went well. */
  note(name: string, [given]: readonly unknown[], result: unknown): void {
    const made = result as object;
    if (name === "createShaderModule") this.#modules.set(made, (given as { code: string }).code);
    if (name === "createPipelineLayout") this.#layouts.add(made);
  }

  /** Makes a pipeline by a method, or gives the one that was made of the same code. */
  make(name: string, create: Create, given: GPUComputePipelineDescriptor): unknown {
    const { layout, compute } = given;
    const code = this.#modules.get(compute.module);
    const isSound = compute.entryPoint === undefined && this.#layouts.has(layout as object);
    if (this.#isLost || code === undefined || !isSound) return create(given);
    const known = this.#pipelines.get(code);
    const keep = (made: unknown) => {
      this.#pipelines.set(code, made as GPUComputePipeline);
      return made;
    };
    if (name === "createComputePipeline") return known ?? keep(create(given));
    return known ? nextTask().then(() => known) : (create(given) as Promise<unknown>).then(keep);
  }
}
