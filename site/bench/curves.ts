/** How the speed of each library grows with the size of what it computes. */
import type { Result } from "../../bench/harness/report.ts";
import { formatFigure } from "../../bench/harness/table.ts";
import { PEER_NAMES, type PeerName } from "../../bench/peers/index.ts";
import { element, make } from "../shell/dom.ts";
import { Lines } from "../shell/plot.ts";
import { FAMILIES, seriesOf } from "./series.ts";

/** One colour a library; what runs on the CPU is dashed. */
const COLORS = {
  gradus: "--accent",
  tfjs: "--second",
  jax: "--third",
  ort: "--fourth",
  numpy: "--fifth",
} as const;

/** Gradus with threads has a colour of its own: it is dashed too. */
function colorOf(peer: PeerName): (typeof COLORS)[keyof typeof COLORS] | "--sixth" {
  if (peer === "gradus-cpu-threads") return "--sixth";
  return COLORS[peer.split("-")[0] as keyof typeof COLORS];
}

/** The charts of a run; what it did not measure in several sizes has none. */
export class Curves {
  readonly #charts = new Map<string, Lines>();

  show(results: readonly Result[]): void {
    let count = 0;
    for (const { id, title, x, sizeOf } of FAMILIES) {
      const series = seriesOf(results, sizeOf);
      const figure = element(`${id}-figure`);
      figure.hidden = series.size === 0;
      if (series.size === 0) continue;
      count++;
      const peers = PEER_NAMES.filter((peer) => series.has(peer));
      const options = {
        title,
        x,
        height: 260,
        log: true,
        xLog: true,
        format: formatFigure,
        lines: peers.map((peer) => ({
          label: peer,
          color: colorOf(peer),
          width: peer.startsWith("gradus") ? 2.5 : 1.25,
          dashed: !peer.endsWith("webgpu"),
          points: true,
        })),
      };
      const chart = this.#chart(id, options);
      chart.join(peers.map((peer) => columns(series.get(peer) ?? [])));
    }
    element("curves").hidden = count === 0;
  }

  #chart(id: string, options: ConstructorParameters<typeof Lines>[1]): Lines {
    const known = this.#charts.get(id);
    if (known) {
      known.change(options);
      return known;
    }
    const host = make("div");
    element(`${id}-figure`).prepend(host);
    const chart = new Lines(host, options);
    this.#charts.set(id, chart);
    return chart;
  }
}

function columns(points: readonly (readonly [number, number])[]): [number[], number[]] {
  return [points.map(([x]) => x), points.map(([, y]) => y)];
}
