/**
 * Asks again and again for something to draw, once a frame at most and one at a time: `ask` may wait for
 * a worker. It stops where `ask` gives false, until `wake` is called.
 */
export class Frames {
  #isGoing = false;
  #isWanted = false;

  constructor(readonly ask: () => Promise<boolean>) {}

  /** Draws soon; once more if it is drawing. */
  wake(): void {
    this.#isWanted = true;
    if (!this.#isGoing) void this.#go();
  }

  async #go(): Promise<void> {
    this.#isGoing = true;
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await new Promise(requestAnimationFrame);
        if (await this.ask().catch(() => false)) this.#isWanted = true;
      }
    } finally {
      this.#isGoing = false;
    }
  }
}
