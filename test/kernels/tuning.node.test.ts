import { describe, expect, test } from "vitest";
import {
  type Allowance,
  type Bench,
  DISPATCH_MS,
  fastestOf,
  ShareOfRuns,
  UNBOUNDED,
} from "../../src/kernels/tuning.ts";

/** A device on which choices take made-up times, in ms a run; noise makes some runs longer, none shorter. */
class Simulated {
  readonly compiled: string[] = [];
  readonly runs: Record<string, number[]> = {};
  open = 0;
  spent = 0;
  #turn = 0;

  constructor(
    readonly ms: Readonly<Record<string, number>>,
    readonly noise: readonly number[] = [1],
    readonly step = 0,
  ) {}

  bench = async (choice: string): Promise<Bench> => {
    const ms = this.ms[choice];
    this.compiled.push(choice);
    if (ms === -1) throw new Error(`${choice} cannot be compiled`);
    this.open++;
    const time = async (runs: number, times: number) => {
      if (ms === -2) throw new Error(`${choice} cannot be run`);
      const found = Array.from({ length: times }, () => {
        const noise = this.noise[this.#turn++ % this.noise.length];
        return this.#seen(ms * runs * noise);
      });
      this.runs[choice] = [...(this.runs[choice] ?? []), ...found.map(() => runs)];
      this.spent += found.reduce((a, b) => a + b, 0);
      return found;
    };
    const close = () => {
      this.open--;
    };
    return { time, close };
  };

  /** What a clock of coarse steps tells. */
  #seen(ms: number): number {
    return this.step > 0 ? this.step * Math.floor(ms / this.step) : ms;
  }

  async best(
    allowance: Allowance = UNBOUNDED,
    failures: string[] = [],
    extra?: (choice: string) => number,
  ): Promise<string> {
    const onFailure = (error: unknown) => failures.push((error as Error).message);
    const best = await fastestOf(Object.keys(this.ms), this.bench, allowance, onFailure, extra);
    expect(this.open).toBe(0);
    return best;
  }
}

describe("the fastest choice", () => {
  test.each<[Record<string, number>, string]>([
    [{ first: 1, b: 1.1, c: 2 }, "first"],
    [{ first: 1, b: 0.96, c: 0.951 }, "first"], // not by 5 %
    [{ first: 1, b: 0.94, c: 0.96 }, "b"],
    [{ first: 1, b: 0.94, c: 0.93 }, "c"], // among rivals the least counts
    [{ first: 1, b: 0.5, c: 0.7 }, "b"],
    [{ first: 1e-4, b: 0.9e-4 }, "b"],
    [{ first: 40, b: 30 }, "b"],
    [{ first: 1, a: 2, b: 2, c: 2, d: 2, e: 0.1 }, "first"], // four rivals, and no more
    [{ first: 1 }, "first"],
  ])("of %o", async (ms, best) => {
    expect(await new Simulated(ms).best()).toBe(best);
  });

  test("is found through noise and by a coarse clock", async () => {
    for (const ms of [0.003, 0.02, 0.4, 7]) {
      const noise = [3, 1, 1.4, 1, 1.3];
      const times = { first: ms, b: 0.9 * ms, c: 0.99 * ms };
      expect(await new Simulated(times, noise, 0.1).best()).toBe("b");
      expect(await new Simulated({ first: ms, c: 0.99 * ms }, noise, 0.1).best()).toBe("first");
    }
  });

  test("is measured by runs of 3 ms, three times", async () => {
    const device = new Simulated({ first: 0.01, b: 0.009, slow: 0.1 });
    await device.best();
    for (const name of ["first", "b"]) {
      const last = device.runs[name].slice(-3);
      expect(new Set(last).size).toBe(1);
      expect(last[0] * device.ms[name]).toBeGreaterThanOrEqual(3);
    }
    expect(device.runs.slow.length).toBe(1); // it takes ten times as long
  });

  test.each<[Record<string, number>, string, string[]]>([
    [{ first: 0.1, apart: 0.091 }, "first", ["first", "apart"]], // 9 % are less than a dispatch
    [{ first: 0.1, apart: 0.08 }, "apart", ["first", "apart"]],
    [{ first: 0.1, apart: 0.08, b: 0.085 }, "b", ["first", "apart", "b"]],
    [{ first: 0.01, apart: 0.001, b: 0.009 }, "b", ["first", "b"]], // nothing could be gained
    [{ first: 2, apart: 1.88 }, "apart", ["first", "apart"]],
    [{ first: 2, apart: 1.92 }, "first", ["first", "apart"]],
  ])("of %o where one may take a dispatch more is %s", async (ms, best, compiled) => {
    const device = new Simulated(ms);
    const extra = (choice: string) => (choice === "apart" ? DISPATCH_MS : 0);
    expect(await device.best(UNBOUNDED, [], extra)).toBe(best);
    expect(device.compiled).toEqual(compiled);
  });

  test("has nothing to be measured against alone", async () => {
    const device = new Simulated({ first: 1 });
    await device.best();
    expect(device.compiled).toEqual([]);
  });

  test("is found among those that work", async () => {
    const failures: string[] = [];
    const device = new Simulated({ first: 1, a: -1, b: -2, c: 0.5 });
    expect(await device.best(UNBOUNDED, failures)).toBe("c");
    expect(failures).toEqual(["a cannot be compiled", "b cannot be run"]);
    const broken = new Simulated({ first: -2, a: 0.5 });
    expect(await broken.best(UNBOUNDED, failures)).toBe("first");
    expect(broken.compiled).toEqual(["first"]);
  });
});

describe("between runs", () => {
  /** Runs plans of 10 ms until a choice is found, or too long; tells how long that took. */
  async function run(device: Simulated, most: number, between = 10) {
    let now = 0;
    const share = new ShareOfRuns(() => now);
    let best: string | null = null;
    const done = device.best(share).then((found) => {
      best = found;
    });
    let worst = 0;
    for (; best === null && now < most; now += between) {
      share.ran();
      for (let i = 0; i < 10; i++) await Promise.resolve();
      worst = Math.max(worst, device.spent / Math.max(now, 1));
    }
    if (best !== null) await done;
    return { best: best as string | null, now, worst };
  }

  test("no more than a hundredth of the time is spent", async () => {
    const device = new Simulated({ first: 0.05, b: 0.04, c: 0.06 });
    const { best, now, worst } = await run(device, 60_000);
    expect(best).toBe("b");
    // A first probe is of a run whose time nobody knows yet, and the last ones may overrun by a fifth.
    expect(worst).toBeLessThan(0.0125);
    expect(now).toBeGreaterThan(100 * device.spent * 0.8);
    expect(now).toBeLessThan(100 * device.spent * 2);
  });

  test("a slow kernel waits long enough", async () => {
    const device = new Simulated({ first: 20, b: 12 });
    const { best, worst, now } = await run(device, 60_000);
    expect(best).toBe("b");
    expect(now).toBeGreaterThan(9000);
    expect(worst).toBeLessThan(0.07); // the first probe, which is alone
  });

  test("runs that take longer than a quarter of a second are counted as that", async () => {
    const device = new Simulated({ first: 0.05, b: 0.04 });
    const { best, worst } = await run(device, 600_000, 300);
    expect(best).toBe("b");
    expect(worst).toBeLessThan(0.0125);
  });

  test("of a pause a quarter of a second counts", async () => {
    const device = new Simulated({ first: 0.05, b: 0.04 });
    const hour = 3_600_000;
    expect((await run(device, 4 * hour, hour)).best).toBeNull();
    expect(device.spent).toBeLessThan(10);
  });
});
