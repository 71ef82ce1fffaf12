import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-web";
import { firstBatches, type Network } from "../workloads/networks.ts";
import { encodeOnnx } from "./onnx-model.ts";
import { NOTHING, type Peer, type Prepared, peerOf } from "./peer.ts";

/** What an adapter needs to know of one build of ONNX Runtime Web. */
export interface Runtime {
  readonly name: "webgpu" | "wasm";
  open(model: Uint8Array): Promise<InferenceSession>;
  /** Puts the operand where the session reads it without a copy. */
  operand(images: Float32Array, shape: readonly number[]): Promise<TypedTensor<"float32">>;
}

/** ONNX Runtime Web, which infers and does not train. */
export function createOrt(runtime: Runtime): Peer {
  return peerOf(`ONNX Runtime ${runtime.name}`, {
    ...NOTHING,
    infer: ({ task: { network } }) => prepared(runtime, network),
  });
}

async function prepared(runtime: Runtime, network: Network): Promise<Prepared> {
  const session = await runtime.open(encodeOnnx(network));
  const [{ images }] = firstBatches(network, 1);
  const operand = await runtime.operand(images, [network.batchSize, network.sizes[0]]);
  const infer = async (): Promise<Tensor> => (await session.run({ images: operand })).logits;
  const read = async (logits: Tensor): Promise<Float32Array> => {
    const values = Float32Array.from((await logits.getData()) as Float32Array);
    logits.dispose();
    return values;
  };
  return {
    result: async () => read(await infer()),
    run: async (times) => {
      for (let i = 1; i < times; i++) (await infer()).dispose();
      await read(await infer());
    },
    dispose: () => {
      operand.dispose();
      void session.release();
    },
  };
}
