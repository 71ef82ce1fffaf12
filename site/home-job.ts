/** What the page Home trains. */
import { init, silu, type Tensor, tanh, tensor } from "gradus";
import { DataLoader, TensorDataset } from "gradus/data";
import { binaryCrossEntropyWithLogits } from "gradus/losses";
import { Linear, type Module, Sequential } from "gradus/nn";
import { Adam } from "gradus/optim";
import { trainJob } from "gradus/worker";
import { planeData, planeGrid } from "./shell/plane-data.ts";

const { points, labels } = planeData("spirals", 240, { noise: 0.015, seed: 1 });
const targets = labels.map((label) => [label]);

// #region job
export default trainJob(async ({ side }: { side: number }) => {
  await init();
  const hidden = [new Linear(2, 32, { seed: 1 }), silu, new Linear(32, 32, { seed: 2 }), silu];
  const model = new Sequential(...hidden, new Linear(32, 1, { seed: 3 }));
  const optimizer = new Adam(model.parameters(), { learningRate: 0.004 });
  const dataset = new TensorDataset({ x: tensor(points), t: tensor(targets) });
  const loader = new DataLoader({ dataset, batchSize: 60, seed: 4 });
  const loss = (net: Module, { x, t }: { x: Tensor; t: Tensor }) =>
    binaryCrossEntropyWithLogits(net.call(x), t);
  const grid = tensor(planeGrid(side), { shape: [side * side, 2] });
  const surface = () => tanh(model.call(grid).mul(0.5)).data(); // 2σ(z) − 1
  const onEvent = () => new Promise<void>((go) => setTimeout(go, 12)); // slow enough to watch
  const calls = { surface };
  return { model, optimizer, loss, loader, epochs: 3000, metricsEvery: 10, onEvent, calls };
});
// #endregion
