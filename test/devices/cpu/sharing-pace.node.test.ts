import { expect, test } from "vitest";
import { SharingPace } from "../../../src/devices/cpu/threads/sharing-pace.ts";

/** Runs jobs whose time depends on how they are done; gives how many of them were shared. */
function run(
  pace: SharingPace,
  jobs: number,
  time: (isShared: boolean, job: number) => number,
): number {
  let shared = 0;
  for (let job = 0; job < jobs; job++) {
    const { isShared } = pace;
    shared += Number(isShared);
    pace.note(isShared, time(isShared, job));
  }
  return shared;
}

test("a job goes the faster way, and the slower one is tried so seldom that it costs little", () => {
  const [gain, loss] = [0.6, 1.2].map((shared) => (isShared: boolean) => (isShared ? shared : 1));
  const pace = new SharingPace();
  expect(run(pace, 1000, gain)).toBeGreaterThan(970);
  expect(run(pace, 10_000, gain)).toBeGreaterThan(9800);
  // The cores become busy, and quiet again.
  expect(run(pace, 1000, loss)).toBeLessThan(60);
  expect(run(pace, 10_000, loss)).toBeLessThan(500);
  expect(run(pace, 1000, gain)).toBeGreaterThan(900);
});

test("the first jobs, for which code is still being made, are soon forgotten", () => {
  const time = (isShared: boolean, job: number) => (job < 3 ? 40 : 1) * (isShared ? 0.6 : 1);
  expect(run(new SharingPace(), 200, time)).toBeGreaterThan(170);
});

test("a job that is put aside now and then does not change the way", () => {
  const time = (isShared: boolean, job: number) => (job % 10 === 0 ? 30 : isShared ? 0.6 : 1);
  expect(run(new SharingPace(), 2000, time)).toBeGreaterThan(1900);
});

test("help that often comes too late is done without", () => {
  const time = (isShared: boolean, job: number) => (isShared ? [0.6, 4, 0.6, 8][job % 4] : 1);
  expect(run(new SharingPace(), 2000, time)).toBeLessThan(500);
});
