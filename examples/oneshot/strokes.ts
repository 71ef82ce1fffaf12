import type { Draws } from "../cartpole/draws.ts";
import { PIXELS, SIDE } from "../embeddings/distorted.ts";

/** A part of a stroke: the pen turns at a corner, goes on, and bends evenly as it goes. */
interface Piece {
  /** In radians. */
  readonly corner: number;
  readonly length: number;
  /** In radians, over the whole length. */
  readonly bend: number;
}

interface Stroke {
  /** The point of the stroke before that this one touches, as a share of its length, if it does. */
  readonly touches: number | null;
  /** Where its middle lies if it touches none. */
  readonly middle: readonly [x: number, y: number];
  /** Whether it touches by its middle rather than by its start. */
  readonly crosses: boolean;
  /** In which direction it starts, in radians. */
  readonly heading: number;
  readonly pieces: readonly Piece[];
}

/** A character as the pen writes it. */
export type Character = readonly Stroke[];

type Point = readonly [x: number, y: number];

/** The most strokes of a character, and pieces of a stroke. */
const MOST = 3;
/** Numbers that one character takes, and one image of it, at the most. */
const NUMBERS = MOST * (7 + 5 * MOST) + 1;
/** Steps of the pen in a piece. */
const STEPS = 12;
/** The side of the square that a digit of MNIST fills, and the widths of its strokes, in pixels. */
const [BOX, THIN, THICK] = [20, 1.4, 3.2];

/**
 * Invents a character of one to three strokes, each of straight and bent pieces: after the idea of
 * Lake et al. 2015, "Human-level concept learning through probabilistic program induction", that a
 * character is a way of writing, which each writer follows a little differently.
 */
export async function inventCharacter(draws: Draws): Promise<Character> {
  await draws.prepare(NUMBERS);
  const u = () => draws.next();
  const between = (low: number, high: number) => low + (high - low) * u();
  const either = (size: number) => (u() < 0.5 ? -size : size);
  const count = 1 + [0.5, 0.85].filter((share) => share < u()).length;
  return Array.from({ length: count }, (_, k): Stroke => {
    const most = count === 1 ? MOST : MOST - 1;
    const pieces = Array.from({ length: 1 + Math.floor(most * u()) }, (_, i): Piece => {
      const bend = u() < 0.4 ? 0 : either(between(0.6, 5.2));
      const corner = i === 0 || u() < 0.4 ? 0 : either(between(0.7, 2.7));
      return { corner, bend, length: between(Math.abs(bend) > 3 ? 0.8 : 0.4, 1.2) };
    });
    return {
      touches: k > 0 && u() < 0.7 ? u() : null,
      middle: k > 0 ? [between(-0.5, 0.5), between(-0.5, 0.5)] : [0, 0],
      crosses: u() < 0.4,
      heading: between(-Math.PI, Math.PI),
      pieces,
    };
  });
}

/** Writes a character once more, never quite the same: 784 bytes, ink 255. */
export async function writeCharacter(character: Character, draws: Draws): Promise<Uint8Array> {
  await draws.prepare(NUMBERS);
  const near = (spread: number) => spread * (2 * draws.next() - 1);
  const lines: Point[][] = [];
  for (const { touches, middle, crosses, heading, pieces } of character) {
    let direction = heading + near(0.2);
    let [x, y] = [0, 0];
    const line: Point[] = [[x, y]];
    for (const piece of pieces) {
      const length = piece.length * (1 + near(0.25));
      const bend = piece.bend * (1 + near(0.17)) + near(0.2);
      if (piece.corner !== 0) direction += piece.corner + near(0.25);
      for (let i = 0; i < STEPS; i++) {
        direction += bend / STEPS;
        x += (length / STEPS) * Math.cos(direction);
        y += (length / STEPS) * Math.sin(direction);
        line.push([x, y]);
      }
    }
    const before = lines.at(-1);
    const touched = before && touches !== null;
    const to = touched ? before[Math.floor(touches * before.length)] : middle;
    const own = touched ? line[crosses ? line.length >> 1 : 0] : meanOf(line);
    const [dx, dy] = [to[0] - own[0] + near(0.08), to[1] - own[1] + near(0.08)];
    lines.push(line.map(([x, y]) => [x + dx, y + dy]));
  }
  return inked(lines, THIN + (THICK - THIN) * draws.next());
}

function meanOf(points: readonly Point[]): Point {
  const sum = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0);
  return [sum(0) / points.length, sum(1) / points.length];
}

/** Draws lines as wide as given, as large as the box and about the middle, as digits of MNIST are. */
function inked(lines: readonly (readonly Point[])[], width: number): Uint8Array {
  const points = lines.flat();
  const range = ([0, 1] as const).map((axis) => {
    const along = points.map((point) => point[axis]);
    return [Math.min(...along), Math.max(...along)] as const;
  });
  const scale = (BOX - width) / Math.max(...range.map(([low, high]) => high - low));
  const reach = width / 2 + 0.5;
  const centre = meanOf(points);
  const [moveX, moveY] = range.map(([low, high], axis) => {
    const start = (SIDE - 1) / 2 - scale * centre[axis];
    // Lop-sided ones stay within the image.
    return Math.min(Math.max(start, reach - scale * low), SIDE - 1 - reach - scale * high);
  });
  const distances = new Float64Array(PIXELS).fill(Number.POSITIVE_INFINITY);
  const place = ([x, y]: Point): Point => [scale * x + moveX, scale * y + moveY];
  for (const line of lines) {
    for (const [i, point] of line.entries()) {
      if (i > 0) nearer(distances, place(line[i - 1]), place(point), reach);
    }
  }
  return Uint8Array.from(distances, (d) => 255 * Math.min(1, Math.max(0, reach - d)));
}

/** Lowers the distance of each pixel within reach of the segment from p to q. */
function nearer(distances: Float64Array, p: Point, q: Point, reach: number): void {
  const [across, down] = [0, 1].map((axis) => [
    Math.max(0, Math.ceil(Math.min(p[axis], q[axis]) - reach)),
    Math.min(SIDE - 1, Math.floor(Math.max(p[axis], q[axis]) + reach)),
  ]);
  const [dx, dy] = [q[0] - p[0], q[1] - p[1]];
  const square = dx * dx + dy * dy;
  for (let y = down[0]; y <= down[1]; y++) {
    for (let x = across[0]; x <= across[1]; x++) {
      const along = square > 0 ? ((x - p[0]) * dx + (y - p[1]) * dy) / square : 0;
      const t = Math.min(1, Math.max(0, along));
      const d = Math.sqrt((x - p[0] - t * dx) ** 2 + (y - p[1] - t * dy) ** 2);
      distances[y * SIDE + x] = Math.min(distances[y * SIDE + x], d);
    }
  }
}
