import { beforeAll, expect, test } from "vitest";
import { tensor } from "../../src/index.ts";
import { verificationAccuracy } from "../../src/metrics/index.ts";
import { testDevice } from "../support/device.ts";
import { generator } from "../support/reference.ts";

beforeAll(() => testDevice());

const flags = (same: readonly boolean[]) => tensor(same, { dtype: "bool" });

test("the best threshold lies halfway between two distances", async () => {
  const distances = tensor([0.5, 3, 1, 2]);
  expect(await verificationAccuracy(distances, flags([true, false, true, false]))).toEqual({
    accuracy: 1,
    threshold: 1.5,
  });
  expect(await verificationAccuracy(distances, flags([true, true, false, false]))).toEqual({
    accuracy: 0.75,
    threshold: 0.75,
  });
});

test("similarities count the other way round", async () => {
  const similarities = tensor([0.5, -1, 0.25, 0]);
  const same = tensor([1, 0, 1, 0], { dtype: "i32" });
  expect(await verificationAccuracy(similarities, same, { kind: "similarity" })).toEqual({
    accuracy: 1,
    threshold: 0.125,
  });
});

test("pairs that are all of one kind have an infinite threshold", async () => {
  const scores = tensor([1, 2]);
  const [yes, no] = [flags([true, true]), flags([false, false])];
  const infinity = Number.POSITIVE_INFINITY;
  const similarity = { kind: "similarity" } as const;
  expect(await verificationAccuracy(scores, yes)).toEqual({ accuracy: 1, threshold: infinity });
  expect(await verificationAccuracy(scores, no)).toEqual({ accuracy: 1, threshold: -infinity });
  expect((await verificationAccuracy(scores, yes, similarity)).threshold).toBe(-infinity);
  expect((await verificationAccuracy(scores, no, similarity)).threshold).toBe(infinity);
});

test("equal scores are never told apart", async () => {
  const { accuracy, threshold } = await verificationAccuracy(
    tensor([1, 1, 1, 5]),
    flags([true, false, true, false]),
  );
  expect([accuracy, threshold]).toEqual([0.75, 3]);
});

test("no threshold among all does better", async () => {
  const next = generator(5);
  const scores = Array.from({ length: 60 }, () => Math.round(next() * 20) / 4);
  const same = scores.map((score) => score + 4 * (next() - 0.5) < 2.5);
  const rightAt = (t: number) => scores.filter((s, i) => s <= t === same[i]).length / 60;
  const { accuracy, threshold } = await verificationAccuracy(tensor(scores), flags(same));
  expect(accuracy).toBe(Math.max(...[-1, ...scores].map(rightAt)));
  expect(rightAt(threshold)).toBe(accuracy);
});

test("what does not fit is rejected", async () => {
  const of = (...args: Parameters<typeof verificationAccuracy>) => verificationAccuracy(...args);
  const same = flags([true, false]);
  await expect(of(tensor([1]), same)).rejects.toThrow(
    "verificationAccuracy: scores [1] with same [2]; expected [n] and [n], n from 1",
  );
  await expect(of(same, same)).rejects.toThrow("scores have dtype bool; expected f32 or f64");
  await expect(of(tensor([1, 2]), tensor([1, 0]))).rejects.toThrow("same has dtype f32");
  await expect(of(tensor([1, Number.NaN]), same)).rejects.toThrow("a score is NaN");
  await expect(of(tensor([1, 2]), same, { kind: "cosine" as never })).rejects.toThrow(
    "kind cosine; expected distance, similarity",
  );
});
