import {
  compareReports,
  type DoctorReport,
  figureText,
  type Line,
  type Row,
} from "../../doctor/report.ts";
import { make } from "../shell/dom.ts";

/** The lines as they come, under the names of their checks; beside them what an earlier report has. */
export class Findings {
  readonly #lines: Line[] = [];
  #before: DoctorReport | null = null;

  constructor(readonly host: HTMLElement) {}

  clear(): void {
    this.#lines.length = 0;
    this.host.replaceChildren();
  }

  add(line: Line): void {
    this.#lines.push(line);
    this.#listOf(line.check).append(this.#item(line));
  }

  /** Sets all lines, present and future, beside those of an earlier report. */
  compare(before: DoctorReport): void {
    this.#before = before;
    const lines = [...this.#lines];
    this.clear();
    for (const line of lines) this.add(line);
  }

  #listOf(check: string): Element {
    const last = this.host.lastElementChild;
    if (last?.firstElementChild?.textContent === check) return last.lastElementChild as Element;
    const list = make("ul");
    this.host.append(make("section", {}, make("h3", {}, check), list));
    return list;
  }

  #item(line: Line): HTMLElement {
    const { verdict, name, text, figure, unit = "" } = line;
    const amount = figure === undefined ? "" : `${figureText(figure)} ${unit}`;
    const body = make("div", {}, name, make("div", { className: "told" }, text));
    if (line.rows && line.rows.length > 0) body.append(tableOf(line.rows, unit));
    const side = make("div", { className: "amount" }, amount);
    const change = this.#changeOf(line);
    if (change) side.append(make("span", { className: "change" }, change));
    const word = make("span", { className: `verdict ${verdict.replace(" ", "-")}` }, verdict);
    const item = make("li", {}, word, body, side);
    item.dataset.verdict = verdict;
    return item;
  }

  #changeOf(line: Line): string {
    if (!this.#before) return "";
    const all = compareReports(this.#before, { ...this.#before, lines: [line] });
    const same = all.find(({ now }) => now === line);
    if (!same?.before) return "new";
    if (same.ratio !== null) return `${figureText(same.ratio)} × as good`;
    return same.before.verdict === line.verdict ? "" : `was ${same.before.verdict}`;
  }
}

/** The table behind a line, the worst first. */
function tableOf(rows: readonly Row[], unit: string): HTMLElement {
  const isWrong = ({ note = "" }: Row) => Number(note.startsWith("wrong"));
  const sorted = [...rows].sort(
    (a, b) => isWrong(b) - isWrong(a) || (b.worst ?? 0) - (a.worst ?? 0),
  );
  const lines = sorted.map(({ name, worst, figure, note = "" }) => {
    const error = worst === undefined ? "" : `${figureText(worst)} of what is allowed`;
    const amount = figure === undefined ? "" : `${figureText(figure)} ${unit}`.trim();
    const told = [amount, error, note].filter(Boolean).join("; ");
    return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, told));
  });
  const table = make("table", { className: "values" }, make("tbody", {}, ...lines));
  // A box that scrolls can be reached by the keyboard.
  const box = make("div", { className: "rows", tabIndex: 0, role: "region" }, table);
  box.setAttribute("aria-label", "Table");
  const word = rows.length === 1 ? "1 row" : `${rows.length} rows`;
  return make("details", {}, make("summary", {}, word), box);
}
