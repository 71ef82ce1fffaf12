import { foldIn, keyFromSeed, randomUniform } from "gradus";

/** A colour: red, green and blue in [0, 1]. */
export type Colour = readonly [number, number, number];

/** Gives the colour at (x, y), both from 0 to 1, y downwards. */
export type Picture = (x: number, y: number) => Colour;

/** A shape in front of others: how far inside it a point is, negative outside, and its colour. */
interface Shape {
  readonly inside: (x: number, y: number) => number;
  readonly colour: Picture;
}

/** How wide an edge is: about a pixel of 128. */
const SOFT = 1 / 128;

/** Makes a picture of a sky, hills, a sun and striped disks; the seed places and colours them. */
export async function drawPicture(seed: number): Promise<Picture> {
  using numbers = randomUniform([100], { key: foldIn(keyFromSeed(seed), 0) });
  const drawn = await numbers.data();
  let next = 0;
  const between = (low: number, high: number) => low + (high - low) * drawn[next++];
  const colour = (): Colour => [between(0, 1), between(0, 1), between(0, 1)];
  const shapes = [
    sun(between, colour()),
    ...[0.55, 0.7, 0.82].map((y) => hill(y, between, colour())),
  ];
  for (let i = 0; i < 5; i++) shapes.push(disk(between, colour(), colour()));
  const [top, bottom] = [colour(), colour()];
  return (x, y) => {
    const sky = mix(top, bottom, y);
    return shapes.reduce(
      (behind, { inside, colour }) => mix(behind, colour(x, y), edge(inside(x, y))),
      sky,
    );
  };
}

type Between = (low: number, high: number) => number;

function sun(between: Between, colour: Colour): Shape {
  const [cx, cy, radius] = [between(0.15, 0.85), between(0.1, 0.3), between(0.06, 0.12)];
  return { inside: (x, y) => radius - Math.hypot(x - cx, y - cy), colour: () => colour };
}

/** What lies below a wave about a height, darker towards the bottom. */
function hill(height: number, between: Between, colour: Colour): Shape {
  const waves = [1, 2, 5].map((turns) => [between(0.01, 0.06) / turns, turns, between(0, 1)]);
  const line = (x: number) =>
    waves.reduce(
      (y, [a, turns, phase]) => y + a * Math.sin(2 * Math.PI * (turns * x + phase)),
      height,
    );
  return {
    inside: (x, y) => y - line(x),
    colour: (x, y) => mix(colour, [0, 0, 0], 0.6 * Math.min(1, Math.max(0, y - line(x)) * 3)),
  };
}

/** A disk with stripes of two colours. */
function disk(between: Between, a: Colour, b: Colour): Shape {
  const [cx, cy, radius] = [between(0.1, 0.9), between(0.3, 0.9), between(0.05, 0.15)];
  const [angle, stripes] = [between(0, Math.PI), between(10, 22)];
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  return {
    inside: (x, y) => radius - Math.hypot(x - cx, y - cy),
    colour: (x, y) => {
      const wave = Math.sin(2 * Math.PI * stripes * (dx * x + dy * y));
      return mix(a, b, edge(wave / (2 * Math.PI * stripes)));
    },
  };
}

/** 0 outside, 1 inside, and what is between in the width of an edge. */
function edge(inside: number): number {
  const t = Math.min(1, Math.max(0, inside / SOFT + 0.5));
  return t * t * (3 - 2 * t);
}

/** A colour between two others: `share` of the second. */
export function mix(a: Colour, b: Colour, share: number): Colour {
  const at = (i: 0 | 1 | 2) => a[i] + (b[i] - a[i]) * share;
  return [at(0), at(1), at(2)];
}

/** Points of a square grid, the middle of each of `size`² cells, and a picture's colours there. */
export interface Pixels {
  readonly size: number;
  /** `[size², 2]`: x and y in [0, 1]. */
  readonly coordinates: Float32Array<ArrayBuffer>;
  /** `[size², 3]`. */
  readonly colours: Float32Array<ArrayBuffer>;
}

/** Takes a picture's colours in the middle of `size`² cells, row by row. */
export function pixelsOf(picture: Picture, size: number): Pixels {
  const coordinates = new Float32Array(size * size * 2);
  const colours = new Float32Array(size * size * 3);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [((i % size) + 0.5) / size, (Math.floor(i / size) + 0.5) / size];
    coordinates.set([x, y], 2 * i);
    colours.set(picture(x, y), 3 * i);
  }
  return { size, coordinates, colours };
}
