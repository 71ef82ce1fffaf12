/** Drawings, read one at a time. */
import type { RunOf } from "../shell/run.ts";
import { Drawing } from "./drawing.ts";
import type job from "./job.ts";
import { Probabilities } from "./probabilities.ts";

/** Asks a network about the drawing; of those drawn meanwhile only the last counts. */
export class Classifier {
  readonly #bars = new Probabilities();
  #isAsked = false;
  #waiting: Float32Array | null = null;
  readonly #drawing = new Drawing((pixels) => void this.#ask(pixels));

  /** @param ask gives the probabilities of a picture, null while no network can be asked. */
  constructor(readonly ask: (pixels: Float32Array) => Promise<Float32Array> | null) {}

  /** Asks anew about what is drawn, such as when the network has changed. */
  again(): void {
    const { pixels } = this.#drawing;
    if (pixels) void this.#ask(pixels);
  }

  async #ask(pixels: Float32Array | null): Promise<void> {
    this.#waiting = pixels;
    if (!pixels) this.#bars.show(null);
    if (this.#isAsked) return;
    this.#isAsked = true;
    try {
      while (this.#waiting) {
        const next: Float32Array = this.#waiting;
        this.#waiting = null;
        const probabilities = await this.ask(next);
        if (!this.#waiting && this.#drawing.pixels) this.#bars.show(probabilities);
      }
    } catch {
      this.#bars.say("The network cannot be asked now.");
    } finally {
      this.#isAsked = false;
    }
  }
}

/** Who reads: the network trained before, or the running one where it reads digits. */
export function readBy(
  run: RunOf<typeof job> | null,
  reader: "trained" | "running",
  readsDigits: boolean,
): ((pixels: Float32Array) => Promise<Float32Array>) | null {
  if (!run) return null;
  if (reader === "running" && readsDigits) return (pixels) => run.call("classify", pixels);
  return (pixels) => run.call("readDrawing", pixels);
}
