import type { PeerName } from "../peers/index.ts";
import { MODELS } from "../workloads/models.ts";
import { NETWORKS, TINY_NETWORKS } from "../workloads/networks.ts";
import { type Report, type Result, timeRatio } from "./report.ts";
import { formatFigure, formatResult } from "./table.ts";

/** Where a bar is measured; in the page no library has threads. */
export type Place = "node" | "page";

/** Workloads that are measured together, by the same libraries in turn. */
export interface Pass {
  readonly place: Place;
  readonly workloads: readonly string[];
  readonly peers: readonly PeerName[];
}

/** What the CPU device is to come to, and how it is found in reports. */
export interface Bar extends Pass {
  readonly what: string;
  /** Whether less is better. */
  readonly atMost?: boolean;
  readonly gate: number;
  readonly goal: number;
  readonly unit: string;
  /** The figure from results by peer, of the workloads in order; NaN where one is missing. */
  readonly value: (...found: readonly Found[]) => number;
}

type Found = (peer: PeerName) => Result | undefined;

const OURS = "gradus-cpu";
const [A, B, , C] = NETWORKS.map(({ name }) => name);
const CONVOLUTION = "convolution [100,14,14,16] with [3,3,16,32]";
const PEAK = "multiply-adds in registers, 4 × f32";

/** How many times as fast ours is as the fastest of some others, in pairs. */
const faster =
  (ours: PeerName, ...others: readonly PeerName[]) =>
  (find: Found): number =>
    Math.min(...ratios(find, ours, others));

/** The time of ours as a share of the least of some others, in pairs. */
const shorter =
  (ours: PeerName, ...others: readonly PeerName[]) =>
  (find: Found): number =>
    1 / faster(ours, ...others)(find);

function ratios(find: Found, ours: PeerName, others: readonly PeerName[]): number[] {
  const own = find(ours);
  const there = others.flatMap((peer) => find(peer) ?? []).filter(isTimed);
  return own && isTimed(own) && there.length > 0
    ? there.map((other) => timeRatio(other, own))
    : [Number.NaN];
}

function isTimed({ milliseconds }: Result): boolean {
  return milliseconds !== undefined;
}

const figure = (find: Found): number => find(OURS)?.figure ?? Number.NaN;

const made = (...found: readonly Found[]): number =>
  found.reduce((sum, find) => {
    const { made } = find(OURS) ?? {};
    return sum + (made ? Object.values(made).reduce((a, b) => a + b) : Number.NaN);
  }, 0);

const times = { unit: "×" };
const share = { unit: "×", atMost: true };

function training(network: string, letter: string, gates: Record<"plain" | "rivals", number[]>) {
  const workloads = [`training ${network}`];
  const [plain, wasm] = [gates.plain, gates.rivals];
  const rivals = ["jax-js-wasm", "tfjs-wasm"] as const;
  const peers = [OURS, "gradus-cpu-plain"] as const;
  return [
    {
      what: `${letter}, steps/s against the plain engine, Node`,
      place: "node",
      workloads,
      peers,
      value: faster(...peers),
      gate: plain[0],
      goal: plain[1],
      ...times,
    },
    {
      what: `${letter}, steps/s against the better of jax-js and tfjs`,
      place: "page",
      workloads,
      peers: [OURS, ...rivals],
      value: faster(OURS, ...rivals),
      gate: wasm[0],
      goal: wasm[1],
      ...times,
    },
    {
      what: `${letter}, first step: time against jax-js`,
      place: "page",
      workloads: [`first step ${network}`],
      peers: [OURS, "jax-js-wasm"],
      value: shorter(OURS, "jax-js-wasm"),
      gate: 0.3,
      goal: 0.1,
      ...share,
    },
  ] satisfies Bar[];
}

/** Models of other layers, against libraries of which some lack a gradient on some backend. */
function modelTraining(network: string, letter: string): Bar[] {
  const shared = {
    place: "page",
    workloads: [`training ${network}`],
    peers: [OURS, "jax-js-wasm", "tfjs-wasm", "tfjs-cpu"],
    ...times,
  } as const;
  return [
    {
      ...shared,
      what: `${letter}, steps/s against the better of jax-js and tfjs on WebAssembly`,
      value: faster(OURS, "jax-js-wasm", "tfjs-wasm"),
      gate: 2,
      goal: 4,
    },
    {
      ...shared,
      what: `${letter}, steps/s against tfjs-cpu`,
      value: faster(OURS, "tfjs-cpu"),
      gate: 10,
      goal: 20,
    },
  ];
}

function againstTfjs(what: string, workload: string, gate: number, goal: number): Bar {
  const peers = [OURS, "tfjs-wasm"] as const;
  return {
    what: `${what} against tfjs-wasm`,
    place: "page",
    workloads: [workload],
    peers,
    value: faster(...peers),
    gate,
    goal,
    ...times,
  };
}

function product(size: number): Bar {
  return {
    what: `product of ${size}², share of the core's limit at 128 bits`,
    place: "page",
    workloads: [PEAK, `matmul [${size},${size}]·[${size},${size}]`],
    peers: [OURS],
    value: (limit, found) => figure(found) / figure(limit),
    gate: 0.75,
    goal: 0.85,
    ...times,
  };
}

