import { type Gpt, NORM_EPSILON } from "./models.ts";
import {
  type ConvolutionSizes,
  convolutionGradients,
  convolve,
  crossEntropy,
  type Matrix,
  multiply,
  softmaxRows,
} from "./references.ts";

/** Numbers, and the gradient of the loss by them, which is added up. */
export interface Variable {
  readonly data: Float64Array;
  readonly gradient: Float64Array;
}

/** Makes a variable of numbers, with a gradient of zeros. */
export function variable(data: ArrayLike<number>): Variable {
  return { data: Float64Array.from(data), gradient: new Float64Array(data.length) };
}

/** Layers in float64 and plain loops, each with its gradient; `back` goes through them once. */
export class Tape {
  readonly #backs: (() => void)[] = [];

  /** Adds up the gradients of the loss, from the last layer to the first. */
  back(): void {
    for (const back of this.#backs.reverse()) back();
  }

  #made(data: Float64Array, back: (g: Float64Array) => void): Variable {
    const y = variable(data);
    this.#backs.push(() => back(y.gradient));
    return y;
  }

  /** y = f(x) of each element. */
  #mapped(x: Variable, f: (x: number) => number, slope: (x: number) => number): Variable {
    return this.#made(x.data.map(f), (g) => {
      addTo(
        x.gradient,
        g.map((value, i) => value * slope(x.data[i])),
      );
    });
  }

  relu(x: Variable): Variable {
    return this.#mapped(
      x,
      (value) => Math.max(value, 0),
      (value) => Number(value > 0),
    );
  }

  /** x · Φ(x): Hendrycks and Gimpel 2016, "Gaussian error linear units". */
  gelu(x: Variable): Variable {
    const density = (value: number) => Math.exp(-(value ** 2) / 2) / Math.sqrt(2 * Math.PI);
    return this.#mapped(
      x,
      (value) => value * normalCdf(value),
      (value) => normalCdf(value) + value * density(value),
    );
  }

  add(a: Variable, b: Variable): Variable {
    return this.#made(
      a.data.map((value, i) => value + b.data[i]),
      (g) => {
        addTo(a.gradient, g);
        addTo(b.gradient, g);
      },
    );
  }

  /** y = x·W + b of rows. */
  dense(x: Variable, weight: Variable, bias: Variable): Variable {
    const columns = bias.data.length;
    const inner = weight.data.length / columns;
    const [rowsOf, weights] = [
      (data: Float64Array, width: number): Matrix => ({
        data,
        rows: data.length / width,
        columns: width,
      }),
      { data: weight.data, rows: inner, columns },
    ];
    const product = multiply(rowsOf(x.data, inner), weights);
    return this.#made(
      product.map((value, i) => value + bias.data[i % columns]),
      (g) => {
        const upstream = rowsOf(g, columns);
        const transposed = { data: weight.data, rows: columns, columns: inner, transposed: true };
        addTo(x.gradient, multiply(upstream, transposed)); // dx = g·Wᵀ
        const xT = { data: x.data, rows: inner, columns: upstream.rows, transposed: true };
        addTo(weight.gradient, multiply(xT, upstream)); // dW = xᵀ·g
        g.forEach((value, i) => {
          bias.gradient[i % columns] += value;
        });
      },
    );
  }

  /** y = x·tableᵀ of rows of a width. */
  byTransposed(x: Variable, table: Variable, width: number): Variable {
    const [rows, columns] = [x.data.length / width, table.data.length / width];
    const tableT = { data: table.data, rows: width, columns, transposed: true };
    return this.#made(multiply({ data: x.data, rows, columns: width }, tableT), (g) => {
      const ofTable = { data: table.data, rows: columns, columns: width };
      addTo(x.gradient, multiply({ data: g, rows, columns }, ofTable)); // dx = g·table
      const gT = { data: g, rows: columns, columns: rows, transposed: true };
      addTo(table.gradient, multiply(gT, { data: x.data, rows, columns: width })); // gᵀ·x
    });
  }

  /** y[n, i, j, o] = b[o] + Σ x[n, i + p − 1, j + q − 1, c] · w[p, q, c, o], with zeros around x. */
  convolve(
    x: Variable,
    weight: Variable,
    bias: Variable,
    sizes: Omit<ConvolutionSizes, "kernel">,
  ): Variable {
    const { size, inputs, outputs } = sizes;
    const wide = { ...sizes, size: size + 2, kernel: 3 };
    const padded = new Float64Array((x.data.length / size ** 2) * wide.size ** 2);
    const places = x.data.map((_, i) => paddedPlace(i, size, inputs));
    x.data.forEach((value, i) => {
      padded[places[i]] = value;
    });
    const y = convolve(padded, weight.data, wide);
    return this.#made(
      y.map((value, i) => value + bias.data[i % outputs]),
      (g) => {
        const { dx, dw } = convolutionGradients({ x: padded, w: weight.data, g }, wide);
        addTo(
          x.gradient,
          places.map((place) => dx[place]),
        );
        addTo(weight.gradient, dw);
        g.forEach((value, i) => {
          bias.gradient[i % outputs] += value;
        });
      },
    );
  }

  /** The largest of each 2×2 pixels, channel by channel. */
  pool(x: Variable, sizes: { batch: number; size: number; channels: number }): Variable {
    const { batch, size, channels } = sizes;
    const half = size / 2;
    const largest = Uint32Array.from({ length: batch * half ** 2 * channels }, (_, i) => {
      const pixel = Math.floor(i / channels);
      const [n, row] = [Math.floor(pixel / half ** 2), Math.floor(pixel / half) % half];
      const from = (n * size + 2 * row) * size + 2 * (pixel % half);
      const window = [from, from + 1, from + size, from + size + 1];
      return window
        .map((place) => place * channels + (i % channels))
        .reduce((a, b) => (x.data[b] > x.data[a] ? b : a));
    });
    return this.#made(
      Float64Array.from(largest, (place) => x.data[place]),
      (g) => {
        largest.forEach((place, i) => {
          x.gradient[place] += g[i];
        });
      },
    );
  }

  /** The rows of tokens in a table, each with that of its position. */
  embed(table: Variable, positions: Variable, tokens: Int32Array, width: number): Variable {
    const size = positions.data.length;
    const place = (i: number) => tokens[Math.floor(i / width)] * width + (i % width);
    const y = Float64Array.from(
      { length: tokens.length * width },
      (_, i) => table.data[place(i)] + positions.data[i % size],
    );
    return this.#made(y, (g) => {
      g.forEach((value, i) => {
        table.gradient[place(i)] += value;
        positions.gradient[i % size] += value;
      });
    });
  }

  /** y = (x − mean) / √(variance + ε) · scale + shift of rows: Ba et al. 2016, "Layer normalization". */
  normalize(x: Variable, [scale, shift]: readonly Variable[], width: number): Variable {
    const normal = x.data.slice();
    const factors = Float64Array.from({ length: x.data.length / width }, (_, row) => {
      const own = normal.subarray(row * width, (row + 1) * width);
      const mean = sum(own) / width;
      const factor = 1 / Math.sqrt(sum(own.map((v) => (v - mean) ** 2)) / width + NORM_EPSILON);
      own.forEach((value, i) => {
        own[i] = (value - mean) * factor;
      });
      return factor;
    });
    const y = normal.map((v, i) => v * scale.data[i % width] + shift.data[i % width]);
    return this.#made(y, (g) => {
      g.forEach((value, i) => {
        scale.gradient[i % width] += value * normal[i];
        shift.gradient[i % width] += value;
      });
      factors.forEach((factor, row) => {
        const [from, to] = [row * width, (row + 1) * width];
        const own = normal.subarray(from, to);
        const h = g.subarray(from, to).map((value, i) => value * scale.data[i]);
        const [mean, along] = [sum(h) / width, sum(h.map((v, i) => v * own[i])) / width];
        // dx = (h − mean h − n · mean(h ⊙ n)) · factor
        h.forEach((value, i) => {
          x.gradient[from + i] += (value - mean - own[i] * along) * factor;
        });
      });
    });
  }

  /** softmax(q·kᵀ / √d)·v of each head, from x `[batch · length, 3 · width]`; nobody sees what follows. */
  attend(x: Variable, { batchSize, heads, length, width }: Gpt): Variable {
    const d = width / heads;
    const at = (n: number, row: number, part: number, head: number) =>
      ((n * length + row) * 3 + part) * width + head * d;
    const y = new Float64Array(x.data.length / 3);
    const weights: Float64Array[] = [];
    const pairs = Array.from({ length: batchSize * heads }, (_, i) => [
      Math.floor(i / heads),
      i % heads,
    ]);
    for (const [n, head] of pairs) {
      const scores = Float64Array.from({ length: length ** 2 }, (_, i) => {
        const [row, other] = [Math.floor(i / length), i % length];
        if (other > row) return Number.NEGATIVE_INFINITY;
        return dot(x.data, at(n, row, 0, head), at(n, other, 1, head), d) / Math.sqrt(d);
      });
      const p = softmaxRows(scores, length);
      weights.push(p);
      p.forEach((weight, i) => {
        const [row, other] = [Math.floor(i / length), i % length];
        const to = (n * length + row) * width + head * d;
        for (let k = 0; k < d; k++) y[to + k] += weight * x.data[at(n, other, 2, head) + k];
      });
    }
    return this.#made(y, (g) => {
      pairs.forEach(([n, head], pair) => {
        const p = weights[pair];
        for (let row = 0; row < length; row++) {
          const own = p.subarray(row * length, (row + 1) * length);
          const from = (n * length + row) * width + head * d;
          const dp = own.map((_, other) => {
            let total = 0;
            for (let k = 0; k < d; k++) total += g[from + k] * x.data[at(n, other, 2, head) + k];
            return total;
          });
          const along = sum(dp.map((value, i) => value * own[i]));
          const q = at(n, row, 0, head);
          own.forEach((weight, other) => {
            const [k, v] = [at(n, other, 1, head), at(n, other, 2, head)];
            const ds = (weight * (dp[other] - along)) / Math.sqrt(d);
            for (let i = 0; i < d; i++) {
              x.gradient[q + i] += ds * x.data[k + i];
              x.gradient[k + i] += ds * x.data[q + i];
              x.gradient[v + i] += weight * g[from + i];
            }
          });
        }
      });
    });
  }

  /** The mean cross-entropy of rows of logits, from which the gradients begin. */
  crossEntropy(logits: Variable, labels: Int32Array): number {
    const { loss, gradient } = crossEntropy(logits.data, labels);
    this.#backs.push(() => addTo(logits.gradient, gradient));
    return loss;
  }
}

