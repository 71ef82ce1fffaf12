/** A plane of points that glide to where a net sees them. */
import { fit } from "../shell/canvas.ts";
import { make } from "../shell/dom.ts";
import { color, isCalm } from "../shell/theme.ts";

/** How much of its way a point goes in a frame. */
const GLIDE = 0.25;

export class Plane {
  readonly canvas = make("canvas", { className: "field-picture plane" });
  #goal: ArrayLike<number> = [];
  #shown = new Float32Array(0);
  #reach = 1;
  #goalReach = 1;

  constructor(readonly labels: () => ArrayLike<number>) {
    this.canvas.setAttribute("role", "img");
  }

  /** Tells where the points shall be; null empties the plane. */
  lead(points: ArrayLike<number> | null): void {
    this.#goal = points ?? [];
    const isNew = this.#shown.length !== this.#goal.length;
    if (isNew) this.#shown = Float32Array.from(this.#goal);
    this.#goalReach = reachOf(this.#goal);
    if (isNew) this.#reach = this.#goalReach;
  }

  /** Moves points on by a frame, and tells whether some have still to go. */
  glide(): boolean {
    const share = isCalm() ? 1 : GLIDE;
    let farthest = 0;
    for (let i = 0; i < this.#shown.length; i++) {
      const way = this.#goal[i] - this.#shown[i];
      farthest = Math.max(farthest, Math.abs(way));
      this.#shown[i] += share * way;
    }
    this.#reach += share * (this.#goalReach - this.#reach);
    return farthest > 0.002 * this.#reach;
  }

  paint(marked: number): void {
    const context = fit(this.canvas);
    const { width, height } = this.canvas;
    const scale = width / (this.canvas.clientWidth || width);
    const labels = this.labels();
    const at = (i: number): [number, number] => [
      ((this.#shown[2 * i] / this.#reach + 1) * width) / 2,
      ((1 - this.#shown[2 * i + 1] / this.#reach) * height) / 2,
    ];
    context.fillStyle = color("--card");
    context.fillRect(0, 0, width, height);
    context.fillStyle = color("--line");
    context.fillRect(width / 2, 0, scale, height);
    context.fillRect(0, height / 2, width, scale);
    if (this.#shown.length === 0) return;
    const size = 2.75 * scale;
    const sums = Array.from({ length: 10 }, () => ({ x: 0, y: 0, n: 0 }));
    for (let digit = 0; digit < 10; digit++) {
      context.fillStyle = color(`--digit-${digit}`);
      for (let i = 0; i < labels.length; i++) {
        if (labels[i] !== digit) continue;
        const [x, y] = at(i);
        context.fillRect(x - size / 2, y - size / 2, size, size);
        const sum = sums[digit];
        [sum.x, sum.y, sum.n] = [sum.x + x, sum.y + y, sum.n + 1];
      }
    }
    // Each class by its name, so that colours are not all there is.
    context.font = `700 ${13 * scale}px system-ui, sans-serif`;
    Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
    context.lineWidth = 3.5 * scale;
    context.strokeStyle = color("--card");
    for (const [digit, { x, y, n }] of sums.entries()) {
      context.fillStyle = color(`--digit-${digit}`);
      context.strokeText(String(digit), x / n, y / n);
      context.fillText(String(digit), x / n, y / n);
    }
    const [x, y] = at(marked);
    context.beginPath();
    context.arc(x, y, 6 * scale, 0, 2 * Math.PI);
    context.lineWidth = 2 * scale;
    context.strokeStyle = color("--text");
    context.stroke();
  }

  /** The point that is nearest to a place of the window; null where there is none. */
  nearest({ clientX, clientY }: MouseEvent): number | null {
    const box = this.canvas.getBoundingClientRect();
    const x = (2 * (clientX - box.left)) / box.width - 1;
    const y = 1 - (2 * (clientY - box.top)) / box.height;
    let [best, least] = [null as number | null, Infinity];
    for (let i = 0; i < this.#shown.length / 2; i++) {
      const far = Math.hypot(
        this.#shown[2 * i] / this.#reach - x,
        this.#shown[2 * i + 1] / this.#reach - y,
      );
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }
}

/** How far from the middle all but the outermost hundredth of the points are. */
function reachOf(points: ArrayLike<number>): number {
  const far = Array.from({ length: points.length / 2 }, (_, i) =>
    Math.max(Math.abs(points[2 * i]), Math.abs(points[2 * i + 1])),
  ).sort((a, b) => a - b);
  return 1.1 * (far[Math.floor(0.99 * (far.length - 1))] || 1);
}
