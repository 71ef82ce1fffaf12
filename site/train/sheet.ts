import { element, paintDigit, percent } from "../shell/dom.ts";
import type { Judgement, Mistake } from "./judge.ts";

/** Shows the test images that are read wrongly with most confidence. */
export function showMistakes(
  step: number,
  { wrong, count, mistakes }: Judgement,
  classes: readonly string[],
): void {
  const of = `${wrong.toLocaleString("en")} of ${count.toLocaleString("en")}`;
  const shown = mistakes.length < wrong ? ` The ${mistakes.length} most confident:` : "";
  element("mistakes-hint").textContent =
    `After ${step.toLocaleString("en")} steps ${of} test images are read wrongly (label → reading).${shown}`;
  element("sheet").replaceChildren(...mistakes.map((mistake) => makeItem(mistake, classes)));
}

function makeItem(
  { index, pixels, label, predicted, probability }: Mistake,
  classes: readonly string[],
): HTMLElement {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  canvas.width = 28;
  canvas.height = 28;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Test image ${index}`);
  paintDigit(canvas, pixels);
  const reading = document.createElement("p");
  const digit = document.createElement("b");
  digit.textContent = classes[predicted];
  reading.append(`${classes[label]} → `, digit);
  const share = document.createElement("p");
  share.className = "share";
  share.textContent = percent(probability, 0);
  item.append(canvas, reading, share);
  return item;
}
