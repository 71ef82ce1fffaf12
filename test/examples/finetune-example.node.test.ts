import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { loadTorchNetwork } from "../../examples/finetune/network.ts";
import { HELP, readOptions } from "../../examples/finetune/options.ts";
import golden from "../../examples/finetune/torch-logits.json" with { type: "json" };
import { accuracyOf } from "../../examples/finetune/training.ts";
import { addLora, loadState, loraState } from "../../src/nn/index.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";
import { loadMnist } from "../support/mnist.ts";

const command = new Command("finetune");
beforeAll(() => command.build());

test("the command adapts PyTorch's network to inverted digits and keeps it for plain ones", async () => {
  const { code, out, err } = await command.run(["--device", "cpu", "--json", "--steps", "200"]);
  expect([code, err]).toEqual([0, ""]);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const events = ["start", "before", "progress", "progress", "done"];
  expect(lines.map(({ event }) => event)).toEqual(events);
  const [, before] = lines;
  const done = lines.at(-1);
  expect(before.plain).toBeCloseTo(golden.accuracy, 4);
  expect(before.shifted).toBeLessThan(0.4);
  expect(done.steps).toBe(200);
  expect(done.shifted).toBeGreaterThan(0.9);
  expect(Math.abs(done.merged - done.shifted)).toBeLessThan(0.001);
  expect(Math.abs(done.plain - before.plain)).toBeLessThan(0.0005);
  expect(done.bytes).toBeLessThan(20_000);

  // The file holds the adapters alone, and makes of the network what the run made of it.
  const device = await testDevice();
  const { testData } = await loadMnist(device);
  using model = addLora(await loadTorchNetwork(), { rank: 4 });
  loadState(loraState(model), readFileSync(join(command.root, done.adapters)));
  expect(await accuracyOf(model, testData, "inverted")).toBeCloseTo(done.shifted, 3);
}, 120_000);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, out, err } = await command.run(["--shift", "mirrored"]);
  const says = "--shift: mirrored; expected inverted or rotated";
  expect([code, out, err.trim()]).toEqual([2, "", says]);
});
