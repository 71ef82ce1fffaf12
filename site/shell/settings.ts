/** Settings that live in a form's controls and in the page's address. */

/** One setting: what it is without a choice, and how it is read. */
export interface Setting<T> {
  readonly initial: T;
  /** Reads what an address or a control holds; null for what it cannot be. */
  read(text: string): T | null;
  write(value: T): string;
  /** What may stand there, as in "Expected …". */
  readonly rule: string;
}

/** A setting that may be any number from `min`, or above `above`, to `max`. */
export function number(
  initial: number,
  { min = -Infinity, above = -Infinity, max = Infinity, integer = false } = {},
): Setting<number> {
  const kind = integer ? "a whole number" : "a number";
  const told = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 10 });
  const from = Number.isFinite(min) ? ` from ${told(min)}` : "";
  const over = Number.isFinite(above) ? ` above ${told(above)}` : "";
  const to = Number.isFinite(max) ? `${over ? ", at most" : " to"} ${told(max)}` : "";
  const isIn = (value: number) => value >= min && value > above && value <= max;
  return {
    initial,
    read(text) {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      return isIn(value) && (!integer || Number.isInteger(value)) ? value : null;
    },
    write: String,
    rule: `${kind}${from}${over}${to}`,
  };
}

/** A setting that is one of some words. */
export function choice<const T extends string>(initial: T, words: readonly T[]): Setting<T> {
  return {
    initial,
    read: (text) => words.find((word) => word === text) ?? null,
    write: String,
    rule: `one of ${words.join(", ")}`,
  };
}

/** A setting that is on or off, for a checkbox. */
export function toggle(initial: boolean): Setting<boolean> {
  return {
    initial,
    read: (text) => (text === "on" ? true : text === "off" ? false : null),
    write: (value) => (value ? "on" : "off"),
    rule: "on or off",
  };
}

