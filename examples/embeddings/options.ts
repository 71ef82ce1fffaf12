import {
  flag,
  parse,
  readChoice,
  readDevice,
  readNumber,
  readPath,
  text,
} from "../command/arguments.ts";

/** What the command was asked for. */
export interface Options {
  part: "both" | "plane" | "one-shot";
  seeds: number;
  device: "auto" | "webgpu" | "cpu";
  /** The folder that the figures are written to. */
  figures: string;
  help: boolean;
}

export const HELP = `Trains embeddings of MNIST: in two dimensions with several heads, and for digits seen once.

Usage: npm run embeddings -- [options]

  --part NAME      both, plane or one-shot (both)
  --seeds N        trains everything with the seeds 0 to N - 1 (2)
  --device NAME    auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --figures DIR    where the scatter plots of seed 0 go (runs/embeddings)
  --help           this text`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    part: text("both"),
    seeds: text("2"),
    device: text("auto"),
    figures: text("runs/embeddings"),
    help: { ...flag, short: "h" },
  });
  return {
    part: readChoice("part", values.part, ["both", "plane", "one-shot"]),
    seeds: readNumber("seeds", values.seeds, [1, 1000]),
    device: readDevice(values.device),
    figures: readPath("figures", values.figures),
    help: values.help,
  };
}
