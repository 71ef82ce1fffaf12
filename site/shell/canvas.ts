/** Pictures of values on a plane: a field of numbers as colours, points upon it. */
import { context2d } from "./dom.ts";
import { rgb } from "./theme.ts";

/** The colours of classes, as names of page.css. */
export const CLASS_COLORS = ["--accent", "--second", "--third", "--fourth"] as const;

/**
 * Paints a square field of `side` × `side` values, −1 to 1, row 0 at the top: from the first class's colour
 * over the paper's to the second's.
 */
export function paintField(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  side: number,
): void {
  const [low, high] = [rgb("--accent"), rgb("--second")];
  const paper = rgb("--card");
  paintPixels(canvas, side, (i) => {
    const x = Math.max(-1, Math.min(1, values[i]));
    const toward = x < 0 ? low : high;
    const share = 0.62 * Math.abs(x);
    return [0, 1, 2].map((k) => paper[k] + share * (toward[k] - paper[k]));
  });
}

/** Paints a square field of probabilities `[side · side, classes]`: each class's colour, as strong as it is sure. */
export function paintClasses(
  canvas: HTMLCanvasElement,
  probabilities: ArrayLike<number>,
  side: number,
  classes: number,
): void {
  const paper = rgb("--card");
  const colors = CLASS_COLORS.map(rgb);
  paintPixels(canvas, side, (i) => {
    const mixed = [...paper];
    for (let c = 0; c < classes; c++) {
      const p = probabilities[i * classes + c];
      const share = (0.62 * Math.max(0, p - 1 / classes)) / (1 - 1 / classes);
      for (let k = 0; k < 3; k++) mixed[k] += share * (colors[c % colors.length][k] - paper[k]);
    }
    return mixed;
  });
}

/** Colours each of `side` × `side` squares, enlarged smoothly to the canvas. */
export function paintPixels(
  canvas: HTMLCanvasElement,
  side: number,
  colorOf: (i: number) => ArrayLike<number>,
): void {
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    image.data.set([...Array.from(colorOf(i)), 255], 4 * i);
  }
  const small = new OffscreenCanvas(side, side);
  small.getContext("2d")?.putImageData(image, 0, 0);
  const context = fit(canvas);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

/** Gives a canvas as many pixels as it takes on the screen. */
export function fit(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const ratio = Math.min(devicePixelRatio, 2);
  const width = Math.round((canvas.clientWidth || 300) * ratio);
  const height = Math.round((canvas.clientHeight || 300) * ratio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return context2d(canvas);
}

/** Draws points `[x, y]`, −1 to 1 with y upwards, in the colours of their classes. */
export function paintPoints(
  canvas: HTMLCanvasElement,
  points: readonly (readonly [number, number])[],
  classes: ArrayLike<number>,
  { radius = 3.5, hollow = false } = {},
): void {
  const context = context2d(canvas);
  const scale = canvas.width / (canvas.clientWidth || canvas.width);
  const paper = `rgb(${rgb("--card").join(" ")})`;
  const colors = CLASS_COLORS.map((name) => `rgb(${rgb(name).join(" ")})`);
  context.lineWidth = scale * 1.25;
  points.forEach(([x, y], i) => {
    const color = colors[classes[i] % colors.length];
    context.beginPath();
    context.arc(
      ((x + 1) / 2) * canvas.width,
      ((1 - y) / 2) * canvas.height,
      radius * scale,
      0,
      2 * Math.PI,
    );
    context.fillStyle = hollow ? paper : color;
    context.strokeStyle = hollow ? color : paper;
    context.fill();
    context.stroke();
  });
}
