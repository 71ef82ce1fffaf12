import { type Device, randomNormal, type Tensor, tensor } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { type TrainStep, trainStep } from "../../src/train/index.ts";

/** A batch of images and their classes. */
export interface Given {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** conv 3×3×16, pool, conv 3×3×32, pool, dense, of images with so many pixels a side. */
function modelOf(device: Device, size: number, dtype: "f32" | "f64" = "f32"): Sequential {
  const shared = { device, dtype };
  return new Sequential(
    new Conv2d(1, 16, 3, { padding: 1, seed: 1, ...shared }),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(16, 32, 3, { padding: 1, seed: 2, ...shared }),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(32 * (size / 4) ** 2, 10, { seed: 3, ...shared }),
  );
}

/** A step of it with Adam. */
export function stepOf(device: Device, size: number, dtype?: "f32" | "f64"): TrainStep<Given> {
  const model = modelOf(device, size, dtype);
  const optimizer = new Adam(model.parameters(), { learningRate: 0.001 });
  const loss = (m: Sequential, { images, labels }: Given) => crossEntropy(m.call(images), labels);
  return trainStep({ model, optimizer, loss, mirrorEvery: null, stepsPerSubmit: 4 });
}

/** Random images, the same each time. */
export function batchOf(
  device: Device,
  count: number,
  size: number,
  dtype: "f32" | "f64" = "f32",
): Given {
  return {
    images: randomNormal([count, 1, size, size], { seed: 5, device, dtype }),
    labels: tensor(
      Int32Array.from({ length: count }, (_, i) => i % 10),
      { device },
    ),
  };
}
