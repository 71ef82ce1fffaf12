import type { Sequential } from "gradus/nn";
import { embeddingNetwork } from "../../../examples/oneshot/network.ts";

export const CHANNELS = [16, 32, 48, 64];
export const SEED = 1;

/** The net that compares drawings from the start: embeddings `[n, 64]` of images `[n, 784]`. */
export function trainedNetwork(): Sequential {
  return embeddingNetwork(CHANNELS, SEED);
}
