import glue from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import { env, InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import { createOrt } from "./ort.ts";
import type { Peer } from "./peer.ts";

/** Operands and results stay on the GPU, as its documentation advises ("IO binding"). */
export function create(): Peer {
  env.wasm.wasmPaths = { wasm, mjs: glue };
  return createOrt({
    name: "webgpu",
    open: (model) =>
      InferenceSession.create(model, {
        executionProviders: ["webgpu"],
        preferredOutputLocation: "gpu-buffer",
      }),
    operand: async (images, shape) => {
      const device = await env.webgpu.device;
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = device.createBuffer({ label: "images", size: images.byteLength, usage });
      device.queue.writeBuffer(buffer, 0, images as Float32Array<ArrayBuffer>);
      const dispose = () => buffer.destroy();
      return Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims: [...shape], dispose });
    },
  });
}
