import type { Tensor } from "gradus";
import { reshape } from "gradus";
import { Conv2d, Flatten, Linear, loadState, MaxPool2d, ReLU, Sequential } from "gradus/nn";
import weights from "./mnist-cnn.safetensors?url&inline";

/** The network of torch_cnn.py, by the same names: logits `[n, 10]` of images `[n, 784]`. */
export function torchNetwork(): Sequential {
  const features = new Sequential(
    new Conv2d(1, 8, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(8, 16, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
  );
  const classifier = new Sequential(new Linear(784, 64), new ReLU(), new Linear(64, 10));
  const images = (x: Tensor) => reshape(x, [x.shape[0], 1, 28, 28]);
  return new Sequential({ images, features, classifier });
}

/** Gives that network the weights that PyTorch has trained. */
export async function loadTorchNetwork(): Promise<Sequential> {
  const model = torchNetwork();
  const file = await (await fetch(weights)).arrayBuffer();
  loadState(model, file, { from: "pytorch" });
  return model;
}
