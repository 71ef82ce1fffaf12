import { foldIn, keyFromSeed } from "gradus";
import type { Batch } from "gradus/data";
import { Draws } from "../cartpole/draws.ts";
import { DistortedImages, type Distortion, PIXELS } from "../embeddings/distorted.ts";
import { orient } from "../embeddings/one-shot.ts";

/** Images of 28 × 28 bytes, ink 255, one after the other, and the class of each, from 0. */
export interface Characters {
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/** What batches are made of. */
export interface BatchOptions {
  /** Classes in a batch, and images of each. */
  readonly classes: number;
  readonly examples: number;
  /** The ways, as `orient` numbers them, in which a character is turned: each gives classes of its own. */
  readonly ways: readonly number[];
  readonly distortion: Distortion;
  readonly seed: number;
}

/** Batches of some classes with the same number of images of each, distorted anew each time. */
export class ClassBatches {
  readonly #rows: readonly number[][];
  readonly #draws: Draws;

  constructor(
    readonly characters: Characters,
    readonly options: BatchOptions,
  ) {
    const { labels, classes } = characters;
    this.#rows = Array.from({ length: classes }, () => []);
    for (const [row, label] of labels.entries()) this.#rows[label].push(row);
    this.#draws = new Draws(foldIn(keyFromSeed(options.seed), 1000));
  }

  /** Gives the batch of a step; those of all steps depend on the seed and are drawn in order. */
  async next(step: number): Promise<Batch> {
    const { classes, examples, ways, distortion, seed } = this.options;
    const all = this.#rows.length * ways.length;
    const pixels = new Uint8Array(classes * examples * PIXELS);
    const labels = new Int32Array(classes * examples);
    let at = 0;
    for (const chosen of await this.#some(classes, all)) {
      const [label, way] = [
        chosen % this.#rows.length,
        ways[Math.floor(chosen / this.#rows.length)],
      ];
      const own = this.#rows[label];
      for (const place of await this.#some(examples, own.length)) {
        const source = this.characters.pixels.subarray(
          own[place] * PIXELS,
          (own[place] + 1) * PIXELS,
        );
        orient(source, way, pixels.subarray(at * PIXELS, (at + 1) * PIXELS));
        labels[at++] = chosen;
      }
    }
    const images = new DistortedImages(pixels, labels, distortion, seed * 1_000_003 + step);
    return images.batch(Uint32Array.from(labels.keys()));
  }

  /** Draws different integers below n. */
  async #some(count: number, n: number): Promise<Set<number>> {
    const chosen = new Set<number>();
    while (chosen.size < count) {
      await this.#draws.prepare(1);
      chosen.add(Math.floor(this.#draws.next() * n));
    }
    return chosen;
  }
}
