import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import * as cnn from "../../examples/cnn/options.ts";
import { fitted } from "../../examples/command/output.ts";
import * as dropout from "../../examples/dropout/options.ts";
import * as embeddings from "../../examples/embeddings/options.ts";
import * as mnist from "../../examples/mnist/options.ts";
import { Command, outcomeOf } from "../support/command.ts";
import { cellsOf, hasTerminal, terminal } from "../support/terminal.ts";

const command = new Command("mnist", "terminal");
beforeAll(() => command.build());

const dense = (text: string) => text.replace(/\s/g, "");

describe("lines fit a terminal, and lose nothing", () => {
  const epoch = "epoch 1/5: loss 0.3012, train accuracy 91.24 %, test accuracy 91.35 %, 19 steps/s";
  const texts = [
    mnist.HELP,
    embeddings.HELP,
    dropout.HELP,
    cnn.HELP,
    epoch,
    "",
    "  --a",
    "精度".repeat(50),
  ];

  test.each([20, 21, 33, 40, 60, 80, 100, 200])("of %i columns", (columns) => {
    for (const text of texts) {
      const lines = fitted(text, { isTTY: true, columns }).split("\n");
      for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(columns);
      expect(dense(lines.join("\n"))).toBe(dense(text));
      if (columns === 200) expect(lines.join("\n")).toBe(text);
    }
  });

  test("of columns that are not known, which are 80 then", () => {
    for (const columns of [undefined, 0]) {
      const known = fitted(dropout.HELP, { isTTY: true, columns: 80 });
      expect(fitted(dropout.HELP, { isTTY: true, columns })).toBe(known);
    }
  });

  test("under the text of an option where there is room", () => {
    const help = "  --name NAME  tells what is meant by the others";
    expect(fitted(help, { isTTY: true, columns: 36 })).toBe(
      "  --name NAME  tells what is meant\n               by the others",
    );
    expect(fitted(help, { isTTY: true, columns: 24 })).toBe(
      "--name NAME tells\n    what is meant by the\n    others",
    );
    expect(fitted(help, {})).toBe(help);
  });
});

describe.skipIf(!hasTerminal)("in a terminal, which util-linux's `script` gives", () => {
  const QUICK = "--device cpu --epochs 2 --batch-size 2500 --hidden 2";
  const line = `${process.execPath} ${command.program} ${QUICK}`;
  const TERM = "xterm-256color";

  test("each line fits its columns, while they change too", async () => {
    // So long that what is told to the terminal comes in the middle on a busy machine, too.
    const long = line.replace("--epochs 2 --batch-size 2500", "--epochs 12 --batch-size 100");
    const resized = `tty; stty cols 60 rows 20; ${long}`;
    const env = { ...process.env, TERM, NO_COLOR: "" };
    let isNarrow = false;
    const child = terminal(resized, { cwd: command.root, env });
    const { code, out } = await outcomeOf(child, (_, text) => {
      if (isNarrow || !text.includes("epoch 1/12:")) return;
      isNarrow = true;
      execFileSync("stty", ["--file", text.split("\r\n")[0], "cols", "24"]);
    });
    expect(code).toBe(0);
    const rows = out.split(/\r\n|\r|\n/).map((row) => row.replace("\x1b[2K", ""));
    const bars = rows.filter((row) => row.startsWith("epoch") && /[█░]/.test(row));
    const widths = [...new Set(bars.map(cellsOf))].sort();
    expect(widths).toEqual([23, 59]);
    const done = rows.findIndex((row) => row.startsWith("Done"));
    expect(Math.max(...rows.slice(0, done).map(cellsOf))).toBeLessThanOrEqual(60);
    expect(Math.max(...rows.slice(done).map(cellsOf))).toBeLessThanOrEqual(24);
    expect(dense(rows.join(""))).toMatch(/testaccuracy\d+\.\d\d%Weights:runs/);
  }, 60_000);

  test("NO_COLOR gets plain text, cut nowhere", async () => {
    const env = { ...process.env, TERM, NO_COLOR: "1" };
    const wide = terminal(`stty cols 200; ${line}`, { cwd: command.root, env });
    const { code, out } = await outcomeOf(wide);
    expect(code).toBe(0);
    expect(out.replaceAll("\r\n", "\n")).toMatch(PLAIN);
  }, 60_000);
});

/** Lines of a run without control characters. */
const PLAIN =
  /^Device: .*\nNetwork: .*\nepoch 1\/2: .*\nepoch 2\/2: .*\nDone: .*\nWeights: runs\/mnist.safetensors\n$/;
