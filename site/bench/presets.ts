/** What is measured where nothing is chosen one by one. */
import { DEFAULTS } from "../../bench/harness/options.ts";
import type { SuiteOptions } from "../../bench/harness/suite.ts";
import { BROWSER_PEERS, type PeerName } from "../../bench/peers/index.ts";
import { WORKLOADS } from "../../bench/workloads/index.ts";
import { FAMILIES } from "./series.ts";

/** One of each kind. */
export const QUICK_WORKLOADS: readonly string[] = [
  "matmul [256,256]·[256,256]",
  "softmax of rows [1000,1000]",
  "training 784-128-10 relu, Adam, batch 64",
  "inference 784-128-10 relu, batch 64",
];
const QUICK_PEERS: readonly PeerName[] = [
  "gradus-webgpu",
  "gradus-cpu",
  "tfjs-webgpu",
  "tfjs-wasm",
  "jax-js-webgpu",
];

/** Some minutes' work in less than one. */
export function quick(): SuiteOptions {
  const workloads = WORKLOADS.filter(({ name }) => QUICK_WORKLOADS.includes(name));
  const peers = BROWSER_PEERS.filter((name) => QUICK_PEERS.includes(name));
  return { workloads, peers, rounds: 3, roundMs: DEFAULTS.roundMs };
}

/** Products and chains from small to large. */
export function ofSizes(): SuiteOptions {
  const workloads = WORKLOADS.filter(({ task }) =>
    FAMILIES.some(({ sizeOf }) => sizeOf(task) !== null),
  );
  return { ...quick(), workloads };
}

/** All that there is. */
export function everything(): SuiteOptions {
  return { ...DEFAULTS, workloads: WORKLOADS, peers: [...BROWSER_PEERS] };
}

/** Seconds that loading and checking take for one library at one workload, as seen on slow machines. */
const SET_UP = 1.2;

/** About how long a choice takes, in words. */
export function estimate({ workloads, peers, rounds, roundMs }: SuiteOptions): string {
  const each = SET_UP + (rounds * roundMs * 1.4) / 1000;
  const seconds = workloads.length * peers.length * each;
  const told =
    seconds < 90 ? `${Math.ceil(seconds / 10) * 10} seconds` : `${Math.ceil(seconds / 60)} minutes`;
  const parts = `${workloads.length} workloads on ${peers.length} libraries`;
  return `${parts}: about ${told}, longer where the GPU is emulated.`;
}
