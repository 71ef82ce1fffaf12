import { expect, test } from "vitest";
import {
  DeviceError,
  type GradusError,
  KernelError,
  MemoryError,
} from "../../../src/core/errors.ts";
import { type Check, firstOf, Guard } from "../../../src/devices/webgpu/guard.ts";
import { Log } from "../../../src/devices/webgpu/log.ts";
import { hasRun, MARKS } from "../../../src/devices/webgpu/marks.ts";
import type { Storage } from "../../../src/graph/device.ts";

const storage = (): Storage => ({ bytes: 4, failure: null });
const good: Check = Promise.resolve(null);

/** A check whose end is told by hand. */
function pending() {
  let end = (_: GradusError | null) => {};
  const check: Check = new Promise((resolve) => {
    end = resolve;
  });
  return { check, end };
}

/** Adds an entry that reads and writes storages, with marks from 1. */
function add(
  log: Log,
  reads: Storage[],
  writes: Storage[],
  check = good,
  mark: number | null = null,
) {
  const entry = log.open("mine", [{ reads, writes }], [check]);
  entry.mark = mark;
  log.close(entry);
  return entry;
}

const failures = (...all: Storage[]) => all.map(({ failure }) => failure?.message ?? null);

test("what failed spoils what it writes and what is made of that, and nothing else", async () => {
  const log = new Log();
  const [a, b, c, d] = [storage(), storage(), storage(), storage()];
  const { check, end } = pending();
  add(log, [], [a], check);
  add(log, [a], [b]);
  add(log, [d], [c]);
  const last = add(log, [b, c], [c]);
  end(new DeviceError("first"));
  await log.settle(last, 100);
  expect(failures(a, b, c, d)).toEqual(["first", "first", "first", null]);
});

test("what is overwritten as a whole afterwards is good, unless that fails too", async () => {
  for (const [second, want] of [
    [good, null],
    [Promise.resolve(new DeviceError("second")), "second"],
  ] as const) {
    const log = new Log();
    const [a, b] = [storage(), storage()];
    const first = pending();
    add(log, [], [a, b], first.check);
    const last = add(log, [], [a], second);
    await Promise.resolve();
    first.end(new DeviceError("first"));
    await log.settle(last, 100);
    expect(failures(a, b)).toEqual([want, "first"]);
  }
});

test("the error is that of the first failure, in whichever order they are known", async () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [0, 2, 1],
    [1, 0, 2],
  ]) {
    const log = new Log();
    const values = [storage(), storage(), storage()];
    const checks = values.map(() => pending());
    values.forEach((value, i) => {
      add(log, i > 0 ? [values[i - 1]] : [], [value], checks[i].check);
    });
    const last = add(log, [], []);
    for (const i of order) {
      checks[i].end(new DeviceError(`failure ${i}`));
      await new Promise((resolve) => setTimeout(resolve));
    }
    await log.settle(last, 100);
    expect(failures(...values)).toEqual(["failure 0", "failure 0", "failure 0"]);
  }
});

test("plans that ran in what failed are made anew, those behind it are not", async () => {
  const log = new Log();
  const disposed: string[] = [];
  const plan = (name: string) => ({ dispose: () => void disposed.push(name) });
  const [a, b] = [storage(), storage()];
  const works = [{ reads: [], writes: [a], plan: plan("a") }];
  log.close(log.open("mine", works, [Promise.resolve(new DeviceError("no"))]));
  const later = log.open("mine", [{ reads: [a], writes: [b], plan: plan("b") }], [good]);
  log.close(later);
  await log.settle(later, 100);
  expect(disposed).toEqual(["a"]);
  expect(failures(a, b)).toEqual(["no", "no"]);
});

test("no answer in time is a failure, and a late one changes nothing", async () => {
  const log = new Log();
  const [a, b] = [storage(), storage()];
  const { check, end } = pending();
  add(log, [], [a], check);
  await log.settle(add(log, [], [b]), 10);
  const message =
    "mine: webgpu did not say within 0.01 s whether commands are valid; expected an answer";
  expect(failures(a, b)).toEqual([message, null]);
  end(new DeviceError("late"));
  await new Promise((resolve) => setTimeout(resolve));
  expect(failures(a, b)).toEqual([message, null]);
});

test("submits without a mark are failures, from the last that is known to have run", async () => {
  const log = new Log();
  const values = [storage(), storage(), storage()];
  const entries = values.map((value, i) => add(log, [], [value], good, i + 1));
  await log.settle(entries[2], 100);
  log.verify(entries[0], () => true);
  expect(log.ran).toBe(1);
  log.verify(entries[2], (mark) => mark === 3);
  const message = "mine: the device has left out commands without an error; expected all";
  expect(failures(...values)).toEqual([null, message, null]);
  // Who was left out himself has copied no marks.
  const more = [storage(), storage()];
  const [, last] = more.map((value, i) => add(log, [], [value], good, i + 4));
  await log.settle(last, 100);
  log.verify(last, () => false);
  expect(failures(...more)).toEqual([null, message]);
});

test("marks tell rounds of the ring apart", () => {
  const ring = new Uint32Array(MARKS);
  const tag = (mark: number) => (mark % (4 * MARKS)) + 1;
  for (let mark = 1; mark <= 5 * MARKS; mark++) {
    if (mark % 7 === 0) continue;
    ring[mark % MARKS] = tag(mark);
    expect(hasRun(ring, mark, mark)).toBe(true);
  }
  const last = 5 * MARKS;
  const left: number[] = [];
  for (let mark = last - MARKS + 1; mark <= last; mark++)
    if (!hasRun(ring, mark, last)) left.push(mark);
  expect(left.every((mark) => mark % 7 === 0)).toBe(true);
  expect(left.length).toBe(Math.floor(last / 7) - Math.floor((last - MARKS) / 7));
  expect(hasRun(ring, last - MARKS, last)).toBe(true); // no longer known
});

test("of several failures the one that says most is told", async () => {
  const [device, memory, kernel] = [
    new DeviceError("device"),
    new MemoryError("memory"),
    new KernelError("kernel"),
  ].map((failure) => Promise.resolve(failure));
  expect(await firstOf([good, device, memory, kernel])).toBe(await kernel);
  expect(await firstOf([device, memory, good])).toBe(await memory);
  expect(await firstOf([good, device])).toBe(await device);
  expect(await firstOf([good, good])).toBe(null);
  expect(await firstOf([])).toBe(null);
});

test("checks that were taken are the taker's own, also where there were none", () => {
  const guard = new Guard({} as never);
  for (const made of [[], [good]]) {
    for (const check of made) guard.add(check);
    const taken = guard.take();
    expect(taken).toEqual(made);
    taken.push(good); // the check of the submit that uses what was made
    expect(guard.isPending).toBe(false);
    guard.add(good);
    guard.begin("next");
    expect([taken.length, guard.take().length]).toEqual([made.length + 1, 0]);
  }
});
