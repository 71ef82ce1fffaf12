/** The ops of docs/custom-ops.md. */
import { add, customOp, div, exp, mul, type Tensor } from "../../src/index.ts";

export const LAMBERT_W = `
    fn lambertW(x: f32) -> f32 {
      var w = log(1.0 + x);
      for (var i = 0; i < 5; i++) {
        let e = exp(w);
        let f = w * e - x;
        w -= f / (e * (w + 1.0) - 0.5 * (w + 2.0) * f / (w + 1.0));
      }
      return w;
    }
  `;

export const lambertW = customOp({
  name: "lambertW",
  inputs: ["x"],
  wgsl: LAMBERT_W,
  cpu: (x) => {
    let w = Math.log(1 + x);
    for (let i = 0; i < 5; i++) {
      const e = Math.exp(w);
      const f = w * e - x;
      w -= f / (e * (w + 1) - (0.5 * (w + 2) * f) / (w + 1));
    }
    return w;
  },
  vjp: (g, w) => [div(g, mul(exp(w), add(w, 1)))],
});

export const LAPLACIAN = `
    // y[r, c] = the four neighbours of x[r, c] − 4 x[r, c]
    fn invocation(i: u32) {
      let r = i / x_1;
      let c = i % x_1;
      let around = load_x(r - 1u, c) + load_x(r + 1u, c) + load_x(r, c - 1u) + load_x(r, c + 1u);
      store_y(r, c, around - 4.0 * load_x(r, c));
    }
  `;

export const laplacian = customOp({
  name: "laplacian",
  inputs: ["x"],
  shape: (x) => x,
  wgsl: LAPLACIAN,
  cpu: ([x], y) => {
    const [rows, columns] = x.shape;
    const at = (r: number, c: number) =>
      r < 0 || r >= rows || c < 0 || c >= columns ? 0 : x.data[r * columns + c];
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const around = at(r - 1, c) + at(r + 1, c) + at(r, c - 1) + at(r, c + 1);
        y.data[r * columns + c] = around - 4 * at(r, c);
      }
    }
  },
  vjp: (g): Tensor[] => [laplacian(g)],
});
