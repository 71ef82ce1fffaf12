import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Rerun } from "../../src/engine/journal-entry.ts";
import { PaceWatch } from "../../src/engine/pace-watch.ts";
import { type Program, trace } from "../../src/engine/program.ts";
import { isTooMuch, trialCost, tryRuns } from "../../src/engine/trial.ts";
import type { DeviceNews } from "../../src/graph/device.ts";
import {
  add,
  type Device,
  evaluate,
  matmul,
  State,
  setDefaultDevice,
  type Tensor,
  zeros,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { TwoSessions } from "../support/two-sessions.ts";

let before: Device;
beforeAll(async () => {
  before = await testDevice();
});
afterAll(() => setDefaultDevice(before));

/** A run of a program that changes some states. */
function runOf(program: Program, assigned: readonly State[], sources: Rerun["sources"] = []) {
  return { plan: { program, options: {} }, assigned, sources } as unknown as Rerun;
}

/** A device whose runs in the other session take so many milliseconds, and compute nothing. */
function begin(other: number) {
  const device = new TwoSessions(1, other);
  setDefaultDevice(device);
  const news: string[] = [];
  device.listeners.add((one: DeviceNews) => void news.push((one as { reason: string }).reason));
  const { chooser } = device.journal;
  const { program } = trace([add(zeros([1]), 1).node], "test");
  /** Makes so many runs, each of some milliseconds, and gives how many waited for a decision. */
  const runs = async (run: Rerun, count: number, cost: number, gap = 0) => {
    let waited = 0;
    for (let i = 0; i < count; i++) {
      device.clock.now += gap;
      chooser?.begin(run, []);
      device.clock.now += cost;
      const wait = chooser?.rest();
      if (wait) waited++;
      await wait;
    }
    return waited;
  };
  return { device, news, runs, program, tried: () => device.other.plans };
}

const stateOf = () => new State(zeros([1]));

describe("a watch of runs", () => {
  const [w, u, v] = ["w", "u", "v"].map((name) => ({ name }) as unknown as State);
  const run = (...assigned: State[]) => ({ assigned }) as unknown as Rerun;

  test("takes runs that change a state in common for one kind, the others for others", () => {
    const watch = new PaceWatch(0);
    const [first, second, third] = [run(w, u), run(u, v), run()];
    expect(watch.kindOf(first)).toBe(watch.kindOf(second));
    expect(watch.kindOf(run(v))).toBe(watch.kindOf(first));
    expect(watch.kindOf(third)).not.toBe(watch.kindOf(first));
    expect(watch.kindOf(third)).toBe(watch.kindOf(third));
    expect(watch.states).toEqual([w, u, v]);
  });

  test.each([
    [200, { between: 200, pauses: 0 }],
    [201, { between: 0, pauses: 201 }],
    [-3, { between: 0, pauses: 0 }], // a clock that was set back
  ])("of %d ms between two runs counts %j", (gap, counts) => {
    const watch = new PaceWatch(10);
    watch.begin(run(w), 10 + gap);
    expect({ between: watch.between, pauses: watch.pauses }).toEqual(counts);
    expect(watch.runs).toBe(1);
  });

  test("gives milliseconds a run without pauses", () => {
    const watch = new PaceWatch(100, 7);
    expect([watch.past, watch.rested]).toEqual([7, 100]);
    watch.begin(run(w), 100);
    watch.rest(104);
    watch.begin(run(w), 404);
    watch.rest(410, 2);
    expect(watch.rested).toBe(410);
    expect(watch.paceAt(410)).toBe((310 - 302) / 2);
  });

  test("forecasts what all runs would take; one in twenty may be of others", () => {
    const watch = new PaceWatch(0);
    const [one, rare] = [run(w), run(v)];
    for (let i = 0; i < 19; i++) watch.begin(one, 0);
    expect(watch.forecast).toBeNull();
    watch.kindOf(one).milliseconds = 3;
    expect(watch.forecast).toBe(3);
    watch.begin(rare, 1);
    expect(watch.forecast).toBe((19 * 3 + 1) / 20);
    watch.begin(rare, 1);
    expect(watch.forecast).toBeNull();
    watch.kindOf(rare).milliseconds = 10;
    expect(watch.forecast).toBe((19 * 3 + 2 * 10 + 2) / 21);
  });
});

describe("a chooser", () => {
  test("tries after eight runs and a quarter of a second, when a fiftieth of the time is enough", async () => {
    const { runs, program, tried } = begin(0.01);
    const run = runOf(program, [stateOf()]);
    const cost = trialCost(run);
    expect(await runs(run, 7, 100)).toBe(0); // the seventh run is one too few
    expect(await runs(run, 1, 50 * cost - 700.1)).toBe(0);
    expect(await runs(run, 1, 0.1)).toBe(1);
    expect(tried()).toBe(1);
    const short = begin(0.01);
    const quick = runOf(short.program, [stateOf()]);
    expect(await short.runs(quick, 8, 0, 201)).toBe(0); // pauses are no time
    expect(await short.runs(quick, 249, 1)).toBe(0);
    expect(await short.runs(quick, 1, 1)).toBe(0); // the session is opened first
    expect(await short.runs(quick, 1, 0)).toBe(1);
  });

  test("does not watch runs that change nothing", async () => {
    const { runs, program, device } = begin(0.01);
    expect(await runs(runOf(program, []), 100, 10)).toBe(0);
    expect(device.opened).toBe(0);
    expect(device.journal.chooser?.rest()).toBeNull();
  });

  test.each([
    [0.75, false],
    [0.7578125, true],
  ])("goes where %d ms a run are more than 1.2 times 0.625 ms: %s", async (cost, goes) => {
    const { runs, program, device } = begin(0.625);
    const run = runOf(program, [stateOf()]);
    await runs(run, 1000, cost);
    expect(device.session === device.other).toBe(goes);
  });

  test("tries three times where the code may still get faster, later each time", async () => {
    const { runs, program, tried, device, news } = begin(1);
    const run = runOf(program, [stateOf()]);
    const at: number[] = [];
    for (let i = 0; i < 60_000 && news.length === 0; i++) {
      if ((await runs(run, 1, 1)) > 0) at.push(device.clock.now);
    }
    expect([tried(), at.length]).toEqual([3, 3]);
    expect(at[1] - at[0]).toBeGreaterThanOrEqual(1000);
    expect(at[2] - at[1]).toBeGreaterThanOrEqual(4000);
    expect(news).toEqual([expect.stringMatching(/takes 1 ms a step, .* 1 ms$/)]);
    expect(await runs(run, 500, 100)).toBe(0); // it is settled
  });

  test.each([
    [3.5, 3],
    [4.5, 2], // the first time, there was time for one run only
  ])("gives up where a quarter of %d ms a run were not fast enough: %d", async (other, times) => {
    const { runs, program, tried, news } = begin(other);
    await runs(runOf(program, [stateOf()]), 8000, 1);
    expect([tried(), news.length]).toEqual([times, 1]);
  });

  test("looks again after as long as it took to decide, and goes back where it is slower", async () => {
    const { runs, program, device, news } = begin(0.1);
    const run = runOf(program, [stateOf()]);
    while (device.session === device.home) await runs(run, 1, 1);
    const took = device.clock.now;
    await runs(run, Math.floor(took / 1.01) - 1, 1.01);
    expect(news.length).toBe(1);
    await runs(run, 200, 1.01);
    expect(device.session).toBe(device.home);
    expect(news[1]).toMatch(/took 1(\.\d+)? ms a step, .* then 1\.01 ms$/);
  });

  test("stays where the speed is what it was before, and forgets to watch", async () => {
    const { runs, program, device, news } = begin(0.1);
    const run = runOf(program, [stateOf()]);
    while (device.session === device.home) await runs(run, 1, 1);
    const trim = vi.spyOn(device.home, "trim");
    await runs(run, 1000, 0.9);
    expect(device.session).toBe(device.other);
    expect([news.length, trim.mock.calls.length]).toEqual([1, 1]);
  });

  test("takes states that were settled together with new ones for new", async () => {
    const { runs, program, device, news } = begin(0.1);
    const [known, fresh] = [stateOf(), stateOf()];
    const run = runOf(program, [known]);
    while (device.session === device.home) await runs(run, 1, 1);
    await runs(run, 1000, 0.1);
    expect(news.length).toBe(1);
    expect(await runs(runOf(program, [known]), 1, 0.1)).toBe(0); // the same states again
    await runs(runOf(program, [known, fresh]), 1, 0.1);
    expect(device.session).toBe(device.home);
    expect(news[1]).toMatch(/is to be measured with what else is trained now$/);
  });
});

describe("a trial", () => {
  test("costs its start, its operations and its bytes", () => {
    const w = stateOf();
    const nothing = { plan: { program: undefined } } as unknown as Rerun;
    expect([trialCost(nothing), isTooMuch(nothing, 0)]).toEqual([Number.POSITIVE_INFINITY, false]);
    const traced = (y: Tensor, ...sources: Tensor[]) => {
      evaluate(...sources);
      return runOf(trace([y.node], "test").program, [w]);
    };
    const [a, b] = [add(zeros([100, 200]), 1), add(zeros([200, 50]), 1)];
    const run = traced(matmul(a, b), a, b);
    const flops = 2 * 100 * 200 * 50;
    expect(trialCost(run)).toBeCloseTo(10 + flops / 2e6 + (4 * (20_000 + 10_000)) / 1e6, 9);
    expect(isTooMuch(run, flops / 5e8)).toBe(false);
    expect(isTooMuch(run, flops / 5e8 - 1e-6)).toBe(true);
  });

  test.each([
    [0, 1, true], // runs, milliseconds that may be spent
    [0.25, 1, true],
    [0.75, 3, false],
    [1.75, 7, false],
    [1e9, 2047, false],
  ])("of %d ms doubles its runs while there is time: %d", async (budget, count, isCold) => {
    const { device, program } = begin(0.25);
    const told = vi.fn();
    const options = { now: () => device.clock.now, budget: () => budget, onIdle: told };
    const given = { replay: runOf(program, [stateOf()]), nodes: [] };
    const result = await tryRuns(device, device.other, given, options);
    expect(result).toEqual({ milliseconds: 0.25, isCold });
    expect([device.other.runs, told.mock.calls.length]).toEqual([count, 1]);
    expect(device.other.disposed).toBe(1);
    expect(device.other.usage().buffers).toBe(0);
  });
});
