import { beforeAll, expect, test } from "vitest";
import { learnByDQN } from "../../examples/cartpole/dqn.ts";
import { HELP, readOptions } from "../../examples/cartpole/options.ts";
import { meanOf, playGreedily } from "../../examples/cartpole/play.ts";
import { learnByReinforce } from "../../examples/cartpole/reinforce.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";

const command = new Command("cartpole");
beforeAll(() => command.build());

async function lines(...args: string[]) {
  const { code, out, err } = await command.run(["--device", "cpu", "--json", ...args]);
  expect([code, err]).toEqual([0, ""]);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("a policy by its gradient balances the pole for 195 of 200 pushes", async () => {
  const all = await lines("--limit", "200");
  const [first, last] = [all[1], all.at(-2)];
  expect(first).toMatchObject({ event: "progress", step: 1, episodes: 16 });
  expect(first.meanReturn).toBeLessThan(60);
  expect(last.meanReturn).toBeGreaterThanOrEqual(195);
  expect(last.step).toBeLessThan(200);
  const done = all.at(-1);
  expect(done).toMatchObject({ event: "done", device: "cpu", episodes: 100 });
  expect(done.meanReturn).toBeGreaterThanOrEqual(195);
}, 240_000);

test("so does deep Q-learning, and the same seed gives the same run", async () => {
  const run = () => lines("--method", "dqn", "--seed", "3", "--steps", "2000");
  const [one, again] = [await run(), await run()];
  const done = one.pop();
  expect(done.meanReturn).toBeGreaterThanOrEqual(195);
  const { seconds: _, ...others } = done;
  expect(again.pop()).toMatchObject(others);
  expect(again).toEqual(one);
}, 240_000);

acceptanceTest.each([0, 1, 2, 3])(
  "both methods balance the pole for 475 of 500 pushes with seed %i",
  async (seed) => {
    await testDevice();
    const options = { limit: 500, seed };
    for (const model of [
      await learnByReinforce({ ...options, steps: 200 }),
      await learnByDQN({ ...options, steps: 50_000 }),
    ]) {
      const final = { episodes: 100, limit: 500, seed: 2 ** 50 + seed };
      expect(meanOf(await playGreedily(model, final))).toBeGreaterThanOrEqual(475);
    }
  },
  900_000,
);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) expect(HELP).toContain(`--${name} `);
  const { code, out, err } = await command.run(["--method", "sarsa"]);
  expect([code, out, err.trim()]).toEqual([2, "", "--method: sarsa; expected reinforce or dqn"]);
});
