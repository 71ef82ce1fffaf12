import { beforeAll, describe, expect, test } from "vitest";
import {
  melFilters,
  melSpectrogram,
  type StftOptions,
  spectrogram,
  stft,
} from "../../src/audio/index.ts";
import {
  compile,
  grad,
  gradCheck,
  init,
  mul,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { expectWithin } from "../support/close.ts";
import { inBrowser, testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

const sound = (n: number, seed = 1) =>
  Float32Array.from(
    { length: n },
    (_, i) => Math.sin(0.3 * i * seed) + 0.5 * Math.sin(i * i * 0.01),
  );

/** The definition: frame by frame and frequency by frequency, in float64. */
function direct(
  x: ArrayLike<number>,
  options: StftOptions,
  hops: number,
): { real: number[]; imaginary: number[] } {
  const { fftSize: N = 400, window = "hann", center = true } = options;
  const { hopLength = Math.max(1, Math.floor(N / hops)) } = options;
  const half = Math.floor(N / 2);
  const at = (i: number) => {
    const j = center ? i - half : i;
    const last = x.length - 1;
    return x[j < 0 ? -j : j > last ? 2 * last - j : j];
  };
  const length = x.length + (center ? 2 * half : 0);
  const frames = Math.floor((length - N) / hopLength) + 1;
  const w = (n: number) => {
    if (window === "none" || N === 1) return 1;
    const [a, b] = window === "hann" ? [0.5, 0.5] : [0.54, 0.46];
    return a - b * Math.cos((2 * Math.PI * n) / N);
  };
  const [real, imaginary]: number[][] = [[], []];
  for (let f = 0; f <= half; f++) {
    for (let t = 0; t < frames; t++) {
      let [re, im] = [0, 0];
      for (let n = 0; n < N; n++) {
        const value = w(n) * at(t * hopLength + n);
        re += value * Math.cos((2 * Math.PI * f * n) / N);
        im -= value * Math.sin((2 * Math.PI * f * n) / N);
      }
      real.push(re);
      imaginary.push(im);
    }
  }
  return { real, imaginary };
}

describe("stft", () => {
  test.each<[number, StftOptions]>([
    [90, { fftSize: 16 }],
    [90, { fftSize: 16, hopLength: 5, window: "hamming" }],
    [90, { fftSize: 15, window: "none", center: false }],
    [16, { fftSize: 16, center: false }],
    [9, { fftSize: 16 }], // the shortest that can be mirrored
    [5, { fftSize: 1 }],
    [5, { fftSize: 1, window: "hamming" }],
    [1000, {}],
  ])("of %i samples with %j is the definition", async (n, options) => {
    const x = sound(n);
    const { real, imaginary } = stft(tensor(x), options);
    const expected = direct(x, options, 4); // PyTorch's hop
    const within = () => 1e-5 * Math.sqrt(options.fftSize ?? 400);
    expectWithin(await real.data(), expected.real, within);
    expectWithin(await imaginary.data(), expected.imaginary, within);
    const size = Math.floor((options.fftSize ?? 400) / 2) + 1;
    expect(real.shape).toEqual([size, expected.real.length / size]);
  });

  test("goes through channels one by one, compiled too", async () => {
    const both = tensor([[...sound(60)], [...sound(60, 2)]]);
    const run = compile((x: Tensor) => spectrogram(x, { fftSize: 12, power: 1 }));
    const y = await run(both);
    expect(y.shape).toEqual([2, 7, 11]);
    const expected = [1, 2].flatMap((seed) => {
      const { real, imaginary } = direct(sound(60, seed), { fftSize: 12 }, 2); // torchaudio's hop
      return real.map((re, i) => Math.hypot(re, imaginary[i]));
    });
    expectWithin(await y.data(), expected, () => 1e-5);
    const power = await spectrogram(both, { fftSize: 12 }).data();
    expectWithin(
      power,
      expected.map((value) => value * value),
      (value) => 1e-5 * (1 + value),
    );
  });

  test("has a gradient", async () => {
    const x = sound(40);
    const weights = tensor(sound(7 * 7, 3), { shape: [7, 7] });
    const options = { fftSize: 12 };
    const loss = (input: Tensor) => sum(mul(spectrogram(input, options), weights));
    const input = tensor(x);
    const [g] = grad(loss(input), [input]);
    const found = await g.data();
    const own = await weights.data();
    const value = (values: Float64Array) => {
      const { real, imaginary } = direct(values, options, 2);
      return real.reduce((total, re, i) => total + own[i] * (re * re + imaginary[i] ** 2), 0);
    };
    const expected = Array.from(x, (_, i) => {
      const [up, down] = [1e-4, -1e-4].map((step) => {
        const moved = Float64Array.from(x);
        moved[i] += step;
        return value(moved);
      });
      return (up - down) / 2e-4;
    });
    expectWithin(found, expected, (value) => 1e-4 * (1 + Math.abs(value)));
  });
});

if (!inBrowser) {
  test("gradients of first and second order in float64", async () => {
    const { device } = await init({ device: "cpu" });
    const x = tensor(Float64Array.from(sound(30)), { device });
    const options = { sampleRate: 8000, fftSize: 10, mels: 4, power: 1 } as const;
    const loss = (input: Tensor) => sum(square(melSpectrogram(input, options)));
    await gradCheck(loss, [x], { tolerance: 1e-6 });
    await gradCheck((input) => sum(square(grad(loss(input), [input])[0])), [x], {
      tolerance: 1e-5,
    });
  });
}

describe("melFilters", () => {
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);

  test("are triangles that lie evenly on the mel scale", async () => {
    const [mels, fftSize, sampleRate] = [6, 64, 8000];
    const filters = melFilters({ sampleRate, fftSize, mels, low: 100, high: 3800 });
    expect(filters.shape).toEqual([33, mels]);
    const found = (await filters.toArray()) as number[][];
    const step = (mel(3800) - mel(100)) / (mels + 1);
    for (const [row, values] of found.entries()) {
      const frequency = (sampleRate / 2) * (row / 32);
      for (const [m, value] of values.entries()) {
        const [a, b, c] = [0, 1, 2].map((i) => {
          return 700 * (10 ** ((mel(100) + (m + i) * step) / 2595) - 1);
        });
        const expected =
          frequency <= a || frequency >= c
            ? 0
            : frequency <= b
              ? (frequency - a) / (b - a)
              : (c - frequency) / (c - b);
        expect(value).toBeCloseTo(expected, 5);
      }
    }
  });

  test("of Slaney's scale are even in Hz up to 1000, and of equal area", async () => {
    // 15 steps to 1000 Hz and 27 to 6400: one filter on each step but the last.
    const options = { sampleRate: 12_800, fftSize: 3840, mels: 41, scale: "slaney" } as const;
    const found = (await melFilters({ ...options, normalize: true }).toArray()) as number[][];
    const width = 6400 / 1920;
    const peaks = Array.from({ length: 41 }, (_, m) => {
      const column = found.map((row) => row[m]);
      expect(column.reduce((total, value) => total + value, 0) * width).toBeCloseTo(1, 2);
      return width * column.indexOf(Math.max(...column));
    });
    for (let m = 0; m < 14; m++) expect(peaks[m]).toBeCloseTo(((m + 1) * 200) / 3, 1);
    for (let m = 15; m < 41; m++) {
      const expected = 1000 * 6.4 ** ((m + 1 - 15) / 27);
      expect(Math.abs(peaks[m] - expected)).toBeLessThan(width);
    }
  });

  test("gather a spectrogram's bands", async () => {
    const x = tensor([[...sound(80)], [...sound(80, 2)]]);
    const options = { sampleRate: 8000, fftSize: 16, mels: 5 } as const;
    const found = melSpectrogram(x, options);
    expect(found.shape).toEqual([2, 5, 11]);
    const power = (await spectrogram(x, { fftSize: 16 }).toArray()) as number[][][];
    const filters = (await melFilters(options).toArray()) as number[][];
    const expected = power.flatMap((channel) =>
      filters[0].flatMap((_, m) =>
        channel[0].map((_, t) =>
          filters.reduce((total, row, f) => total + row[m] * channel[f][t], 0),
        ),
      ),
    );
    expectWithin(await found.data(), expected, (value) => 1e-5 * (1 + value));
  });
});

test.each<[string, () => unknown, string]>([
  [
    "too short a sound",
    () => stft(tensor(sound(8)), { fftSize: 16 }),
    "stft: x [8] with fftSize 16; expected […, samples] of at least 9 samples",
  ],
  [
    "too short a sound without mirrors",
    () => spectrogram(tensor(sound(15)), { fftSize: 16, center: false }),
    "spectrogram: x [15] with fftSize 16; expected […, samples] of at least 16 samples",
  ],
  ["a scalar", () => stft(tensor(1)), "stft: x [] with fftSize 400; expected"],
  ["bytes", () => stft(tensor(new Uint8Array(900))), "stft: x has dtype u8"],
  [
    "no frame",
    () => stft(tensor(sound(9)), { fftSize: 0 }),
    "stft: fftSize 0; expected an integer",
  ],
  [
    "no hop",
    () => stft(tensor(sound(9)), { fftSize: 4, hopLength: 0 }),
    "stft: hopLength 0; expected a positive integer",
  ],
  [
    "another window",
    () => stft(tensor(sound(9)), { fftSize: 4, window: "han" as never }),
    'stft: window han; expected hann, hamming, none. Did you mean "hann"?',
  ],
  [
    "another power",
    () => spectrogram(tensor(sound(9)), { fftSize: 4, power: 3 as never }),
    "spectrogram: power 3; expected 1 or 2",
  ],
  [
    "no rate",
    () => melFilters({} as never),
    "melFilters: sampleRate undefined; expected an integer",
  ],
  [
    "bands that end before they begin",
    () => melFilters({ sampleRate: 8000, low: 4000 }),
    "melFilters: low 4000 and high 4000; expected low below high",
  ],
  [
    "another scale",
    () => melSpectrogram(tensor(sound(900)), { sampleRate: 8000, scale: "bark" as never }),
    "melSpectrogram: scale bark; expected htk, slaney",
  ],
  [
    "no bands",
    () => melFilters({ sampleRate: 8000, mels: 0 }),
    "melFilters: mels 0; expected an integer from 1 to 16384",
  ],
  [
    "more bands than memory has room for",
    () => melFilters({ sampleRate: 8000, mels: 1e12 }),
    "melFilters: mels 1000000000000; expected an integer from 1 to 16384",
  ],
])("%s is refused", (_, call, message) => {
  expect(call).toThrow(message);
});
