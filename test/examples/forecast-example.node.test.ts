import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { HELP, readOptions } from "../../examples/forecast/options.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { Command } from "../support/command.ts";

const command = new Command("forecast");
beforeAll(() => command.build());

/** Runs the command and gives what it told of. */
async function told(args: string): Promise<Record<string, never>[]> {
  const { code, out, err } = await command.run(["--device", "cpu", "--json", ...args.split(" ")]);
  expect([code, err]).toEqual([0, ""]);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("the command's networks err less than the last value and a linear function", async () => {
  const lines = await told(
    "--steps 200 --length 3000 --hidden 16 --batch-size 32 --horizon 8 --window 32 --learning-rate 0.01",
  );
  const of = ["progress", "progress", "trained"];
  const events = ["start", "baselines", ...of, ...of, "done"];
  expect(lines.map(({ event }) => event)).toEqual(events);
  const { errors, steps, device } = lines.at(-1) as unknown as {
    errors: Record<"last" | "linear" | "lstm" | "tcn", number>;
    steps: number[];
    device: string;
  };
  expect([device, steps]).toEqual(["cpu", [200, 200]]);
  expect(errors.linear).toBeLessThan(0.6 * errors.last);
  for (const name of ["lstm", "tcn"] as const) {
    expect(errors[name]).toBeLessThan(0.8 * errors.linear);
    expect(existsSync(join(command.root, `runs/forecast-${name}.safetensors`))).toBe(true);
  }
}, 120_000);

acceptanceTest(
  "by default both networks come near the noise, and lines do not",
  async () => {
    const { errors } = (await told("--noise 0.1")).at(-1) as unknown as {
      errors: Record<"last" | "linear" | "lstm" | "tcn", number>;
    };
    for (const error of [errors.lstm, errors.tcn]) expect(error).toBeLessThan(0.15);
    expect(errors.linear).toBeGreaterThan(0.3);
  },
  600_000,
);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, out, err } = await command.run(["--length", "299"]);
  const says = "--length: 299; expected an integer from 300 to 1000000";
  expect([code, out, err.trim()]).toEqual([2, "", says]);
});
