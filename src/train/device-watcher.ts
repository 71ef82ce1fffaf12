import type { Device, DeviceNews } from "../graph/device.ts";

/** Notes what becomes of a device while a run goes on. */
export class DeviceWatcher {
  /** What has not been told yet. */
  readonly news: DeviceNews[] = [];
  #wake = () => {};
  readonly #note = (one: DeviceNews) => {
    this.news.push(one);
    this.#wake();
  };

  constructor(readonly device: Device) {
    device.listeners.add(this.#note);
  }

  /** Waits for work to settle; gives false where there is news before, which may be told first. */
  async settles(work: unknown): Promise<boolean> {
    const { device } = this;
    if (!device.journal) {
      try {
        await work;
      } catch {} // thrown again by who waits for the work itself
      return this.news.length === 0;
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      Promise.resolve(work).then(
        () => resolve(),
        () => resolve(),
      );
    });
    if (this.news.length === 0 && device.recovering) await device.recovering;
    return this.news.length === 0;
  }

  close(): void {
    this.device.listeners.delete(this.#note);
  }
}
