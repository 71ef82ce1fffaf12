import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DeviceError, GradusError, KernelError, MemoryError } from "../../../src/core/errors.ts";
import type { GpuPlan } from "../../../src/devices/webgpu/plan.ts";
import { ReplaceablePlan } from "../../../src/devices/webgpu/replaceable-plan.ts";
import { Retries } from "../../../src/devices/webgpu/retries.ts";
import type { GpuSession } from "../../../src/devices/webgpu/session.ts";

describe("tries", () => {
  /** Tries whenever that is due, each time in vain, for an hour; gives when each try began. */
  function tries(error: unknown, ms: number) {
    let now = 0;
    const retries = new Retries(() => now);
    const begun: number[] = [];
    for (let isOver = false; !isOver && now < 36_000_000; now += 10) {
      if (!retries.isDue) continue;
      const start = now;
      begun.push(start);
      now += ms;
      isOver = !retries.failed(error, start);
    }
    return begun;
  }

  test.each([20, 1000, 20_000])("that take %i ms take a twentieth of the time", (ms) => {
    const begun = tries(new DeviceError("x: no answer"), ms);
    expect(begun.length).toBe(6);
    const pauses = begun.slice(1).map((time, i) => time - begun[i] - ms);
    pauses.forEach((pause, i) => {
      const least = Math.max(1000, 20 * ms) * 2 ** i;
      expect(pause).toBeGreaterThanOrEqual(least);
      expect(pause).toBeLessThan(least + 30);
    });
    begun.slice(1).forEach((time, i) => {
      expect(((i + 1) * ms) / time).toBeLessThan(0.05);
    });
  });

  test("are made for what may pass only", () => {
    for (const error of [
      new DeviceError("x"),
      new MemoryError("x"),
      new GradusError("gradus: no network; expected all of its scripts"),
    ]) {
      expect(tries(error, 10).length).toBe(6);
    }
    for (const error of [new KernelError("x"), new TypeError("x"), "x"]) {
      expect(tries(error, 10)).toEqual([0]);
    }
  });
});

describe("a plan whose place another takes", () => {
  let now = 0;
  beforeEach(() => {
    now = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** A plan that another is to take the place of, and what becomes of both. */
  class Simulated extends ReplaceablePlan {
    readonly told: string[];
    readonly lost: { loss: DeviceError | null };
    /** Settles the compilation under way. */
    answer: (failure?: unknown) => void = () => {};

    constructor() {
      const told: string[] = [];
      const lost: { loss: DeviceError | null } = { loss: null };
      const queue = { onSubmittedWorkDone: async () => {} };
      const session = { device: { queue }, lossOf: () => lost.loss };
      super(
        session as unknown as GpuSession,
        planOf("first", told, async () => {}),
      );
      this.told = told;
      this.lost = lost;
    }

    override run(): [] {
      super.run([]);
      this.improve();
      return [];
    }

    improve(): Promise<void> {
      const prepare = () =>
        new Promise<void>((resolve, reject) => {
          this.answer = (failure) => (failure ? reject(failure) : resolve());
        });
      const make = () => planOf("better", this.told, prepare);
      const onReplaced = () => this.told.push("replaced");
      return this.replace(make, onReplaced, (error) => this.told.push(`refused ${error}`));
    }

    anew(): void {
      this.allowReplacing();
    }

    /** Runs, lets what was begun be settled, and tells what happened. */
    async step(failure?: unknown, ms = 0): Promise<string[]> {
      this.run();
      await settled();
      now += ms;
      this.answer(failure);
      this.answer = () => {};
      await settled();
      return this.told.splice(0);
    }
  }

  function planOf(name: string, told: string[], prepare: () => Promise<void>): GpuPlan {
    told.push(`made ${name}`);
    const note = (what: string) => () => {
      told.push(`${what} ${name}`);
      return [];
    };
    return { run: note("ran"), dispose: note("disposed"), prepare } as unknown as GpuPlan;
  }

  const settled = () => new Promise((resolve) => setTimeout(resolve));
  const busy = new DeviceError("compile: no answer");

  test("is tried again when a pause is over, and runs meanwhile", async () => {
    const plan = new Simulated();
    const inVain = ["ran first", "made better", "disposed better"];
    expect(await plan.step(busy, 200)).toEqual(["made first", ...inVain]);
    now += 3000; // a twentieth of the time is 4 s
    expect(await plan.step()).toEqual(["ran first"]);
    now += 1000;
    expect(await plan.step(busy, 200)).toEqual(inVain);
    now += 7000;
    expect(await plan.step()).toEqual(["ran first"]);
    now += 1000;
    const gained = ["ran first", "made better", "replaced", "disposed first"];
    expect(await plan.step()).toEqual(gained);
    plan.run();
    expect(plan.told).toEqual(["ran better"]);
    await settled();
    now += 1e9;
    expect(await plan.step()).toEqual(["ran better", "ran better"]);
  });

  test("is given up where the compiler refuses it, or after six tries, and that is told once", async () => {
    const refused = new Simulated();
    refused.told.length = 0;
    const error = new KernelError("no WGSL");
    const told = await refused.step(error);
    expect(told).toEqual(["ran first", "made better", "disposed better", `refused ${error}`]);
    now += 1e9;
    expect(await refused.step()).toEqual(["ran first"]);

    const unlucky = new Simulated();
    const all: string[] = [];
    for (let i = 0; i < 20; i++, now += 1e7) all.push(...(await unlucky.step(busy)));
    expect(all.filter((text) => text === "made better").length).toBe(6);
    expect(all.filter((text) => text === "disposed better").length).toBe(6);
    expect(all.filter((text) => text === "ran first").length).toBe(20);
    expect(all.filter((text) => /refused/.test(text))).toEqual([`refused ${busy}`]);
    unlucky.anew(); // there is something else to be tried
    expect(await unlucky.step()).toContain("replaced");
  });

  test("may be disposed, in a pause and in a later try", async () => {
    const idle = new Simulated();
    await idle.step(busy);
    idle.dispose();
    now += 1e7;
    await idle.improve();
    expect(idle.told).toEqual(["disposed first"]);

    const trying = new Simulated();
    await trying.step(busy);
    now += 1e7;
    trying.run();
    await settled();
    trying.dispose();
    trying.answer();
    await settled();
    expect(trying.told).toEqual(["ran first", "made better", "disposed first", "disposed better"]);
  });

  test("says nothing of a later try that the loss of the device ends", async () => {
    const plan = new Simulated();
    for (let i = 0; i < 5; i++, now += 1e7) await plan.step(busy);
    plan.run();
    await settled();
    plan.told.length = 0;
    plan.lost.loss = new DeviceError("compile: lost");
    plan.answer(plan.lost.loss);
    await settled();
    now += 1e9;
    plan.run();
    await settled();
    expect(plan.told).toEqual(["disposed better", "ran first"]);
  });
});
