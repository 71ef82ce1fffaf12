import type { Windows } from "./series.ts";

/** Forecasts the last value of each window, for all times. */
export function lastValues({ count, window, horizon, inputs }: Windows): Float32Array {
  const made = new Float32Array(count * horizon);
  for (let i = 0; i < made.length; i++)
    made[i] = inputs[Math.floor(i / horizon) * window + window - 1];
  return made;
}

/**
 * Forecasts by the linear function of a window that errs least on windows to train on: weights W of
 * (X'X + I) W = X'Y, where a column of X is 1.
 */
export function linearForecast(train: Windows, test: Windows): Float32Array {
  const { window, horizon } = train;
  const n = window + 1;
  const at = ({ inputs }: Windows, row: number, i: number) =>
    i === window ? 1 : inputs[row * window + i];
  // [X'X + I | X'Y], of which only the sums over rows are kept.
  const system = Array.from({ length: n }, (_, i) => {
    return Float64Array.from({ length: n + horizon }, (_, j) => Number(i === j));
  });
  for (let row = 0; row < train.count; row++) {
    for (let i = 0; i < n; i++) {
      const x = at(train, row, i);
      for (let j = 0; j < n; j++) system[i][j] += x * at(train, row, j);
      for (let k = 0; k < horizon; k++) system[i][n + k] += x * train.targets[row * horizon + k];
    }
  }
  // Gauss and Jordan: the matrix is positive definite.
  for (let i = 0; i < n; i++) {
    const pivot = system[i].map((value) => value / system[i][i]);
    system[i] = pivot;
    for (let j = 0; j < n; j++) {
      const factor = system[j][i];
      if (j !== i) system[j] = system[j].map((value, k) => value - factor * pivot[k]);
    }
  }
  const made = new Float32Array(test.count * horizon);
  for (let row = 0; row < test.count; row++) {
    for (let k = 0; k < horizon; k++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += at(test, row, i) * system[i][n + k];
      made[row * horizon + k] = sum;
    }
  }
  return made;
}

/** The root of the mean square of what forecasts err by. */
export function rootMeanSquare(made: ArrayLike<number>, targets: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += (made[i] - targets[i]) ** 2;
  return Math.sqrt(sum / targets.length);
}
