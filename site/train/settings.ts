import { element } from "../shell/dom.ts";
import type { Settings } from "./protocol.ts";

type NumberName = Exclude<keyof Settings, "device">;

interface NumberField {
  readonly label: string;
  readonly value: string;
  /** What a valid entry is, for people. */
  readonly expected: string;
  readonly accepts: (value: number) => boolean;
  readonly inputMode: "numeric" | "decimal";
}

function whole(label: string, value: number, low: number, high: number): NumberField {
  const expected = `a whole number from ${group(low)} to ${group(high)}`;
  const accepts = (x: number) => Number.isInteger(x) && x >= low && x <= high;
  return { label, value: String(value), expected, accepts, inputMode: "numeric" };
}

function group(value: number): string {
  return value.toLocaleString("en");
}

const FIELDS: Record<NumberName, NumberField> = {
  batchSize: whole("Batch size", 100, 1, 10_000),
  learningRate: {
    label: "Learning rate",
    value: "0.1",
    expected: "a number above 0, at most 100",
    accepts: (x) => x > 0 && x <= 100,
    inputMode: "decimal",
  },
  hiddenSize: whole("Hidden size", 50, 1, 2000),
  epochs: whole("Epochs", 10, 1, 1000),
  seed: whole("Seed", 1, 0, 2 ** 32 - 1),
};

/** Which values may be changed: all, the one that a run takes while it goes on, or none. */
export type Changeable = "all" | "rate" | "none";

const NAMES = Object.keys(FIELDS) as NumberName[];

/** The form: its fields, what is wrong with them, and their values. */
export class SettingsForm {
  readonly #form = element("settings", HTMLFormElement);
  #changeable: Changeable = "all";
  readonly #inputs = new Map<NumberName, HTMLInputElement>();

  constructor(onStart: (settings: Settings) => void, onRate: (learningRate: number) => void) {
    const fields = this.#form.querySelector(".fields") as HTMLElement;
    for (const name of NAMES) fields.append(this.#field(name));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const settings = this.#read();
      if (settings) onStart(settings);
    });
    this.#inputs.get("learningRate")?.addEventListener("change", () => {
      const value = this.#changeable === "rate" ? this.#check("learningRate") : null;
      if (value !== null) onRate(value);
    });
  }

  set changeable(which: Changeable) {
    this.#changeable = which;
    for (const x of this.#form.querySelectorAll("input, select")) {
      const isOpen = which === "all" || (which === "rate" && x.id === "learningRate");
      x.toggleAttribute("disabled", !isOpen);
    }
  }

  #field(name: NumberName): HTMLElement {
    const { label, value, inputMode } = FIELDS[name];
    const field = document.createElement("div");
    field.className = "field";
    const caption = document.createElement("label");
    caption.htmlFor = name;
    caption.textContent = label;
    const input = document.createElement("input");
    Object.assign(input, { id: name, name, value, inputMode, autocomplete: "off" });
    input.setAttribute("aria-describedby", `${name}-error`);
    input.addEventListener("input", () => this.#check(name));
    const error = document.createElement("p");
    error.id = `${name}-error`;
    error.className = "problem";
    field.append(caption, input, error);
    this.#inputs.set(name, input);
    return field;
  }

  /** Marks a field right or wrong; returns its number, or null. */
  #check(name: NumberName): number | null {
    const input = this.#inputs.get(name) as HTMLInputElement;
    const { expected, accepts } = FIELDS[name];
    const text = input.value.trim();
    const value = text === "" ? Number.NaN : Number(text);
    const valid = accepts(value);
    input.setAttribute("aria-invalid", String(!valid));
    element(`${name}-error`).textContent = valid ? "" : `Expected ${expected}.`;
    return valid ? value : null;
  }

  #read(): Settings | null {
    const values = NAMES.map((name) => [name, this.#check(name)] as const);
    const wrong = values.find(([, value]) => value === null);
    if (wrong) {
      this.#inputs.get(wrong[0])?.focus();
      return null;
    }
    const device = element("device", HTMLSelectElement).value as Settings["device"];
    return { device, ...(Object.fromEntries(values) as Record<NumberName, number>) };
  }
}
