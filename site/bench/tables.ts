import { earlierTime, type Report, type Result } from "../../bench/harness/report.ts";
import { formatResult, formatSpread, splitMissing } from "../../bench/harness/table.ts";
import { element, paragraph } from "../shell/dom.ts";
import { Curves } from "./curves.ts";
import { againstOurs, ratioInWords, showSummary } from "./summary.ts";

/** The results as one table a workload, with a bar for each time. */
export class Tables {
  readonly #parent = element("tables");
  readonly #results = new Map<string, readonly Result[]>();
  readonly #curves = new Curves();
  #earlier: Report | null = null;

  clear(): void {
    this.#results.clear();
    this.#parent.replaceChildren();
    this.#tell();
  }

  /** Shows those of a report's workloads that are wanted, in place of all before. */
  showReport({ results }: Report, wanted: readonly string[]): void {
    this.clear();
    for (const name of wanted) {
      const own = results.filter(({ workload }) => workload === name);
      if (own.length > 0) this.#add(name, own);
    }
    this.#tell(results);
  }

  /** Shows the results of one workload in place of those before. */
  show(workload: string, results: readonly Result[]): void {
    this.#add(workload, results);
    this.#tell();
  }

  /** @param all what the curves show: workloads that have no table too. */
  #tell(all?: readonly Result[]): void {
    const shown = [...this.#results.values()].flat();
    showSummary(shown);
    this.#curves.show(all ?? shown);
  }

  #add(workload: string, results: readonly Result[]): void {
    const isNew = !this.#results.has(workload);
    this.#results.set(workload, results);
    const place = [...this.#results.keys()].indexOf(workload);
    const table = this.#table(workload, results);
    if (isNew) this.#parent.append(table);
    else this.#parent.children[place].replaceWith(table);
  }

  /** Sets all results in relation to an earlier report. */
  compare(earlier: Report | null): void {
    this.#earlier = earlier;
    for (const [workload, results] of this.#results) this.#add(workload, results);
  }

  #table(workload: string, results: readonly Result[]): HTMLTableElement {
    const table = document.createElement("table");
    table.dataset.workload = workload;
    table.createCaption().textContent = workload;
    const head = table.createTHead().insertRow();
    for (const title of ["Library", "Median", "Against Gradus"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = title;
      head.append(cell);
    }
    const times = results.flatMap((result) => result.milliseconds?.median ?? []);
    const { there, missing } = splitMissing(results);
    const body = table.createTBody();
    for (const result of there) this.#addRow(body, result, Math.min(...times));
    if (missing) {
      const cell = table.createTFoot().insertRow().insertCell();
      cell.colSpan = 3;
      cell.className = "hint";
      cell.textContent = missing;
    }
    return table;
  }

  #addRow(body: HTMLTableSectionElement, result: Result, best: number): void {
    const row = body.insertRow();
    row.className = result.status;
    row.dataset.peer = result.peer;
    row.classList.toggle("ours", result.peer.startsWith("gradus"));
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = result.peer;
    const cell = document.createElement("td");
    const figure = paragraph(formatResult(result));
    figure.className = "figure";
    cell.append(figure);
    if (result.milliseconds) cell.append(bar(best / result.milliseconds.median));
    const hint = paragraph(this.#hint(result));
    hint.className = "hint";
    if (hint.textContent) cell.append(hint);
    row.append(name, cell);
    row.insertCell().textContent = againstOurs(result);
  }

  #hint(result: Result): string {
    const { error, milliseconds, rounds, runs } = result;
    const parts: string[] = [];
    if (milliseconds) parts.push(formatSpread(result), `${rounds} × ${runs} runs`);
    if (error !== undefined) parts.push(`off by ${error.toExponential(1)}`);
    const before = earlierTime(this.#earlier, result);
    if (before !== undefined && milliseconds) {
      parts.push(`${ratioInWords(milliseconds.median / before)} than compared`);
    }
    return parts.join(", ");
  }
}

/** A bar whose length is a share; the figure above it says the same in words. */
function bar(share: number): HTMLElement {
  const track = document.createElement("div");
  track.className = "track";
  track.ariaHidden = "true";
  const filled = document.createElement("span");
  filled.style.inlineSize = `${(100 * share).toFixed(2)}%`;
  track.append(filled);
  return track;
}
