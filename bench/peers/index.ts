import type { Peer } from "./peer.ts";

export type { Made, Peer, Prepared } from "./peer.ts";

/** Every library and backend that is compared; ours first. */
export const PEER_NAMES = [
  "gradus-webgpu",
  "gradus-cpu",
  "gradus-cpu-plain",
  "gradus-cpu-threads",
  "tfjs-webgpu",
  "tfjs-wasm",
  "tfjs-cpu",
  "jax-js-webgpu",
  "jax-js-wasm",
  "ort-webgpu",
  "ort-wasm",
  "numpy",
] as const;

export type PeerName = (typeof PEER_NAMES)[number];

/** The peers that a browser has, which runs no Python. */
export const BROWSER_PEERS: readonly PeerName[] = PEER_NAMES.filter((name) => name !== "numpy");

/** What loads a peer; nothing of a library is loaded before. */
export type Loaders = Partial<Record<PeerName, () => Promise<Peer>>>;

/** The peers that results are set in relation to. */
export const OURS: readonly PeerName[] = ["gradus-webgpu", "gradus-cpu"];

/** Whether a peer runs on WebGPU. */
export function usesGpu(name: PeerName): boolean {
  return name.endsWith("-webgpu");
}
