import "@tensorflow/tfjs-backend-cpu";
import type { Peer } from "./peer.ts";
import { createTfjs } from "./tfjs.ts";

export const create = (): Promise<Peer> => createTfjs("cpu");
