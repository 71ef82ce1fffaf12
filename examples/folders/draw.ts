import { foldIn, type Key, randomUniform } from "gradus";
import { type Colour, mix } from "../field/picture.ts";

/** The two kinds of heads. */
export type Kind = "cats" | "dogs";
export const KINDS: readonly Kind[] = ["cats", "dogs"];

/** How far inside a shape the point (x, y) of a head is, negative outside; the head has the radius 1. */
type Inside = (x: number, y: number) => number;

/** Shapes, those behind first, with their colours. */
type Drawing = readonly (readonly [inside: Inside, colour: Colour])[];

/** Draws numbers from `low` to `high`. */
type Between = (low: number, high: number) => number;

/** Random numbers of a picture. */
const NUMBERS = 64;

/**
 * Draws the head of a cat (pointed ears on top, whiskers) or of a dog (ears that hang, a long muzzle) in some
 * colours, size, place and tilt before blots and stripes, as RGB bytes of `size` × `size` pixels with some noise.
 */
export async function drawHead(kind: Kind, key: Key, size: number): Promise<Uint8Array> {
  using numbers = randomUniform([NUMBERS + 3 * size * size], { key });
  const drawn = await numbers.data();
  let next = 0;
  const between: Between = (low, high) => low + (high - low) * drawn[next++];
  const colour = (): Colour => [between(0, 1), between(0, 1), between(0, 1)];
  const behind = background(between, colour);
  const [cx, cy, radius] = [between(0.35, 0.65), between(0.4, 0.65), between(0.17, 0.27)];
  const tilt = between(-0.6, 0.6);
  const [c, s] = [Math.cos(tilt) / radius, Math.sin(tilt) / radius];
  const shapes = (kind === "cats" ? cat : dog)(between, colour);
  const noise = between(0, 0.12);
  const pixels = new Uint8Array(3 * size * size);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [((i % size) + 0.5) / size, (Math.floor(i / size) + 0.5) / size];
    const [u, v] = [(x - cx) * c + (y - cy) * s, (y - cy) * c - (x - cx) * s];
    const seen = shapes.reduce(
      (below, [inside, above]) => mix(below, above, cover(inside(u, v) * radius * size)),
      behind(x, y),
    );
    for (const [channel, value] of seen.entries()) {
      const place = 3 * i + channel;
      const noisy = value + noise * (drawn[NUMBERS + place] - 0.5);
      pixels[place] = Math.round(255 * Math.min(1, Math.max(0, noisy)));
    }
  }
  return pixels;
}

/** How much of a pixel is covered by what lies so many pixels inside an edge. */
function cover(inside: number): number {
  return Math.min(1, Math.max(0, inside + 0.5));
}

/** A colour that runs into another one, with stripes and three blots. */
function background(between: Between, colour: () => Colour): (x: number, y: number) => Colour {
  const [from, to, stripe] = [colour(), colour(), colour()];
  const [angle, waves, strength] = [between(0, Math.PI), between(1, 8), between(0, 0.6)];
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const blots = Array.from({ length: 3 }, () => {
    return { x: between(0, 1), y: between(0, 1), r: between(0.05, 0.25), colour: colour() };
  });
  return (x, y) => {
    const wave = Math.sin(2 * Math.PI * waves * (dx * x + dy * y));
    const ground = mix(mix(from, to, y), stripe, strength * (wave > 0 ? 1 : 0));
    return blots.reduce((below, blot) => {
      const inside = blot.r - Math.hypot(x - blot.x, y - blot.y);
      return mix(below, blot.colour, cover(50 * inside));
    }, ground);
  };
}

function disk(x: number, y: number, r: number): Inside {
  return (u, v) => r - Math.hypot(u - x, v - y);
}

function ellipse(x: number, y: number, a: number, b: number, turn = 0): Inside {
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  return (u, v) => {
    const [du, dv] = [(u - x) * c + (v - y) * s, (v - y) * c - (u - x) * s];
    return (1 - Math.hypot(du / a, dv / b)) * Math.min(a, b);
  };
}

/** A triangle: the least of the distances from its sides, whose corners turn to the right. */
function triangle(...corners: readonly (readonly [number, number])[]): Inside {
  return (u, v) => {
    const distances = corners.map(([x, y], i) => {
      const [x1, y1] = corners[(i + 1) % 3];
      return ((x1 - x) * (v - y) - (y1 - y) * (u - x)) / Math.hypot(x1 - x, y1 - y);
    });
    return Math.min(...distances);
  };
}

/** A line from one point to another. */
function line(x: number, y: number, x1: number, y1: number, width: number): Inside {
  const [dx, dy] = [x1 - x, y1 - y];
  return (u, v) => {
    const along = ((u - x) * dx + (v - y) * dy) / (dx * dx + dy * dy);
    const t = Math.min(1, Math.max(0, along));
    return width - Math.hypot(u - x - t * dx, v - y - t * dy);
  };
}

const DARK: Colour = [0.08, 0.06, 0.06];
const PINK: Colour = [0.9, 0.5, 0.5];

function cat(between: Between, colour: () => Colour): Drawing {
  const [fur, eye] = [colour(), colour()];
  const [height, spread] = [between(1.25, 1.7), between(0.5, 0.75)];
  const inner = mix(fur, PINK, 0.6);
  const ear = (side: 1 | -1, scale: number) => {
    const corners = [
      [side * 0.25, -0.8],
      [side * spread * 1.2, -height * scale],
      [side * 0.95, -0.3],
    ] as const;
    return triangle(...(side > 0 ? corners : [...corners].reverse()));
  };
  const whiskers = [-1, 1].flatMap((side) =>
    [-0.15, 0.02, 0.18].map((dy) => line(side * 0.2, 0.4, side * 1.25, 0.35 + 2 * dy, 0.035)),
  );
  return [
    [ear(-1, 1), fur],
    [ear(1, 1), fur],
    [ear(-1, 0.8), inner],
    [ear(1, 0.8), inner],
    [disk(0, 0, 1), fur],
    [ellipse(-0.4, -0.15, 0.22, 0.16), eye],
    [ellipse(0.4, -0.15, 0.22, 0.16), eye],
    [ellipse(-0.4, -0.15, 0.06, 0.15), DARK],
    [ellipse(0.4, -0.15, 0.06, 0.15), DARK],
    [triangle([-0.12, 0.22], [0.12, 0.22], [0, 0.36]), PINK],
    ...whiskers.map((inside) => [inside, DARK] as const),
  ];
}

function dog(between: Between, colour: () => Colour): Drawing {
  const [fur, ears] = [colour(), colour()];
  const [length, turn] = [between(0.6, 0.85), between(0.1, 0.5)];
  const muzzle = mix(fur, [1, 1, 1], 0.5);
  return [
    [disk(0, 0, 1), fur],
    [ellipse(-0.95, 0.1, 0.32, length, turn), ears],
    [ellipse(0.95, 0.1, 0.32, length, -turn), ears],
    [ellipse(0, 0.5, 0.5, 0.6), muzzle],
    [ellipse(0, 0.95, 0.16, between(0.15, 0.3)), PINK],
    [disk(-0.38, -0.2, 0.14), DARK],
    [disk(0.38, -0.2, 0.14), DARK],
    [ellipse(0, 0.3, 0.2, 0.14), DARK],
  ];
}

/** The key of a picture by its number. */
export function headKey(key: Key, kind: Kind, number: number): Key {
  return foldIn(foldIn(key, KINDS.indexOf(kind)), number);
}
