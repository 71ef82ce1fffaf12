import { beforeAll, expect, test } from "vitest";
import * as gradus from "../../src/index.ts";
import { ones, type Tensor, zeros } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";

beforeAll(() => testDevice());

type Options = Readonly<Record<string, unknown>>;
const any = (x: unknown) => x as never;

/** A batch of so many axes to slide along, in either order. */
const batch = (rank: number, { layout = "NCX" }: { layout?: string }) =>
  zeros(
    String(layout).endsWith("C") ? [1, ...Array(rank).fill(6), 2] : [1, 2, ...Array(rank).fill(6)],
  );

const functions = gradus as unknown as Record<string, (...given: unknown[]) => Tensor>;
const layers = nn as unknown as Record<string, new (...given: unknown[]) => nn.Module>;

/** What a layer is made by, and the call of the function behind it. */
const KINDS: Record<string, (end: string, options: Options, size: unknown) => (() => unknown)[]> = {
  Conv: (end, options) => [
    () => new layers[`Conv${end}`](2, 2, 3, options),
    () => {
      const weight = ones([2, 2, ...Array(Number(end[0])).fill(3)]);
      return functions[`conv${end}`](batch(Number(end[0]), options), weight, options);
    },
  ],
  ConvTranspose: (end, options) => [
    () => new layers[`ConvTranspose${end}`](2, 2, 3, options),
    () => {
      const weight = ones([2, 2, ...Array(Number(end[0])).fill(3)]);
      return functions[`convTranspose${end}`](batch(Number(end[0]), options), weight, options);
    },
  ],
  ...Object.fromEntries(
    ["MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool"].map((kind) => [
      kind,
      (end: string, options: Options, size: unknown) => [
        () => new layers[kind + end](size, options),
        () => {
          const name = kind[0].toLowerCase() + kind.slice(1) + end;
          return functions[name](batch(Number(end[0]), options), size, options);
        },
      ],
    ]),
  ),
  LPPool: (end, options, size) => [
    () => new layers[`LPPool${end}`](2, size, options),
    () => functions[`lpPool${end}`](batch(Number(end[0]), options), 2, size, options),
  ],
  MaxUnpool: (end, options, size) => [
    () => new layers[`MaxUnpool${end}`](size, options),
    () => {
      const x = batch(Number(end[0]), options);
      return functions[`maxUnpool${end}`](x, gradus.cast(x, "i32"), size, options);
    },
  ],
};

const WINDOWS: [options: Options, size?: unknown][] = [
  [{ stride: 0 }],
  [{ stride: 1.5 }],
  [{ stride: "2" }],
  [{ stride: [1, 1, 1, 1] }],
  [{ padding: -1 }],
  [{ padding: [[0, 0, 0]] }],
];
const POOLS: typeof WINDOWS = [...WINDOWS, [{}, 0], [{}, [2]], [{}, [2, 2, 2, 2]], [{}, "2"]];
const ROWS: Record<string, typeof WINDOWS> = {
  Conv: [
    ...WINDOWS,
    [{ dilation: 0 }],
    [{ padding: "full" }],
    [{ paddingMode: "mirror" }],
    [{ layout: "NCX" }],
    [{ layout: "channels last", stride: 0 }],
  ],
  ConvTranspose: [...WINDOWS, [{ dilation: 0 }], [{ outputPadding: -1 }], [{ padding: "same" }]],
  MaxPool: [
    ...POOLS,
    [{ dilation: 0 }],
    [{ padding: 2 }, 3],
    [{ padding: 3, dilation: 2 }, 3],
    [{ padding: "full" }],
    [{ layout: "NWHC" }],
  ],
  AvgPool: [...POOLS, [{ padding: 2 }, 3], [{ divisorOverride: 0 }]],
  LPPool: [...POOLS, [{ padding: 2 }, 3]],
  MaxUnpool: [...POOLS, [{ outputSize: 0 }], [{ padding: "same" }]],
  AdaptiveAvgPool: [[{}, 0], [{}, [1.5]], [{}, [1, 1, 1, 1]], [{ layout: "NWHC" }]],
  AdaptiveMaxPool: [
    [{}, 0],
    [{}, "3"],
  ],
};

const calls = Object.entries(ROWS).flatMap(([kind, rows]) =>
  (kind === "LPPool" ? ["2d"] : ["1d", "2d", "3d"]).flatMap((end) =>
    rows.map(([options, size = 2]) => [kind + end, options, size, kind, end] as const),
  ),
);

test.each(calls)("%s of %j, %j: is refused when it is made, as a call would be", (...row) => {
  const [name, options, size, kind, end] = row;
  // One number for one axis is right.
  if (end === "1d" && JSON.stringify(size) === "[2]") return expect(size).toEqual([2]);
  const [make, call] = KINDS[kind](end, options, size);
  const [own, wanted] = [errorOf(make), errorOf(call)] as [Error, Error];
  expect(wanted).toBeInstanceOf(gradus.GradusError);
  expect(own?.constructor).toBe(wanted.constructor);
  expect(own.message).toBe(wanted.message.replace(/^\w+/, name));
});

test("layers with the axes of channels last say so", () => {
  expect(() => new nn.Conv2d(1, 1, 3, { stride: any([1]), layout: "NHWC" })).toThrow(
    "Conv2d: stride [1] for axes [1, 2]; expected an integer from 1, or one for each",
  );
  for (const padding of ["same", "valid"] as const) {
    expect(new nn.MaxPool2d(5, { padding, stride: 2 }).call(zeros([1, 1, 9, 9])).rank).toBe(4);
    expect(new nn.Conv1d(1, 1, 5, { padding }).call(zeros([1, 1, 9])).rank).toBe(3);
  }
  expect(new nn.AdaptiveAvgPool2d([null, 3]).call(zeros([1, 1, 9, 9])).shape).toEqual([1, 1, 9, 3]);
});
