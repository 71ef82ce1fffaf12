import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { readSafetensors } from "../../src/io/safetensors.ts";
import { Command } from "../support/command.ts";

const command = new Command("mnist");
beforeAll(() => command.build());

test("--json prints one object a line and the weights are written", async () => {
  const { code, out } = await command.run(
    "--device cpu --epochs 1 --batch-size 1000 --hidden 8 --seed 3 --json".split(" "),
  );
  expect(code).toBe(0);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(Object.keys(lines[0])).toEqual([
    "event",
    "epoch",
    "step",
    "loss",
    "trainAccuracy",
    "testAccuracy",
    "stepsPerSecond",
  ]);
  expect(lines[0]).toMatchObject({ event: "epoch", epoch: 1, step: 60 });
  expect(Object.keys(lines[1])).toEqual([
    "event",
    "device",
    "steps",
    "seconds",
    "testAccuracy",
    "weights",
  ]);
  expect(lines[1]).toMatchObject({ event: "done", device: "cpu", steps: 60 });
  const { tensors } = readSafetensors(readFileSync(join(command.root, lines[1].weights)));
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
    ["hidden.bias", [8]],
    ["hidden.weight", [784, 8]],
    ["output.bias", [10]],
    ["output.weight", [8, 10]],
  ]);
}, 120_000);

test("a run that is resumed gives the weights of one that was not interrupted", async () => {
  const common = "--device cpu --batch-size 2000 --hidden 4 --json".split(" ");
  const weights = async (...args: string[]) => {
    const { code, out } = await command.run([...common, ...args]);
    expect(code).toBe(0);
    const { weights: file } = JSON.parse(out.trim().split("\n").at(-1) ?? "");
    return { lines: out.trim().split("\n").length, bytes: readFileSync(join(command.root, file)) };
  };
  const resumed = ["--checkpoint", "runs/half.checkpoint", "--resume"];
  const straight = await weights("--epochs", "2");
  await weights("--epochs", "1", ...resumed);
  const second = await weights("--epochs", "2", ...resumed);
  expect(second.lines).toBe(2); // the second epoch and the end
  expect(second.bytes.equals(straight.bytes)).toBe(true);
}, 120_000);

test("wrong arguments are refused in one line with exit code 2", async () => {
  const { code, out, err } = await command.run(["--epochs", "-1"]);
  const says = "--epochs: -1; expected an integer from 1 to 100000\n";
  expect({ code, out, err }).toEqual({ code: 2, out: "", err: says });
});

test("--help lists every option", async () => {
  const { code, out } = await command.run(["--help"]);
  expect(code).toBe(0);
  for (const name of [
    "epochs",
    "batch-size",
    "learning-rate",
    "hidden",
    "seed",
    "device",
    "checkpoint",
    "resume",
    "json",
  ]) {
    expect(out).toContain(`--${name}`);
  }
});
