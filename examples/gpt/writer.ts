import { add, argmax, categoricalAt, compile, mul, reshape, type Tensor, tensor } from "gradus";
import type { KvCache } from "gradus/nn";
import type { GPT } from "./network.ts";

/** How a text goes on. */
export interface WriteOptions {
  /** Characters behind the prompt. */
  length: number;
  /** By what logits are divided before a character is drawn; 0 takes the likeliest. */
  temperature: number;
  /** Fixes what is drawn. */
  seed?: number;
}

/**
 * Lets a network write, one character a step, each by what its attention has kept of those before: one
 * plan for all positions, which reads nothing back before the text is whole.
 */
export class Writer {
  readonly #model: GPT;
  readonly #caches: KvCache[];
  readonly #next: (
    token: Tensor,
    count: Tensor,
    inverse: Tensor,
    seed: number,
  ) => Promise<[greedy: Tensor, drawn: Tensor, count: Tensor]>;
  readonly #dispose: () => void;

  constructor(model: GPT) {
    this.#model = model;
    this.#caches = model.blocks.caches({ capacity: model.options.context });
    const next = compile((token: Tensor, count: Tensor, inverse: Tensor, seed: number) => {
      const logits = reshape(model.call(token, this.#caches), [model.vocabularySize]);
      const drawn = categoricalAt(count, mul(logits, inverse), { seed });
      const one = (x: Tensor) => reshape(x, [1, 1]);
      return [one(argmax(logits)), one(drawn), add(count, 1)] as [Tensor, Tensor, Tensor];
    });
    this.#next = next;
    this.#dispose = () => next.dispose();
  }

  /**
   * Goes on with a text; what lies further back than the network sees is forgotten by halves.
   * @param prompt at least one token.
   */
  async write(
    prompt: ArrayLike<number>,
    { length, temperature, seed = 0 }: WriteOptions,
  ): Promise<Int32Array> {
    this.#model.eval();
    const { context } = this.#model.options;
    const written: Tensor[] = Array.from(prompt, tokenOf);
    const inverse = tensor(temperature > 0 ? 1 / temperature : 1);
    const held: Tensor[] = [inverse];
    let count = tensor(0, { dtype: "u32" });
    let [start, seen] = [0, 0];
    const forget = () => {
      for (const cache of this.#caches) cache.reset();
      seen = 0;
    };
    forget();
    while (written.length < prompt.length + length) {
      if (seen === context) {
        start = written.length - Math.ceil(context / 2);
        forget();
      }
      const [greedy, drawn, after] = await this.#next(written[start + seen], count, inverse, seed);
      held.push(greedy, drawn, count);
      count = after;
      seen++;
      if (start + seen === written.length) written.push(temperature > 0 ? drawn : greedy);
    }
    const tokens = await Promise.all(written.slice(prompt.length).map((x) => x.item()));
    for (const x of new Set([...held, ...written, count])) x.dispose();
    return Int32Array.from(tokens);
  }

  /** Frees what it keeps; the network stays. */
  dispose(): void {
    this.#dispose();
    for (const cache of this.#caches) cache.dispose();
  }
}

function tokenOf(token: number): Tensor {
  return tensor([token], { dtype: "i32", shape: [1, 1] });
}
