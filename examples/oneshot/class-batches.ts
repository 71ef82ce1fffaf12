import { foldIn, keyFromSeed } from "gradus";
import type { Batch } from "gradus/data";
import { Draws } from "../cartpole/draws.ts";
import { DistortedImages, type Distortion, orient, PIXELS } from "../embeddings/distorted.ts";
import { deslantAll } from "./deslant.ts";
import { inventCharacter, writeCharacter } from "./strokes.ts";

/** Images of 28 × 28 bytes, ink 255, one after the other, and the class of each, from 0. */
export interface Characters {
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/** What batches are made of. */
export interface BatchOptions {
  /** Classes in a batch, how many of them are characters invented anew, and images of each. */
  readonly classes: number;
  readonly invented: number;
  readonly examples: number;
  /** The ways, as `orient` numbers them, in which a character is turned: each gives classes of its own. */
  readonly ways: readonly number[];
  /** Whether images are set upright before they are distorted. */
  readonly upright: boolean;
  readonly distortion: Distortion;
  readonly seed: number;
}

/** The four quarter turns, as `orient` numbers ways: a turned character is another one. */
export const TURNS = [0, 3, 5, 6];

/** Gives how far an image is distorted each time; one that is set upright slants less. */
export function distortionOf(upright: boolean): Distortion {
  return { turn: 0.2, stretch: 0.15, slant: upright ? 0.1 : 0.2, shift: 2 };
}

/**
 * Batches of some classes with the same number of images of each, distorted anew each time: of given
 * characters, and of others that are invented for the batch.
 */
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
    const { classes, invented, examples, ways, upright, distortion, seed } = this.options;
    const all = this.#rows.length * ways.length;
    const chosen = [...(await this.#some(classes - invented, all))];
    const pixels = new Uint8Array(classes * examples * PIXELS);
    const labels = Int32Array.from({ length: classes * examples }, (_, i) => {
      const k = Math.floor(i / examples);
      return chosen[k] ?? all + k;
    });
    for (let k = 0; k < classes; k++) {
      const images = await (k < chosen.length ? this.#turned(chosen[k]) : this.#invented());
      for (const [i, image] of images.entries()) pixels.set(image, (k * examples + i) * PIXELS);
    }
    const shown = upright ? deslantAll(pixels) : pixels;
    const images = new DistortedImages(shown, labels, distortion, seed * 1_000_003 + step);
    return images.batch(Uint32Array.from(labels.keys()));
  }

  /** Draws images of a class: a character and the way in which it is turned. */
  async #turned(chosen: number): Promise<Uint8Array[]> {
    const rows = this.#rows[chosen % this.#rows.length];
    const way = this.options.ways[Math.floor(chosen / this.#rows.length)];
    return Array.from(await this.#some(this.options.examples, rows.length), (place) => {
      const start = rows[place] * PIXELS;
      const image = new Uint8Array(PIXELS);
      orient(this.characters.pixels.subarray(start, start + PIXELS), way, image);
      return image;
    });
  }

  async #invented(): Promise<Uint8Array[]> {
    const character = await inventCharacter(this.#draws);
    const images: Uint8Array[] = [];
    while (images.length < this.options.examples) {
      images.push(await writeCharacter(character, this.#draws));
    }
    return images;
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
