import { beforeAll, describe, expect, test } from "vitest";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  add,
  assignAll,
  compile,
  type Device,
  evaluate,
  gather,
  mul,
  reshape,
  State,
  scatterND,
  sin,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { overwriteSorted } from "../../src/ops/overwrite.ts";
import { testDevice } from "../support/device.ts";
import { type Pick, picker, wave } from "../support/random-choice.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const ROWS = 7;
const COLUMNS = 3;

/** Ids, some of them equal, in order where rows are put by them; then some may be no row's. */
function someIds(pick: Pick, count: number, isSorted: boolean): Tensor {
  const ids = Array.from({ length: count }, () => pick(ROWS));
  if (!isSorted) return tensor(Int32Array.from(ids), { device });
  if (count > 3) [ids[0], ids[1]] = [ROWS + 2, -1];
  return tensor(Int32Array.from(ids.sort((a, b) => a - b)), { device });
}

/** A body that puts rows, made of rows of any state, into several states, and reads these whole. */
function randomBody(seed: number, states: readonly State[]): (all: readonly Tensor[]) => Tensor[] {
  return (indices) => {
    const pick = picker(seed, 2);
    const any = () => states[pick(states.length)];
    const rows = (own: Tensor): Tensor => {
      const other = gather(any(), pick(2) === 0 ? own : indices[2]);
      const a = gather(any(), own);
      const kinds = [sin(add(a, other)), add(mul(a, 0.25), mul(other, 0.5))];
      return pick(4) === 0 ? add(a, sum(mul(any(), 0.1))) : kinds[pick(2)];
    };
    const before = pick(2) === 0 ? [sum(mul(any(), any()))] : [];
    const chosen = states.filter(() => pick(3) > 0);
    const next = chosen.map((state): [State, Tensor] => {
      const own = indices[pick(2)];
      if (pick(5) === 0) return [state, mul(any(), 0.9)];
      return [state, overwriteSorted(state, own, rows(own))];
    });
    assignAll(next, before);
    return [...before, sum(any())];
  };
}

/** What a body gives, and the states after each of some calls. */
async function run(seed: number, isCompiled: boolean): Promise<number[][]> {
  const pick = picker(seed, 1);
  const count = 1 + pick(9);
  const made = [0, 1, 2].map((i) => wave([ROWS, COLUMNS], seed + i, device, "f32"));
  const states = made.map((x, i) => new State(x, { name: `s${i}` }));
  const calls = [0, 1].map(() => [0, 1, 2].map((i) => someIds(pick, count, i < 2)));
  const body = randomBody(seed, states);
  const compiled = compile((a: Tensor, b: Tensor, c: Tensor) => body([a, b, c]));
  const found: number[][] = [];
  for (const [a, b, c] of calls) {
    const results = isCompiled ? await compiled(a, b, c) : body([a, b, c]);
    if (!isCompiled) evaluate(...results);
    for (const x of [...results, ...states]) found.push([...(await x.data())]);
  }
  compiled.dispose();
  for (const state of states) state.dispose();
  return found;
}

test("rows are put in place as they are one by one, whatever else reads the states", async () => {
  for (let seed = 0; seed < 25; seed++) {
    const [own, plain] = [await run(seed, true), await run(seed, false)];
    for (const [i, values] of plain.entries()) {
      for (const [k, x] of values.entries()) {
        const isNear = Math.abs(own[i][k] - x) <= 1e-5 * Math.abs(x) + 1e-5 || Number.isNaN(x);
        if (!isNear) expect.fail(`seed ${seed}, value ${i}, ${k}: ${own[i][k]}, not ${x}`);
      }
    }
  }
});

describe("what is scheduled", () => {
  const table = () => tensor(new Float32Array(40), { shape: [10, 4], device });
  const ids = () => tensor(Int32Array.from([1, 1, 3]), { device });

  function scheduled(pairs: readonly (readonly [Tensor, Tensor])[], wanted: Tensor[] = []) {
    const replacements = pairs.map(([state, value]) => {
      return { original: state.node, value: value.node };
    });
    const nodes = wanted.map(({ node }) => node);
    const { program } = trace(nodes, "test", { replacements });
    const schedule = scheduleOf(simplify(program), 8);
    const sizes = schedule.groups.map((group) => schedule.domain(group).join(" × "));
    return { sizes, scattered: schedule.scattered.size };
  }

  test("takes and puts the same rows in one kernel", () => {
    const [a, i] = [table(), ids()];
    const value = overwriteSorted(a, i, mul(gather(a, i), 2));
    expect(scheduled([[a, value]])).toEqual({ sizes: ["3 × 4"], scattered: 1 });
  });

  test("keeps rows in memory of their own where others are taken", () => {
    const [a, i, j] = [table(), ids(), ids()];
    const value = overwriteSorted(a, i, mul(gather(a, j), 2));
    expect(scheduled([[a, value]])).toEqual({ sizes: ["3 × 4", "3 × 4"], scattered: 1 });
  });

  test("and where two states take each other's", () => {
    const [a, b, i, j] = [table(), table(), ids(), ids()];
    const pairs = [
      [a, overwriteSorted(a, i, mul(gather(b, j), 2))],
      [b, overwriteSorted(b, i, mul(gather(a, j), 3))],
    ] as const;
    const { sizes, scattered } = scheduled(pairs);
    expect(sizes).not.toContain("10 × 4");
    expect([sizes.length, scattered]).toEqual([3, 2]);
  });

  test("reads a state as a whole before some of its rows change", () => {
    const [a, i] = [table(), ids()];
    const value = overwriteSorted(a, i, mul(gather(a, i), 2));
    const { sizes, scattered } = scheduled([[a, value]], [sum(a)]);
    expect(sizes).toEqual(["1", "3 × 4"]);
    expect(scattered).toBe(1);
  });

  test("writes values of less than a word as a whole", () => {
    const a = tensor(new Uint8Array(40), { shape: [10, 4], device });
    const value = overwriteSorted(a, ids(), tensor(new Uint8Array(12), { shape: [3, 4], device }));
    expect(scheduled([[a, value]]).scattered).toBe(0);
  });
});

test("scatterND writes the rows of a state that it names, and no others", async () => {
  const words = new State(tensor(new Float32Array(4000), { shape: [1000, 4], device }));
  const put = compile((ids: Tensor, rows: Tensor) =>
    words.assign(scatterND(words, reshape(ids, [3, 1]), rows)),
  );
  const ids = tensor(Int32Array.from([7, 999, 7]), { device });
  const rows = tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], { device }); // biome-ignore format: rows
  const { bytes } = await (await put.prepare(ids, rows)).stats();
  expect(bytes).toBeLessThan(1000); // the whole has 16,000
  await put(ids, rows);
  const found = await words.data();
  expect([...found.slice(28, 32)]).toEqual([9, 10, 11, 12]);
  expect([...found.slice(3996)]).toEqual([5, 6, 7, 8]);
  expect(found.filter((x) => x !== 0)).toHaveLength(8);
  put.dispose();
});