/** A setting that is some text; `pattern` is what all of it must be. */
export function text(initial: string, pattern = /^.*$/su, rule = "text"): Setting<string> {
  return {
    initial,
    read: (given) => (pattern.test(given) ? given : null),
    write: String,
    rule,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a setting of anything
type AnySetting = Setting<any>;

/** The values of settings. */
export type Values<S extends Record<string, AnySetting>> = {
  readonly [K in keyof S]: S[K]["initial"];
};

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** Says below a control what it takes, as in "Expected …", or takes that back with an empty rule. */
export function complain(control: Control, rule: string): void {
  control.setAttribute("aria-invalid", String(rule !== ""));
  const id = `${control.id || control.name}-error`;
  let place = document.getElementById(id);
  if (!place) {
    if (!rule) return;
    place = document.createElement("p");
    Object.assign(place, { id, className: "problem" });
    place.setAttribute("aria-live", "polite");
    control.after(place);
    control.setAttribute("aria-describedby", id);
  }
  place.textContent = rule ? `Expected ${rule}.` : "";
}

/**
 * Binds settings to the controls of a form that have their names, and to the address: what differs
 * from the initial value, or from the usual one beside other settings, stands in the query. A wrong entry is told below its control and changes nothing.
 * Each choice is one place to go back to, however far a slider is drawn for it.
 */
export class Settings<const S extends Record<string, AnySetting>> {
  #values: Record<string, unknown> = {};
  /** The slider that is being drawn: its place in the history moves with it. */
  #drawn: string | null = null;
  readonly #listeners = new Set<(values: Values<S>, changed: ReadonlySet<keyof S>) => void>();

  constructor(
    readonly form: HTMLFormElement,
    readonly settings: S,
    /** Gives what a choice brings with it; asked at each one, not on the way back to an earlier one. */
    readonly complete: (
      values: Values<S>,
      changed: ReadonlySet<keyof S>,
    ) => Partial<Values<S>> = () => ({}),
    /** Gives what takes the place of initial values beside others, such as what suits other data. */
    readonly usual: (values: Values<S>) => Partial<Values<S>> = () => ({}),
  ) {
    this.#values = this.#fromAddress();
    this.#show();
    form.addEventListener("submit", (event) => event.preventDefault());
    // Controls that only name the form lie outside of it.
    document.addEventListener("input", (event) => this.#hear(event));
    document.addEventListener("change", (event) => this.#hear(event));
    addEventListener("popstate", () => {
      this.#drawn = null;
      this.#take(this.#fromAddress(), "none");
    });
  }

  get values(): Values<S> {
    return this.#values as Values<S>;
  }

  /** Calls back after each change, with the names of what has changed. */
  onChange(listener: (values: Values<S>, changed: ReadonlySet<keyof S>) => void): void {
    this.#listeners.add(listener);
  }

  /** Changes some values, as if they had been chosen; `replace` leaves no place to go back to. */
  set(values: Partial<Values<S>>, how: "push" | "replace" = "push"): void {
    if (how === "push") this.#drawn = null;
    this.#take({ ...this.#values, ...values }, how);
  }

  /** Goes back to the initial values. */
  reset(): void {
    this.set(this.#without({}) as Values<S>);
  }

  /** The address of the page with these settings; what other forms have put there stays. */
  get address(): string {
    const query = new URLSearchParams(location.search);
    const usual = this.#without(this.#values);
    for (const [name, { write }] of Object.entries<AnySetting>(this.settings)) {
      const value = this.#values[name];
      if (value !== usual[name]) query.set(name, write(value));
      else query.delete(name);
    }
    const search = query.toString();
    return `${location.pathname}${search ? `?${search}` : ""}${location.hash}`;
  }

  /** What holds without a choice, beside values that are known. */
  #without(known: Record<string, unknown>): Record<string, unknown> {
    const settings = Object.entries<AnySetting>(this.settings);
    const initial = Object.fromEntries(settings.map(([name, { initial }]) => [name, initial]));
    return { ...initial, ...this.usual({ ...initial, ...known } as Values<S>) };
  }

  #fromAddress(): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [name, given] of new URLSearchParams(location.search)) {
      const value = this.settings[name]?.read(given);
      if (value !== null && value !== undefined) values[name] = value;
    }
    return { ...this.#without(values), ...values };
  }

  #controls(name: string): Control[] {
    const found = this.form.elements.namedItem(name);
    if (found instanceof RadioNodeList) return [...found] as unknown as Control[];
    return found ? [found as Control] : [];
  }

  /** A slider changes things while it is drawn; a field of text when it is left or by Enter. */
  #hear({ target, type }: Event): void {
    const control = target as Control;
    if (control.form !== this.form) return;
    const setting: AnySetting | undefined = this.settings[control.name];
    const isDrawn = type === "input";
    if (!setting || (isDrawn && control.type !== "range")) return;
    const how = this.#drawn === control.name ? "replace" : "push";
    this.#drawn = isDrawn ? control.name : null;
    const isBox = control.type === "checkbox";
    const given = isBox ? (control as HTMLInputElement).checked : control.value;
    const value = isBox ? given : setting.read(given as string);
    complain(control, value === null ? setting.rule : "");
    if (value !== null) this.#take({ ...this.#values, [control.name]: value }, how);
  }

  #take(chosen: Record<string, unknown>, how: "push" | "replace" | "none"): void {
    const differing = (values: Record<string, unknown>): Set<keyof S> =>
      new Set(Object.keys(values).filter((key) => values[key] !== this.#values[key]));
    const brought = how === "none" ? {} : this.complete(chosen as Values<S>, differing(chosen));
    const values: Record<string, unknown> = { ...chosen, ...brought };
    const changed = differing(values);
    this.#values = values;
    this.#show();
    if (changed.size === 0) return;
    if (how === "push") history.pushState(null, "", this.address);
    else if (how === "replace") history.replaceState(null, "", this.address);
    for (const listener of this.#listeners) listener(this.values, changed);
  }

  /** Writes the values into the controls, and into `output`s that are for them. */
  #show(): void {
    for (const [name, { write }] of Object.entries<AnySetting>(this.settings)) {
      const value = this.#values[name];
      for (const control of this.#controls(name)) {
        if (control.type === "checkbox") (control as HTMLInputElement).checked = value === true;
        else if (control.type === "radio") {
          (control as HTMLInputElement).checked = control.value === write(value);
        } else if (this.settings[name].read(control.value) !== value) control.value = write(value);
        if (control.getAttribute("aria-invalid") === "true") complain(control, "");
      }
      for (const output of this.form.querySelectorAll<HTMLOutputElement>("output")) {
        if (output.htmlFor.contains(name)) output.value = write(value);
      }
    }
  }
}
