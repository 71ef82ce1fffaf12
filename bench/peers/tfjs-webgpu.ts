import "@tensorflow/tfjs-backend-webgpu";
import type { Peer } from "./peer.ts";
import { createTfjs } from "./tfjs.ts";

export const create = (): Promise<Peer> => createTfjs("webgpu");
