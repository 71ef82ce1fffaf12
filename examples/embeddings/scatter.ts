/** Points in a plane with the class of each, for a figure. */
export interface Scatter {
  readonly title: string;
  /** x and y of each, one after the other. */
  readonly points: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

/** Side of the square of the points, and what is left about it for title and legend. */
const [SIDE, TOP, RIGHT] = [400, 28, 36];
/** How many points are drawn at most, evenly taken from all. */
const MOST = 2000;
/** "Tableau 10" (Stone 2016), in the order of the classes. */
const COLOURS = "4e79a7 f28e2b e15759 76b7b2 59a14f edc948 b07aa1 ff9da7 9c755f bab0ac".split(" ");

/** Draws points by class, the origin in the middle, as the text of an SVG file. */
export function scatterSvg({ title, points, labels, classes }: Scatter): string {
  const every = Math.ceil(labels.length / MOST);
  const chosen = [...Array(labels.length).keys()].filter((i) => i % every === 0);
  const reach = reachOf(chosen.map((i) => Math.max(...at(points, i).map(Math.abs))));
  const place = (x: number) => ((x / reach + 1) * SIDE) / 2;
  const inside = (i: number) => at(points, i).every((x) => Math.abs(x) <= reach);
  const dot = (i: number) => {
    const [x, y] = at(points, i);
    return `M${place(x).toFixed(1)} ${(TOP + place(-y)).toFixed(1)}h0`;
  };
  const layers = Array.from({ length: classes }, (_, label) => {
    const d = chosen.filter((i) => labels[i] === label && inside(i)).map(dot);
    const [x, y] = [SIDE + RIGHT / 2, TOP + 20 * (label + 1)];
    const mark = `M${x - 8} ${y - 4}h0`;
    return (
      `<g stroke="#${COLOURS[label % COLOURS.length]}"><path d="${d.join("")}" stroke-opacity=".7"/>` +
      `<path d="${mark}" stroke-width="8"/></g><text x="${x}" y="${y}">${label}</text>`
    );
  });
  const [middle, bottom] = [SIDE / 2, TOP + SIDE];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIDE + RIGHT} ${bottom}" ` +
      `font-family="sans-serif" font-size="13" stroke-width="2.5" stroke-linecap="round">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<path d="M0 ${TOP + middle}H${SIDE}M${middle} ${TOP}V${bottom}" stroke="#ccc" stroke-width="1"/>`,
    `<text x="4" y="18">${title}</text>`,
    ...layers,
    "</svg>\n",
  ].join("\n");
}

function at(points: ArrayLike<number>, i: number): [number, number] {
  return [points[2 * i], points[2 * i + 1]];
}

/** The half-width that holds all but the farthest half percent of the points. */
function reachOf(distances: readonly number[]): number {
  const sorted = [...distances].sort((a, b) => a - b);
  return 1.02 * sorted[Math.floor(0.995 * (sorted.length - 1))] || 1;
}
