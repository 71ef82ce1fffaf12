import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import * as cnn from "../../examples/cnn/options.ts";
import { UsageError } from "../../examples/command/arguments.ts";
import * as dropout from "../../examples/dropout/options.ts";
import * as embeddings from "../../examples/embeddings/options.ts";
import { CheckpointFile } from "../../examples/mnist/checkpoint-file.ts";
import * as mnist from "../../examples/mnist/options.ts";
import { fileStore, writeSafetensors } from "../../src/io/index.ts";
import { errorOf } from "../support/error-of.ts";

const commands = { mnist, embeddings, dropout, cnn };

describe("wrong arguments are refused in one line that says what is expected", () => {
  const options =
    "--epochs, --batch-size, --learning-rate, --hidden, --seed, --device, --checkpoint, --resume, " +
    "--json or --help";
  test.each([
    ["--epochs -1", "--epochs: -1; expected an integer from 1 to 100000"],
    ["--epochs=-1", "--epochs: -1; expected an integer from 1 to 100000"],
    ["--epochs 0", "--epochs: 0; expected an integer from 1 to 100000"],
    ["--epochs 1e9", "--epochs: 1e9; expected an integer from 1 to 100000"],
    ["--epochs 0x10", "--epochs: 0x10; expected an integer from 1 to 100000"],
    ["--epochs=", '--epochs: ""; expected an integer from 1 to 100000'],
    ["--epochs five", "--epochs: five; expected an integer from 1 to 100000"],
    ["--epochs 5\nfive", "--epochs: 5\\u{a}five; expected an integer from 1 to 100000"],
    ["--epochs", "--epochs: no value; expected one, as in --epochs=VALUE"],
    ["--epochs --json", "--epochs: no value; expected one, as in --epochs=VALUE"],
    ["--batch-size 1.5", "--batch-size: 1.5; expected an integer from 1 to 60000"],
    ["--batch-size 60001", "--batch-size: 60001; expected an integer from 1 to 60000"],
    ["--learning-rate NaN", "--learning-rate: NaN; expected a number from 0 to 1000"],
    ["--learning-rate Infinity", "--learning-rate: Infinity; expected a number from 0 to 1000"],
    ["--learning-rate -0.1", "--learning-rate: -0.1; expected a number from 0 to 1000"],
    ["--seed 1e400", "--seed: 1e400; expected an integer from 0 to 9007199254740991"],
    ["--device tpu", "--device: tpu; expected auto, webgpu or cpu"],
    ["--json=yes", "--json: yes; expected no value"],
    ["--resume", "--resume: without --checkpoint; expected the file to go on from"],
    ["--checkpoint=", '--checkpoint: ""; expected a name'],
    [
      "--checkpoint ./runs/../runs/mnist.safetensors",
      "--checkpoint: ./runs/../runs/mnist.safetensors, where the weights go; expected another file",
    ],
    ["--speed 9", `--speed: no option; expected ${options}. Did you mean --seed?`],
    ["--lr 1", `--lr: no option; expected ${options}. Did you mean --learning-rate?`],
    ["--epoch 1", `--epoch: no option; expected ${options}. Did you mean --epochs?`],
    ["-x", `-x: no option; expected ${options}`],
    ["5", `5: no option; expected ${options}`],
    ["-- --json", `--json: no option; expected ${options}`],
  ])("%j", (args, says) => {
    const error = errorOf(() => mnist.readOptions(args.split(" ")));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe(says);
  });

  test.each(Object.entries(commands))("%s, whatever is given", (_, { readOptions, HELP }) => {
    const names = [...HELP.matchAll(/^ {2}(--\S+)/gm)].map(([, name]) => name);
    const value = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.double().map(String),
      fc.constantFrom("-1", "0", "1e9", "\x1b[31m", "\r\n", "x".repeat(10_000), "__proto__"),
    );
    const args = fc.array(fc.oneof(fc.constantFrom(...names), value), { maxLength: 4 });
    fc.assert(
      fc.property(args, (given) => {
        try {
          readOptions(given);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect((error as Error).message).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]{1,400}$/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("numbers are read as they are written", () => {
  const given = "--epochs +3 --learning-rate .5 --seed 1e3 --hidden 7. --batch-size 007".split(" ");
  const read = mnist.readOptions(given);
  expect(read).toMatchObject({ epochs: 3, learningRate: 0.5, seed: 1000, hidden: 7, batchSize: 7 });
  expect(Object.is(mnist.readOptions(["--learning-rate=-0"]).learningRate, 0)).toBe(true);
});

describe("a run goes on with its own settings only", () => {
  const folder = mkdtempSync(join(tmpdir(), "gradus-settings-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "half");
  const settings = { seed: 3, "batch-size": 100, "learning-rate": 0.1, hidden: 50 };
  const saved = writeSafetensors({}, { format: "a checkpoint" });

  test("and gets what was saved", async () => {
    expect(await new CheckpointFile(path, settings).read()).toBeNull();
    await new CheckpointFile(path, settings).write(saved);
    expect(await new CheckpointFile(path, { ...settings }).read()).not.toBeNull();
  });

  test.each([
    ["seed", 4, "--seed 4", "--seed 3"],
    ["batch-size", 10, "--batch-size 10", "--batch-size 100"],
    ["learning-rate", 0.2, "--learning-rate 0.2", "--learning-rate 0.1"],
    ["hidden", 60, "--hidden 60", "--hidden 50"],
  ])("not with another %s", async (name, value, own, before) => {
    await new CheckpointFile(path, settings).write(saved);
    const other = new CheckpointFile(path, { ...settings, [name]: value });
    await expect(other.read()).rejects.toThrow(
      new UsageError(`--resume: ${own}, but ${path} is of a run with ${before}; expected the same`),
    );
  });

  test.each([
    ["bytes", Uint8Array.of(1, 2, 3)],
    ["a file without settings", saved],
    ["a file whose settings are none", writeSafetensors({}, { settings: "[" })],
  ])("not from %s", async (_, bytes) => {
    await fileStore(path).write(bytes);
    await expect(new CheckpointFile(path, settings).read()).rejects.toThrow(
      `--resume: ${path}: no run of this command; expected a file that --checkpoint has written`,
    );
  });
});
