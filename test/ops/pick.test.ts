import { expect, test } from "vitest";
import { grad, init, mul, sum, type Tensor, tensor, transpose } from "../../src/index.ts";
import { pick } from "../../src/ops/pick.ts";

const { device } = await init({ device: typeof window === "undefined" ? "cpu" : "webgpu" });
const columns = () => tensor([2, 0, -1, 3], { dtype: "i32", device });

test("picks an element of each row of any layout, and 0 where there is none", async () => {
  const x = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
      [10, 11, 12],
    ],
    { device },
  );
  expect(await pick(x, columns()).toArray()).toEqual([3, 4, 0, 0]);
  const ends = tensor([3, 2, -1, 2], { dtype: "i32", device }); // one before and one behind each row
  expect(await pick(x, ends).toArray()).toEqual([0, 6, 0, 12]);
  const turned = transpose(
    tensor(
      [
        [1, 4, 7, 10],
        [2, 5, 8, 11],
        [3, 6, 9, 12],
      ],
      { device },
    ),
  );
  expect(await pick(turned, columns()).toArray()).toEqual([3, 4, 0, 0]);
});

test("picks 0 where rows are empty", async () => {
  const x = tensor([], { shape: [4, 0], device });
  expect(await pick(x, columns()).toArray()).toEqual([0, 0, 0, 0]);
});

test("has gradients of any order", async () => {
  const x = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
      [10, 11, 12],
    ],
    { device },
  );
  const cubes = (y: Tensor) => sum(mul(pick(mul(y, y), columns()), pick(y, columns())));
  const [first] = grad(cubes(x), [x]);
  expect(await first.toArray()).toEqual([
    [0, 0, 27],
    [48, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
  const [second] = grad(sum(grad(cubes(x), [x])[0]), [x]);
  expect(await second.toArray()).toEqual([
    [0, 0, 18],
    [24, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
});
