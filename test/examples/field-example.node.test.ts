import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { beforeAll, expect, test } from "vitest";
import { HELP, readOptions } from "../../examples/field/options.ts";
import { drawPicture, pixelsOf } from "../../examples/field/picture.ts";
import { psnrOf } from "../../examples/field/training.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";

const command = new Command("field");
beforeAll(() => command.build());

test("the command reaches 30 dB and writes the picture beside the field's", async () => {
  const { code, out, err } = await command.run(["--device", "cpu", "--json"]);
  expect([code, err]).toEqual([0, ""]);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const events = ["start", ...Array(8).fill("progress"), "done"];
  expect(lines.map(({ event }) => event)).toEqual(events);
  const done = lines.at(-1);
  expect(done).toMatchObject({ device: "cpu", steps: 800, picture: "runs/field.png" });
  expect(done.psnr).toBeGreaterThanOrEqual(30);
  expect(done.psnr).toBe(lines.at(-2).psnr);
  expect(done.finePsnr).toBeGreaterThanOrEqual(29);

  const { width, height, data } = decode(readFileSync(join(command.root, done.picture)));
  expect([width, height]).toEqual([256, 128]);
  await testDevice();
  const { colours } = pixelsOf(await drawPicture(0), 128);
  const half = (side: number) =>
    Float64Array.from({ length: colours.length }, (_, i) => {
      const [row, at] = [Math.floor(i / 384), i % 384];
      return data[row * 768 + side * 384 + at] / 255;
    });
  expect(psnrOf(half(0), colours)).toBeGreaterThan(50); // rounded to bytes
  expect(psnrOf(half(1), colours)).toBeCloseTo(done.psnr, 1);
}, 120_000);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, out, err } = await command.run(["--size", "8", "--batch-size", "65"]);
  const says = "--batch-size: 65; expected an integer from 1 to 64";
  expect([code, out, err.trim()]).toEqual([2, "", says]);
});
