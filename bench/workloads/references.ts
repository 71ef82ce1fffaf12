/** What the operations must give, in float64 and three plain loops. */

/** A matrix in memory: rows × columns as it is used, and whether the memory holds its transpose. */
export interface Matrix {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
  readonly transposed?: boolean;
}

/** y = a·b, row after row of b scaled and added. */
export function multiply(a: Matrix, b: Matrix): Float64Array {
  const y = new Float64Array(a.rows * b.columns);
  const packed = b.transposed ? untransposed(b) : b.data;
  const [rowStep, stepK] = a.transposed ? [1, a.rows] : [a.columns, 1];
  for (let i = 0; i < a.rows; i++) {
    const row = y.subarray(i * b.columns, (i + 1) * b.columns);
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[i * rowStep + k * stepK];
      const from = k * b.columns;
      for (let j = 0; j < row.length; j++) row[j] += factor * packed[from + j];
    }
  }
  return y;
}

function untransposed({ data, rows, columns }: Matrix): Float64Array {
  const straight = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) straight[i * columns + j] = data[j * rows + i];
  }
  return straight;
}

/** σ(x) = 1 / (1 + e⁻ˣ). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** With d = (x/2 + 1)·x − 1/4: y = (σ(d)·d)² + x, eight operations. */
export function chain(x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value) => {
    const d = (value * 0.5 + 1) * value - 0.25;
    return (sigmoid(d) * d) ** 2 + value;
  });
}

/** exp(x − max x) / Σ exp(x − max x) of each row. */
export function softmaxRows(x: ArrayLike<number>, columns: number): Float64Array {
  const y = Float64Array.from(x);
  for (let start = 0; start < y.length; start += columns) {
    const row = y.subarray(start, start + columns);
    const largest = row.reduce((a, b) => Math.max(a, b));
    row.forEach((value, i) => {
      row[i] = Math.exp(value - largest);
    });
    const total = row.reduce((a, b) => a + b);
    row.forEach((value, i) => {
      row[i] = value / total;
    });
  }
  return y;
}

/** The sum of each run of `length` elements. */
export function sums(x: ArrayLike<number>, length: number): Float64Array {
  const y = new Float64Array(x.length / length);
  for (let i = 0; i < x.length; i++) y[Math.floor(i / length)] += x[i];
  return y;
}

/** L = −(1/n) Σ log pᵢ of the labels with p = softmax(z), and dz = (p − t) / n. */
export function crossEntropy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
): { loss: number; gradient: Float64Array } {
  const rows = labels.length;
  const columns = logits.length / rows;
  const gradient = softmaxRows(logits, columns);
  let loss = 0;
  for (let i = 0; i < rows; i++) {
    loss -= Math.log(gradient[i * columns + labels[i]]) / rows;
    gradient[i * columns + labels[i]] -= 1;
  }
  return { loss, gradient: gradient.map((value) => value / rows) };
}

/** The loss, then the gradient times the number of rows, so that both are of one size. */
export function joinLoss(loss: number, gradient: ArrayLike<number>, rows: number): Float64Array {
  const joined = new Float64Array(gradient.length + 1);
  joined[0] = loss;
  for (let i = 0; i < gradient.length; i++) joined[i + 1] = gradient[i] * rows;
  return joined;
}

/** Sizes of a convolution of square images at each place where the whole kernel fits. */
export interface ConvolutionSizes {
  readonly batch: number;
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
}

/** Calls back for each pixel of y, each place of the kernel, with where the channels of all begin. */
function eachTap(
  { batch, size, inputs, outputs, kernel }: ConvolutionSizes,
  tap: (x: number, w: number, y: number) => void,
): void {
  const places = size - kernel + 1;
  for (let pixel = 0; pixel < batch * places * places; pixel++) {
    const [n, row, column] = [
      Math.floor(pixel / places ** 2),
      Math.floor(pixel / places) % places,
      pixel % places,
    ];
    for (let k = 0; k < kernel ** 2; k++) {
      const [down, right] = [Math.floor(k / kernel), k % kernel];
      const from = (n * size + row + down) * size + column + right;
      tap(from * inputs, k * inputs * outputs, pixel * outputs);
    }
  }
}

/** y[n, i, j, o] = Σ x[n, i + p, j + q, c] · w[p, q, c, o]. */
export function convolve(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  sizes: ConvolutionSizes,
): Float64Array {
  const { batch, size, inputs, outputs, kernel } = sizes;
  const y = new Float64Array(batch * (size - kernel + 1) ** 2 * outputs);
  eachTap(sizes, (atX, atW, atY) => {
    for (let c = 0; c < inputs; c++) {
      const row = atW + c * outputs;
      for (let o = 0; o < outputs; o++) y[atY + o] += x[atX + c] * w[row + o];
    }
  });
  return y;
}

/** L = Σ y·g and its gradients by x and w. */
export function convolutionGradients(
  { x, w, g }: Readonly<Record<"x" | "w" | "g", ArrayLike<number>>>,
  sizes: ConvolutionSizes,
): { loss: number; dx: Float64Array; dw: Float64Array } {
  const { inputs, outputs } = sizes;
  const [dx, dw] = [new Float64Array(x.length), new Float64Array(w.length)];
  eachTap(sizes, (atX, atW, atY) => {
    for (let c = 0; c < inputs; c++) {
      const row = atW + c * outputs;
      for (let o = 0; o < outputs; o++) {
        dx[atX + c] += g[atY + o] * w[row + o];
        dw[row + o] += g[atY + o] * x[atX + c];
      }
    }
  });
  const loss = convolve(x, w, sizes).reduce((sum, value, i) => sum + value * g[i], 0);
  return { loss, dx, dw };
}

/** Loss and gradients in one list, each divided by the root of how many products are added up in it. */
export function joinConvolution(
  lists: readonly ArrayLike<number>[],
  { batch, size, inputs, outputs, kernel }: ConvolutionSizes,
): Float64Array {
  const pixels = batch * (size - kernel + 1) ** 2;
  const terms = [pixels * outputs * inputs * kernel ** 2, outputs * kernel ** 2, pixels];
  return Float64Array.from(
    lists.flatMap((list, i) => Array.from(list, (value) => value / Math.sqrt(terms[i]))),
  );
}
