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
