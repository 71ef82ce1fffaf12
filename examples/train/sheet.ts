import { element, paintDigit, percent } from "./dom.ts";
import type { Mistake, TestReport } from "./protocol.ts";

/** Shows the test images that are read wrongly with most confidence. */
export function showMistakes({ step, wrong, count, mistakes }: TestReport): void {
  const of = `${wrong.toLocaleString("en")} of ${count.toLocaleString("en")}`;
  const shown = mistakes.length < wrong ? ` The ${mistakes.length} most confident ones:` : "";
  element("mistakes-hint").textContent =
    `After ${step.toLocaleString("en")} steps ${of} test images are read wrongly.${shown}`;
  element("sheet").replaceChildren(...mistakes.map(makeItem));
}

function makeItem({ index, pixels, label, predicted, probability }: Mistake): HTMLElement {
  const item = document.createElement("li");
  item.title = `Test image ${index}`;
  const canvas = document.createElement("canvas");
  canvas.width = 28;
  canvas.height = 28;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Test image ${index}, a ${label}`);
  paintDigit(canvas, pixels);
  const caption = document.createElement("p");
  const read = document.createElement("b");
  read.textContent = String(predicted);
  caption.append("read ", read, ` ${percent(probability, 0)}`);
  const truth = document.createElement("p");
  truth.className = "truth";
  truth.textContent = `is ${label}`;
  item.append(canvas, caption, truth);
  return item;
}
