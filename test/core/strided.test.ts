import fc from "fast-check";
import { expect, test } from "vitest";
import { sizeOf } from "../../src/core/shape.ts";
import { contiguous, isContiguous, type Strided } from "../../src/core/strided.ts";
import { copyStrided, loopsOf, mapStrided, writeStrided } from "../../src/core/strided-loops.ts";

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

/** A view of the given shape: gaps, broadcast axes, reversed axes and any order in memory. */
function view(shape: readonly number[], seed: number): Strided {
  const strides: number[] = [];
  let offset = 0;
  let step = 1;
  for (const [i, n] of shape.entries()) {
    const kind = (seed >> (2 * i)) & 3;
    if (kind === 0) strides.push(0);
    else {
      strides.push(kind === 3 ? -step : step);
      if (kind === 3) offset += step * Math.max(0, n - 1);
      step *= n + (kind === 2 ? 1 : 0);
    }
  }
  const data = Float64Array.from({ length: offset + step * 2 }, (_, i) => i + seed / 1000);
  return { data, shape, strides, offset };
}

/** The elements of a view by the definition of strides. */
function elements(x: Strided): number[] {
  return Array.from({ length: sizeOf(x.shape) }, (_, linear) => {
    let at = x.offset;
    let rest = linear;
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      at += (rest % x.shape[axis]) * x.strides[axis];
      rest = Math.floor(rest / x.shape[axis]);
    }
    return x.data[at];
  });
}

const seeds = fc.integer({ min: 0, max: 255 });

test("mapStrided reads every input by its strides", () => {
  fc.assert(
    fc.property(shapes, seeds, seeds, seeds, (shape, p, q, r) => {
      const inputs = [view(shape, p), view(shape, q), view(shape, r)];
      const [a, b, c] = inputs.map(elements);
      const y = new Float64Array(sizeOf(shape) + 1).fill(-7); // one more, which stays
      mapStrided((x) => 3 * x, shape, inputs.slice(0, 1), y);
      expect([...y]).toEqual([...a.map((x) => 3 * x), -7]);
      mapStrided((x, z) => x - 2 * z, shape, inputs.slice(0, 2), y);
      expect([...y]).toEqual([...a.map((x, i) => x - 2 * b[i]), -7]);
      mapStrided((x, z, w) => x - 2 * z + w, shape, inputs, y);
      expect([...y]).toEqual([...a.map((x, i) => x - 2 * b[i] + c[i]), -7]);
    }),
  );
});

test("a view is contiguous if its elements follow each other in memory", () => {
  fc.assert(
    fc.property(shapes, seeds, (shape, p) => {
      const x = view(shape, p);
      const places = elements({ ...x, data: x.data.map((_, i) => i) });
      if (places.length > 0)
        expect(isContiguous(x)).toBe(places.every((at, i) => at === x.offset + i));
    }),
    { examples: [[[2, 1, 3], 0b01_00_01]] },
  );
  expect(isContiguous({ ...contiguous(new Float64Array(6), [2, 1, 3]), strides: [3, 7, 1] })).toBe(
    true,
  );
});

test("copyStrided copies a view row-major", () => {
  fc.assert(
    fc.property(shapes, seeds, (shape, p) => {
      const x = view(shape, p);
      const y = new Float64Array(sizeOf(shape));
      copyStrided(x, y);
      expect([...y]).toEqual(elements(x));
    }),
  );
});

test("writeStrided fills a view and nothing beside it", () => {
  fc.assert(
    fc.property(shapes, seeds, seeds, (shape, p, q) => {
      const to = view(shape, q | 0b01010101); // no axis of stride 0: each element has its own place
      const from = view(shape, p);
      const places = new Set(elements({ ...to, data: to.data.map((_, i) => i) }));
      const before = to.data.slice();
      writeStrided(from, to);
      expect(elements(to)).toEqual(elements(from));
      for (const [i, v] of to.data.entries()) if (!places.has(i)) expect(v).toBe(before[i]);
    }),
  );
  const y = contiguous(new Float64Array(3), [3]);
  writeStrided(contiguous(Float64Array.of(1, 2, 3), [3]), y);
  expect([...y.data]).toEqual([1, 2, 3]);
});

test("an empty view is written nowhere, whatever lies around it", () => {
  const y = new Float64Array(6);
  const from: Strided = {
    data: Float64Array.of(1, 2, 3),
    shape: [0, 3],
    strides: [0, 1],
    offset: 0,
  };
  writeStrided(from, { data: y, shape: [0, 3], strides: [3, 1], offset: 0 });
  expect([...y]).toEqual([0, 0, 0, 0, 0, 0]);
});

test("axes that every input walks as one are one loop", () => {
  const x = contiguous(new Float64Array(24), [2, 3, 1, 4]);
  const row = { ...x, strides: [0, 0, 9, 1] };
  expect(loopsOf(x.shape, [x])).toEqual([{ count: 24, strides: [1] }]);
  expect(loopsOf(x.shape, [x, row])).toEqual([
    { count: 6, strides: [4, 0] },
    { count: 4, strides: [1, 1] },
  ]);
  expect(loopsOf(x.shape, [row, { ...x, strides: [-12, -4, 0, -1] }])).toEqual([
    { count: 6, strides: [0, -4] },
    { count: 4, strides: [1, -1] },
  ]);
  expect(loopsOf([1, 1], [x, row])).toEqual([{ count: 1, strides: [0, 0] }]);
});
