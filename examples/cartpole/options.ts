import { flag, parse, readChoice, readDevice, readNumber, text } from "../command/arguments.ts";

/** What the command was asked for. */
export interface Options {
  method: Method;
  /** Updates, or pushes, at the most. */
  steps: number;
  limit: number;
  episodes: number;
  seed: number;
  device: "auto" | "webgpu" | "cpu";
  json: boolean;
  help: boolean;
}

const METHODS = ["reinforce", "dqn"] as const;
export type Method = (typeof METHODS)[number];

/** How long each method learns at the most. */
const STEPS: Record<Method, string> = { reinforce: "200", dqn: "50000" };

export const HELP = `Learns to balance a pole on a cart by pushing it to the left or to the right.

Usage: npm run cartpole -- [options]

  --method NAME    reinforce, a policy by its gradient, or dqn, deep Q-learning (reinforce)
  --steps N        updates from 16 episodes (200), or with dqn pushes (50000), at the most: it ends
                   when episodes last 95 % of the limit on average
  --limit N        pushes after which an episode is ended (500)
  --episodes N     episodes that are played at the end, by the best action (100)
  --seed N         fixes initial weights, starts of episodes and what is left to chance (0)
  --device NAME    auto, webgpu or cpu (auto: a real GPU, else the CPU)
  --json           one JSON object a line, as learning goes and at the end
  --help           this text

The weights go to runs/cartpole.safetensors. Ctrl-C stops and keeps what there is.`;

/** Reads the command line. */
export function readOptions(args: string[]): Options {
  const values = parse(args, {
    method: text("reinforce"),
    steps: { type: "string" },
    limit: text("500"),
    episodes: text("100"),
    seed: text("0"),
    device: text("auto"),
    json: flag,
    help: { ...flag, short: "h" },
  });
  const method = readChoice("method", values.method, METHODS);
  return {
    method,
    steps: readNumber("steps", values.steps ?? STEPS[method], [1, 10_000_000]),
    limit: readNumber("limit", values.limit, [1, 100_000]),
    episodes: readNumber("episodes", values.episodes, [1, 10_000]),
    seed: readNumber("seed", values.seed, [0, 1_000_000]),
    device: readDevice(values.device),
    json: values.json,
    help: values.help,
  };
}
