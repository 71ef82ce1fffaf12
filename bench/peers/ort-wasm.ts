import glue from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { createOrt } from "./ort.ts";
import type { Peer } from "./peer.ts";

export function create(): Peer {
  env.wasm.wasmPaths = { wasm, mjs: glue };
  return createOrt({
    name: "wasm",
    open: (model) => InferenceSession.create(model, { executionProviders: ["wasm"] }),
    operand: async (images, shape) => new Tensor("float32", images, shape),
  });
}