function tiny(network: string, gate: number, goal: number): Bar {
  return {
    what: `${network}: µs a step, Node`,
    place: "node",
    workloads: [`training ${network}`],
    peers: [OURS, "gradus-cpu-plain"],
    value: figure,
    gate,
    goal,
    unit: "µs",
    atMost: true,
  };
}

/** All of them, in the order in which they are shown. */
export const BARS: readonly Bar[] = [
  ...training(A, "A", { plain: [5, 7], rivals: [8, 15] }),
  ...training(B, "B", { plain: [6, 8], rivals: [2, 3.4] }),
  ...training(C, "C", { plain: [5, 7], rivals: [1.6, 2.3] }),
  ...modelTraining(MODELS[0].name, "CNN"),
  ...modelTraining(MODELS[1].name, "GPT"),
  {
    what: "C with two threads, steps/s against NumPy with one, Node",
    place: "node",
    workloads: [`training ${C}`],
    peers: ["gradus-cpu-threads", "numpy"],
    value: faster("gradus-cpu-threads", "numpy"),
    gate: 1,
    goal: 1.2,
    ...times,
  },
  product(256),
  product(512),
  product(1024),
  tiny(TINY_NETWORKS[0].name, 4, 1.5),
  tiny(TINY_NETWORKS[1].name, 12, 6),
  againstTfjs("softmax 1024²", "softmax of rows [1024,1024]", 0.6, 1),
  againstTfjs("chain of 8 on 1 M", "elementwise chain of 8, 1,000,000 elements", 1, 1.5),
  againstTfjs("inference A, batches/s", `inference ${A.replace(", SGD", "")}`, 1, 1.6),
  againstTfjs("convolution, forward,", CONVOLUTION, 1, 1.5),
  {
    what: "convolution and both gradients against the best of jax-js and tfjs-cpu",
    place: "page",
    workloads: [`${CONVOLUTION} and both gradients`],
    peers: [OURS, "jax-js-wasm", "tfjs-cpu"],
    value: faster(OURS, "jax-js-wasm", "tfjs-cpu"),
    gate: 2,
    goal: 4,
    ...times,
  },
  {
    what: "time to 97 % on MNIST (C) against jax-js",
    place: "page",
    workloads: [`97 % on MNIST, ${C}`],
    peers: [OURS, "jax-js-wasm"],
    value: shorter(OURS, "jax-js-wasm"),
    gate: 0.7,
    goal: 0.5,
    ...share,
  },
  {
    what: "buffers, plans, pipelines, modules made in all timed steps of A, B, C",
    place: "page",
    workloads: [A, B, C].map((name) => `training ${name}`),
    peers: [OURS, "jax-js-wasm", "tfjs-wasm"],
    value: made,
    gate: 0,
    goal: 0,
    unit: "",
    atMost: true,
  },
];

/** What has to be measured in a place: workloads of the same libraries together. */
export function passesIn(place: Place): Pass[] {
  const passes = new Map<string, Pass>();
  for (const { peers, workloads, place: own } of BARS) {
    if (own !== place) continue;
    const key = peers.join();
    const before = passes.get(key)?.workloads ?? [];
    passes.set(key, { place, peers, workloads: [...new Set([...before, ...workloads])] });
  }
  return [...passes.values()];
}

/** A bar with what was measured; null where it could not be. */
export interface Verdict extends Pick<Bar, "what" | "gate" | "goal" | "unit"> {
  readonly atMost: boolean;
  readonly value: number | null;
  readonly holds: boolean;
  /** What each library came to on the last of the workloads, in words. */
  readonly figures: string;
}

/** A pass, and what it gave. */
export interface PassReport extends Pass {
  readonly report: Report;
}

/** Compares what was measured with the bars. */
export function verdictsOf(measured: readonly PassReport[]): Verdict[] {
  return BARS.map((bar) => {
    const { what, gate, goal, unit, workloads, atMost = false } = bar;
    const isSame = (one: Pass) => one.place === bar.place && one.peers.join() === bar.peers.join();
    const results = measured.filter(isSame).flatMap(({ report }) => report.results);
    const found = workloads.map((name) => (peer: PeerName) => {
      return results.find((result) => result.workload === name && result.peer === peer);
    });
    const value = bar.value(...found);
    const isKnown = Number.isFinite(value);
    const holds = isKnown && (atMost ? value <= gate : value >= gate);
    const figures = bar.peers.map((peer) => figureIn(peer, found[found.length - 1](peer)));
    const known = { value: isKnown ? value : null, holds, figures: figures.join(", ") };
    return { what, gate, goal, unit, atMost, ...known };
  });
}

function figureIn(peer: PeerName, result?: Result): string {
  if (!result) return `${peer} –`;
  return `${peer} ${result.status === "ok" ? formatResult(result) : result.status}`;
}

/** The bars as a table of a page. */
export function formatVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const { what, gate, goal, unit, atMost, value, holds, figures } = verdict;
    const sign = atMost ? "≤" : "≥";
    const measured = value === null ? "not measured" : `${formatFigure(value)} ${unit}`.trim();
    return [
      what,
      `${sign} ${gate}`,
      `${sign} ${goal}`,
      measured,
      holds ? "yes" : "**no**",
      figures,
    ];
  });
  const head = ["what", "gate", "goal", "measured", "holds", "medians"];
  return [head, ["---", "--:", "--:", "--:", "---", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
