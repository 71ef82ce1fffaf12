import { element, make, paintDigit, percent } from "../shell/dom.ts";
import { isLong } from "./confusion.ts";
import { type Judgement, MISTAKES_SHOWN, type Mistake } from "./judge.ts";

/** Makes places for the mistakes at a task of so many test images, each free where there is none yet. */
export function makeSheetRoom(testSize: number, classes: readonly string[]): void {
  const sheet = element("sheet");
  const count = Math.min(MISTAKES_SHOWN, testSize);
  sheet.classList.toggle("long", isLong(classes));
  while (sheet.children.length > count) sheet.lastElementChild?.remove();
  while (sheet.children.length < count) sheet.append(makeFree());
}

function makeFree(): HTMLElement {
  const item = make("li", { className: "free" });
  item.ariaHidden = "true";
  return item;
}

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
  const free = Array.from({ length: Math.min(MISTAKES_SHOWN, count) - mistakes.length }, makeFree);
  const items = mistakes.map((mistake) => makeItem(mistake, classes));
  element("sheet").replaceChildren(...items, ...free);
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
  reading.append(make("span", {}, `${classes[label]} →`), " ", digit);
  const share = document.createElement("p");
  share.className = "share";
  share.textContent = percent(probability, 0);
  item.append(canvas, reading, share);
  return item;
}
