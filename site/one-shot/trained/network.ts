import type { Sequential } from "gradus/nn";
import { embeddingNetwork } from "../../../examples/oneshot/network.ts";

/** The net that compares drawings from the start: embeddings `[n, 288]` of images `[n, 784]`. */
export function trainedNetwork(): Sequential {
  return embeddingNetwork([16, 32, 32], 1);
}
