import { PEER_NAMES, type PeerName } from "../peers/index.ts";
import type { SuiteOptions } from "./suite.ts";
import { pickWorkloads } from "./suite.ts";

/** What is measured when nothing else is asked for. */
export const DEFAULTS = { rounds: 5, roundMs: 150 } as const;

/** What people write: names and numbers as text. */
export interface Wishes {
  /** A regular expression on workloads' names. */
  readonly only?: string;
  /** Names of peers, or beginnings of names, separated by commas. */
  readonly peers?: string;
  readonly rounds?: string;
}

/**
 * Reads wishes; `present` are the peers that run here.
 * @throws Error when nothing fits.
 */
export function readWishes(
  { only, peers, rounds }: Wishes,
  present: readonly PeerName[] = PEER_NAMES,
): SuiteOptions {
  const workloads = pick(() => pickWorkloads(only));
  if (workloads.length === 0) {
    throw new Error(`--only: ${only}; expected a regular expression that fits a workload's name`);
  }
  const count = Number(rounds ?? DEFAULTS.rounds);
  if (!isRounds(count)) {
    throw new Error(`--rounds: ${rounds}; expected an integer from 1 to 1000`);
  }
  return { workloads, peers: pickPeers(peers, present), rounds: count, roundMs: DEFAULTS.roundMs };
}

/** Whether a measurement may have so many rounds. */
export function isRounds(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= 1000;
}

function pick<T>(find: () => T[]): T[] {
  try {
    return find();
  } catch (error) {
    throw new Error(`--only: ${(error as Error).message}; expected a regular expression`);
  }
}

function pickPeers(list: string | undefined, present: readonly PeerName[]): PeerName[] {
  if (list === undefined) return [...present];
  const wanted = list.split(",").map((name) => name.trim());
  const unknown = wanted.filter((start) => !start || !present.some((p) => p.startsWith(start)));
  if (unknown.length > 0) {
    throw new Error(`--peers: ${unknown.join(", ")}; expected names of ${present.join(", ")}`);
  }
  const isMeant = (peer: PeerName, name: string) =>
    present.includes(name as PeerName) ? peer === name : peer.startsWith(name);
  return present.filter((peer) => wanted.some((name) => isMeant(peer, name)));
}
