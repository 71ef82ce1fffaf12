import { beforeAll, describe, expect, test } from "vitest";
import { decodeAudio, readWav, resample } from "../../src/audio/index.ts";
import { FormatError, GradusError, tensor } from "../../src/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";
import { wavFile } from "../support/wav-file.ts";

beforeAll(() => testDevice());

const left = [0, 0.5, -0.5, 0.25, -1, 0.75];
const right = [0.125, -0.125, 0.5, 0, 0, -0.75];

describe("readWav", () => {
  test.each([
    [1, 8],
    [1, 16],
    [1, 24],
    [1, 32],
    [3, 32],
    [3, 64],
  ] as const)("reads samples of form %i of %i bits, one channel or two", (code, bits) => {
    for (const extensible of [false, true]) {
      const form = { code, bits, extensible, sampleRate: 11_025 };
      const two = readWav(wavFile(form, [left, right]));
      expect(two.sampleRate).toBe(11_025);
      expect(two.channels.map((channel) => [...channel])).toEqual([left, right]);
      const one = readWav(wavFile(form, [left.slice(0, 3)]));
      expect(one.channels.map((channel) => [...channel])).toEqual([left.slice(0, 3)]);
    }
  });

  test("reads a file to its end where that was not known before, and from the middle of a buffer", () => {
    const whole = wavFile({}, [left]);
    const streamed = wavFile({}, [left]);
    streamed.fill(0xff, streamed.length - 2 * left.length - 4, streamed.length - 2 * left.length);
    expect([...readWav(streamed).channels[0]]).toEqual(left);
    const inside = new Uint8Array(whole.length + 3);
    inside.set(whole, 3);
    expect([...readWav(inside.subarray(3)).channels[0]]).toEqual(left);
  });

  const changed = (at: number, ...values: number[]) => {
    const bytes = wavFile({}, [left]);
    bytes.set(values, at);
    return bytes;
  };
  test.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(), "readWav: 0 bytes of another kind; expected a WAV file"],
    ["another file", changed(8, 65), "bytes of another kind; expected a WAV file"],
    [
      "no samples",
      wavFile({}, [left]).subarray(0, 48),
      "readWav: a WAV file without samples; expected",
    ],
    [
      "a file that ends early",
      wavFile({}, [left]).subarray(0, -5),
      "readWav: 7 bytes of samples; expected 12, as the file says. It ends too early",
    ],
    ["samples of no form", changed(12, 65), "readWav: samples before their form; expected"],
    ["a short form", wavFile({}, [left]).subarray(0, 30), "readWav: a form of 10 bytes; expected"],
    [
      "another form",
      changed(20, 2),
      "readWav: 1 channels of 16 bits of form 2, 8000 times a second",
    ],
    ["no channels", changed(22, 0), "readWav: 0 channels of 16 bits of form 1"],
    ["12 bits", changed(34, 12), "readWav: 1 channels of 12 bits of form 1"],
    ["no rate", changed(24, 0, 0), "of form 1, 0 times a second"],
  ])("refuses %s", (_, bytes, message) => {
    const error = errorOf(() => readWav(bytes));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(message);
  });
});

