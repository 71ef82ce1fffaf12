/** The losses that the page compares: those of `examples/embeddings`, and two of pairs and triplets. */
import { broadcastTo, equal, expandDims, reshape, type Tensor } from "gradus";
import { CenterLoss, contrastive, tripletMined } from "gradus/losses";
import { Module } from "gradus/nn";
import { HEADS, type Head, type HeadMaker } from "../../examples/embeddings/heads.ts";

/** Classes as means of their embeddings, which training does not pull at: the nearest one is the answer. */
abstract class Means extends Module implements Head {
  readonly centers: CenterLoss;

  constructor(features: number, classes: number) {
    super();
    this.centers = new CenterLoss(features, classes, { rate: 0.5 });
  }

  override forward(x: Tensor): Tensor {
    return this.centers.call(x);
  }

  loss(x: Tensor, labels: Tensor): Tensor {
    this.centers.update(x, labels);
    return this.apart(x, labels);
  }

  abstract apart(x: Tensor, labels: Tensor): Tensor;
}

// #region pairs
class Triplet extends Means {
  override apart(x: Tensor, labels: Tensor): Tensor {
    return tripletMined(x, labels, { mining: "semi-hard", margin: 2, normalize: false });
  }
}

/** All pairs of a batch. */
class Contrastive extends Means {
  override apart(x: Tensor, labels: Tensor): Tensor {
    const [n, features] = x.shape;
    const all = (part: Tensor) => reshape(broadcastTo(part, [n, n, features]), [n * n, features]);
    const same = equal(expandDims(labels, 1), expandDims(labels, 0)); // [n, n]
    const [a, b] = [all(expandDims(x, 1)), all(expandDims(x, 0))];
    return contrastive(a, b, reshape(same, [n * n]), { margin: 5 });
  }
}
// #endregion

/** Makes the last layer of each, by its name. */
export const MAKERS: Readonly<Record<string, HeadMaker>> = {
  ...HEADS,
  triplet: (features, classes) => new Triplet(features, classes),
  contrastive: (features, classes) => new Contrastive(features, classes),
};
