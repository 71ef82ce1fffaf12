import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { beforeAll, expect, test } from "vitest";
import { drawHead, headKey } from "../../examples/folders/draw.ts";
import { HELP, readOptions } from "../../examples/folders/options.ts";
import { keyFromSeed } from "../../src/index.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";

const command = new Command("folders");
beforeAll(async () => {
  await command.build();
  await testDevice();
});

const linesOf = (out: string) =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const FEW = ["--count", "40", "--size", "16", "--batch-size", "16", "--device", "cpu", "--json"];

test("the command draws pictures, learns from them and measures on others", async () => {
  const { code, out, err } = await command.run([...FEW, "--epochs", "3"]);
  expect([code, err]).toEqual([0, ""]);
  const lines = linesOf(out);
  const events = ["start", ...[0, 1].flatMap(() => ["epoch", "epoch", "epoch", "done"])];
  expect(lines.map(({ event }) => event)).toEqual(events);
  const [{ folder, classes }] = lines;
  expect(classes).toEqual(["cats", "dogs"]);
  for (const [i, network] of ["dense", "convolutional"].entries()) {
    const [first, , last, done] = lines.slice(1 + 4 * i);
    expect([first.network, done.network]).toEqual([network, network]);
    expect(last.loss).toBeLessThan(first.loss);
    expect(done.accuracy).toBe(last.accuracy);
    expect(done.wrong).toHaveLength(Math.round(16 * (1 - done.accuracy)));
    for (const { name, chance } of done.wrong) {
      expect(chance > 0.5).toBe(name.startsWith("cats/")); // the chance of dogs
    }
    expect(readdirSync(join(command.root, "runs"))).toContain(`folders-${network}.safetensors`);
  }
  const files = readdirSync(join(command.root, folder, "dogs"));
  expect([files.length, files[0], files.at(-1)]).toEqual([40, "0000.png", "0039.png"]);
  const { data } = decode(readFileSync(join(command.root, folder, "dogs", "0007.png")));
  expect(Array.from(data)).toEqual([
    ...(await drawHead("dogs", headKey(keyFromSeed(0), "dogs", 7), 16)),
  ]);
}, 120_000);

test("it takes two folders of one's own, and refuses three", async () => {
  for (const [i, name] of ["left", "right", "third"].entries()) {
    if (i === 2) {
      const own = ["--data", "own", "--network", "dense", "--epochs", "1", ...FEW];
      const { code, out } = await command.run(own);
      expect(code).toBe(0);
      expect(linesOf(out)[0].classes).toEqual(["left", "right"]);
    }
    mkdirSync(join(command.root, "own", name), { recursive: true });
    for (let k = 0; k < 20; k++) {
      const source = join(command.root, "runs/pictures/heads-40-16-0/cats", `00${10 + k}.png`);
      writeFileSync(join(command.root, "own", name, `${k}.png`), readFileSync(source));
    }
  }
  const three = await command.run(["--data", "own", "--device", "cpu"]);
  expect([three.code, three.err.trim()]).toEqual([
    2,
    "--data: own has 3 class folders; expected two",
  ]);
  const none = await command.run(["--data", "nowhere", "--device", "cpu"]);
  expect(none.code).toBe(1);
  expect(none.err).toMatch(/^pictureFiles: "nowhere" cannot be read \(ENOENT/);
  const large = ["--batch-size", "100", "--count", "40", "--size", "16", "--device", "cpu"];
  const { code, err } = await command.run(large);
  expect([code, err.trim()]).toEqual([
    2,
    "--batch-size: 100; expected at most 64, the pictures to train on",
  ]);
}, 120_000);

test("--help lists every option, and others are refused", async () => {
  const { help, networks, ...options } = readOptions(["--help"]);
  expect([help, networks]).toEqual([true, ["dense", "convolutional"]]);
  for (const name of [...Object.keys(options), "network"]) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  expect(() => readOptions(["--size", "20"])).toThrow("--size: 20; expected a multiple of 8");
});
