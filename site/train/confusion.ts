import { count, element, make } from "../shell/dom.ts";

/** Whether some names of classes are too long to stand beside each other. */
export function isLong(classes: readonly string[]): boolean {
  return classes.some(({ length }) => length > 3);
}

/** Lays the table of some classes out, empty where it is not there yet. */
export function makeConfusionRoom(classes: readonly string[]): void {
  const host = element("confusion");
  if (host.dataset.classes === classes.join()) return;
  host.dataset.classes = classes.join();
  host.replaceChildren(makeTable(classes));
}

/** Shows how often class i was taken for class j, in row i and column j. */
export function showConfusion(
  confusion: readonly (readonly number[])[],
  classes: readonly string[],
): void {
  makeConfusionRoom(classes);
  const host = element("confusion");
  const cells = host.querySelectorAll("td");
  const most = Math.max(
    1,
    ...confusion.map((row, i) => Math.max(...row.filter((_, j) => i !== j))),
  );
  confusion.flat().forEach((times, at) => {
    const [i, j] = [Math.floor(at / classes.length), at % classes.length];
    const cell = cells[at];
    const text = times === 0 ? "" : count(times);
    if (cell.textContent !== text) cell.textContent = text;
    const share = i === j ? 12 : times === 0 ? 0 : 8 + (30 * times) / most;
    const color = i === j ? "--accent" : "--second";
    cell.style.background = `color-mix(in srgb, var(${color}) ${share.toFixed(0)}%, transparent)`;
  });
}

function makeTable(classes: readonly string[]): HTMLElement {
  const table = make("table", { className: isLong(classes) ? "matrix long" : "matrix" });
  table.createCaption().textContent = "Rows: what it is. Columns: what it is taken for.";
  const head = table.createTHead().insertRow();
  head.append(make("th", { scope: "col" }, "is"));
  for (const name of classes) head.append(make("th", { scope: "col" }, name));
  const body = table.createTBody();
  for (const name of classes) {
    const row = body.insertRow();
    row.append(make("th", { scope: "row" }, name));
    for (const _ of classes) row.insertCell();
  }
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "What is taken for what");
  return scroll;
}