function addTo(sums: Float64Array, terms: ArrayLike<number>): void {
  for (let i = 0; i < sums.length; i++) sums[i] += terms[i];
}

function sum(x: Float64Array): number {
  return x.reduce((a, b) => a + b, 0);
}

function dot(x: Float64Array, a: number, b: number, length: number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += x[a + i] * x[b + i];
  return total;
}

/** Where an element of pictures lies once these have a pixel of zeros around. */
function paddedPlace(i: number, size: number, channels: number): number {
  const pixel = Math.floor(i / channels);
  const [n, row] = [Math.floor(pixel / size ** 2), Math.floor(pixel / size) % size];
  const place = (n * (size + 2) + row + 1) * (size + 2) + (pixel % size) + 1;
  return place * channels + (i % channels);
}

/** Φ(x) = 1/2 + φ(x) · Σ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)): Abramowitz and Stegun 1964, 26.2.11. */
function normalCdf(x: number): number {
  if (Math.abs(x) > 9) return Number(x > 0);
  let [term, total] = [x, 0];
  for (let n = 1; Math.abs(term) > 1e-17; n++) {
    total += term;
    term *= x ** 2 / (2 * n + 1);
  }
  return 0.5 + (total * Math.exp(-(x ** 2) / 2)) / Math.sqrt(2 * Math.PI);
}
