import { DEFAULTS, isRounds } from "../../bench/harness/options.ts";
import type { SuiteOptions } from "../../bench/harness/suite.ts";
import { BROWSER_PEERS } from "../../bench/peers/index.ts";
import { WORKLOADS } from "../../bench/workloads/index.ts";
import { element } from "../shell/dom.ts";
import { KINDS, type Kind } from "./kinds.ts";
import { estimate, everything, ofSizes, quick } from "./presets.ts";

/** The form in which workloads, libraries and rounds are chosen. */
export class ChoicesForm {
  readonly #form = element("choices", HTMLFormElement);
  readonly #rounds = element("rounds", HTMLInputElement);
  readonly #peers: Boxes;
  readonly #workloads: Boxes[] = [];
  readonly #preset = element("preset", HTMLSelectElement);

  constructor(start: (options: SuiteOptions) => void) {
    this.#rounds.value = String(DEFAULTS.rounds);
    this.#peers = new Boxes(element("peers", HTMLFieldSetElement), [...BROWSER_PEERS]);
    for (const kind of KINDS) this.#addGroup(kind);
    const own = element("own", HTMLDetailsElement);
    own.addEventListener("toggle", () => {
      if (own.open) this.#preset.value = "own";
      this.#tell();
    });
    this.#preset.addEventListener("change", () => {
      own.open = this.#preset.value === "own";
    });
    this.#form.addEventListener("change", () => this.#tell());
    this.#tell();
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const options = this.#wanted();
      if (options) start(options);
      else this.#form.querySelector<HTMLInputElement>('[aria-invalid="true"]')?.focus();
    });
  }

  set enabled(value: boolean) {
    for (const field of this.#form.querySelectorAll<HTMLInputElement | HTMLSelectElement>(
      "input, select",
    )) {
      field.disabled = !value;
    }
  }

  #addGroup({ heading, workloads }: Kind): void {
    const fieldset = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = heading;
    fieldset.append(legend);
    element("workloads").append(fieldset);
    this.#workloads.push(new Boxes(fieldset, workloads));
  }

  /** Says how long it will take. */
  #tell(): void {
    const options = this.#wanted();
    element("estimate").textContent = options ? estimate(options) : "";
  }

  /** The preset, or what is chosen one by one; null where that is no choice. */
  #wanted(): SuiteOptions | null {
    if (this.#preset.value === "quick") return quick();
    if (this.#preset.value === "sizes") return ofSizes();
    if (this.#preset.value === "all") return everything();
    return this.#read();
  }

  #read(): SuiteOptions | null {
    const rounds = Number(this.#rounds.value);
    const isGood = isRounds(rounds);
    this.#rounds.setAttribute("aria-invalid", String(!isGood));
    const complaint = isGood ? "" : "Expected a whole number from 1 to 1,000.";
    element("rounds-error").textContent = complaint;
    const chosen = new Set(this.#workloads.flatMap((boxes) => boxes.chosen));
    const workloads = WORKLOADS.filter(({ name }) => chosen.has(name));
    const peers = BROWSER_PEERS.filter((name) => this.#peers.chosen.includes(name));
    const isEmpty = workloads.length === 0 || peers.length === 0;
    const message = isEmpty ? "Choose at least one library and one workload." : "";
    element("choices-error").textContent = message;
    return isGood && !isEmpty ? { workloads, peers, rounds, roundMs: DEFAULTS.roundMs } : null;
  }
}

/** Named checkboxes under one that stands for all. */
class Boxes {
  readonly #boxes: readonly HTMLInputElement[];

  constructor(fieldset: HTMLFieldSetElement, names: readonly string[]) {
    const all = checkbox("all", "All");
    all.label.classList.add("all");
    const boxes = names.map((name) => checkbox(name, name));
    this.#boxes = boxes.map(({ input }) => input);
    fieldset.append(all.label, ...boxes.map(({ label }) => label));
    all.input.addEventListener("change", () => {
      for (const box of this.#boxes) box.checked = all.input.checked;
    });
    fieldset.addEventListener("change", () => {
      const count = this.chosen.length;
      all.input.checked = count === names.length;
      all.input.indeterminate = count > 0 && count < names.length;
    });
  }

  get chosen(): string[] {
    return this.#boxes.filter((box) => box.checked).map((box) => box.value);
  }
}

function checkbox(value: string, text: string) {
  const label = document.createElement("label");
  label.className = "choice";
  const input = document.createElement("input");
  input.type = "checkbox";
  input.value = value;
  input.checked = true;
  label.append(input, text);
  return { label, input };
}