describe("decodeAudio", () => {
  const sine = (rate: number, hertz: number, seconds = 0.25) =>
    Array.from(
      { length: rate * seconds },
      (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate),
    );

  test("gives channels of samples at the file's own rate", async () => {
    const bytes = wavFile({ sampleRate: 8000 }, [left, right]);
    for (const input of [bytes, bytes.buffer, new Blob([bytes])]) {
      const sound = await decodeAudio(input, { sampleRate: 8000 });
      expect([sound.dtype, sound.shape]).toEqual(["f32", [2, 6]]);
      const found = (await sound.toArray()) as number[][];
      for (const [i, channel] of [left, right].entries()) {
        for (const [j, sample] of channel.entries()) expect(found[i][j]).toBeCloseTo(sample, 3);
      }
    }
    expect(bytes.length).toBeGreaterThan(0); // the buffer is still the caller's
  });

  test("changes the rate", async () => {
    const bytes = wavFile({ sampleRate: 22_050, code: 3, bits: 32 }, [sine(22_050, 440)]);
    const sound = await decodeAudio(bytes, { sampleRate: 16_000 });
    const expected = sine(16_000, 440);
    expect(Math.abs(sound.shape[1] - expected.length)).toBeLessThanOrEqual(1);
    const found = await sound.data();
    for (let i = 200; i < expected.length - 200; i++) {
      expect(Math.abs(found[i] - expected[i])).toBeLessThan(0.01);
    }
  });

  test("refuses what is no sound, and rates that are none", async () => {
    const noise = decodeAudio(new Uint8Array(100), { sampleRate: 8000 });
    await expect(noise).rejects.toThrow(
      inBrowser
        ? "decodeAudio: 100 bytes that the browser does not decode; expected a sound that it plays"
        : "decodeAudio: 100 bytes of another kind; expected a WAV file",
    );
    await expect(noise).rejects.toBeInstanceOf(FormatError);
    const none = decodeAudio(wavFile({}, [left]), { sampleRate: 0 });
    await expect(none).rejects.toThrow(
      "decodeAudio: sampleRate 0; expected an integer from 1 to 2^24",
    );
    await expect(none).rejects.toBeInstanceOf(GradusError);
    const bare = decodeAudio(wavFile({}, [left]), 8000 as never);
    await expect(bare).rejects.toThrow("Did you mean { sampleRate: 8000 }?");
    if (!inBrowser) return;
    const slow = decodeAudio(wavFile({}, [left]), { sampleRate: 7 });
    await expect(slow).rejects.toThrow(
      "decodeAudio: sampleRate 7; expected one that the browser has, such as 8000 to 96000",
    );
  });
});

describe("resample", () => {
  /** y[j] = Σ x[k] · h(j/to − k/from), where h is a windowed sinc below the lower rate's highest frequency. */
  function direct(x: readonly number[], from: number, to: number): number[] {
    const base = 0.99 * Math.min(from, to);
    const h = (seconds: number) => {
      const t = base * seconds;
      if (Math.abs(t) >= 6) return 0;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      return (base / from) * sinc * Math.cos((Math.PI * t) / 12) ** 2;
    };
    return Array.from({ length: Math.ceil((x.length * to) / from) }, (_, j) =>
      x.reduce((sum, value, k) => sum + value * h(k / from - j / to), 0),
    );
  }

  const noise = Array.from({ length: 100 }, (_, i) => Math.sin(i * i * 0.7));

  test.each([
    [8000, 16_000],
    [16_000, 8000],
    [44_100, 16_000],
    [3, 2],
    [2, 3],
  ])("from %i to %i is a windowed sinc", async (from, to) => {
    const expected = direct(noise, from, to);
    const found = await resample(tensor(noise), { from, to }).data();
    expect(found.length).toBe(expected.length);
    for (const [i, value] of expected.entries())
      expect(Math.abs(found[i] - value)).toBeLessThan(1e-5);
  });

  test("goes through channels one by one, and leaves what has the rate", async () => {
    const x = tensor([noise, noise.map((value) => -2 * value)]);
    expect(resample(x, { from: 5, to: 5 })).toBe(x);
    const y = resample(x, { from: 2, to: 1 });
    expect(y.shape).toEqual([2, 50]);
    const [first, second] = (await y.toArray()) as number[][];
    for (const [i, value] of first.entries()) expect(second[i]).toBeCloseTo(-2 * value, 5);
  });

  test.each<[unknown, object, string]>([
    [0.5, { from: 1, to: 2 }, "resample: x has shape []; expected at least one axis"],
    [[0.5], { from: 0, to: 2 }, "resample: from 0; expected an integer from 1 to 2^24"],
    [[0.5], { from: 1, to: 0.5 }, "resample: to 0.5; expected an integer from 1 to 2^24"],
    [[true], { from: 1, to: 2 }, "resample: x has dtype bool"],
    [
      [0.5],
      { from: 2 ** 24, to: 2 ** 24 - 1 },
      "resample: from 16777216 to 16777215 by filters of 281475194814450 numbers; expected at most 268435456",
    ],
  ])("refuses %j with %j", (x, options, message) => {
    expect(() => resample(tensor(x as number[]), options as never)).toThrow(message);
  });
});
