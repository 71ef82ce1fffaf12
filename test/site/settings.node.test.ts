import { afterEach, expect, test, vi } from "vitest";
import { choice, number, Settings, type Values } from "../../site/shell/settings.ts";

afterEach(() => vi.unstubAllGlobals());

/** A page with two controls: its history, and what a reader does to it. */
function usePage(query = "") {
  const controls = {
    units: { type: "range", name: "units", value: "", getAttribute: () => null },
    name: { type: "select-one", name: "name", value: "", getAttribute: () => null },
  };
  const form = {
    addEventListener() {},
    elements: { namedItem: (name: keyof typeof controls) => controls[name] },
    querySelectorAll: () => [],
  };
  const listeners = new Map<string, (event: unknown) => void>();
  const listen = (type: string, listener: (event: unknown) => void) => {
    listeners.set(type, listener);
  };
  const entries = [query];
  let at = 0;
  const searchOf = (address: string) => address.replace(/^[^?]*/, "");
  vi.stubGlobal("RadioNodeList", class {});
  vi.stubGlobal("document", { addEventListener: listen });
  vi.stubGlobal("addEventListener", listen);
  vi.stubGlobal("location", {
    pathname: "/",
    hash: "",
    get search() {
      return entries[at];
    },
  });
  vi.stubGlobal("history", {
    pushState(_: unknown, __: string, address: string) {
      entries.splice(++at, Number.POSITIVE_INFINITY, searchOf(address));
    },
    replaceState(_: unknown, __: string, address: string) {
      entries[at] = searchOf(address);
    },
  });
  const tell = (type: string, name: keyof typeof controls, value: string) => {
    const control = Object.assign(controls[name], { value, form, setAttribute() {} });
    listeners.get(type)?.({ type, target: control });
  };
  vi.stubGlobal("document", { addEventListener: listen, getElementById: () => null });
  return {
    form: form as unknown as HTMLFormElement,
    entries,
    /** Draws a slider over places, and lets it go at the last. */
    draw(...places: number[]) {
      for (const place of places) tell("input", "units", String(place));
      tell("change", "units", String(places.at(-1)));
    },
    choose: (value: string) => tell("change", "name", value),
    back() {
      at--;
      listeners.get("popstate")?.({});
    },
  };
}

const SETTINGS = {
  units: number(16, { min: 1, max: 64, integer: true }),
  name: choice("waves", ["waves", "hat", "drawn"]),
};

test("each move of a slider is one place to go back to, the state before it among them", () => {
  const page = usePage();
  const settings = new Settings(page.form, SETTINGS);
  page.draw(30);
  page.draw(33, 36, 40);
  expect(page.entries).toEqual(["", "?units=30", "?units=40"]);
  page.back();
  expect(settings.values.units).toBe(30);
  page.back();
  expect(settings.values.units).toBe(16);
  page.draw(20);
  expect(page.entries).toEqual(["", "?units=20"]);
});

test("what a choice brings with it is of one entry and told at once; going back brings nothing", () => {
  const page = usePage("?units=9");
  const complete = vi.fn((_: Values<typeof SETTINGS>, changed: ReadonlySet<string>) =>
    changed.has("name") ? { units: 3 } : {},
  );
  const settings = new Settings(page.form, SETTINGS, complete);
  const heard = vi.fn();
  settings.onChange(heard);
  page.choose("hat");
  expect(page.entries).toEqual(["?units=9", "?units=3&name=hat"]);
  expect(heard.mock.calls).toEqual([[{ units: 3, name: "hat" }, new Set(["name", "units"])]]);
  page.back();
  expect(settings.values).toEqual({ units: 9, name: "waves" });
  expect(page.entries).toEqual(["?units=9", "?units=3&name=hat"]);
  expect(complete).toHaveBeenCalledTimes(1);
});

test("what is replaced leaves no place to go back to", () => {
  const page = usePage();
  const settings = new Settings(page.form, SETTINGS);
  settings.set({ units: 5 }, "replace");
  expect(page.entries).toEqual(["?units=5"]);
  settings.set({ units: 6 });
  settings.reset();
  expect(page.entries).toEqual(["?units=5", "?units=6", ""]);
});

test("what is usual beside a choice is left out of the address, and what differs from it is not", () => {
  const page = usePage("?name=hat");
  const usual = ({ name }: Values<typeof SETTINGS>) => (name === "hat" ? { units: 3 } : {});
  const open = () => new Settings(page.form, SETTINGS, () => ({}), usual);
  const settings = open();
  expect(settings.values).toEqual({ units: 3, name: "hat" });
  settings.set({ units: 16 }); // the initial value, which is not the usual one here
  expect(page.entries.at(-1)).toBe("?name=hat&units=16");
  expect(open().values).toEqual({ units: 16, name: "hat" });
  settings.set({ units: 3 });
  expect(page.entries.at(-1)).toBe("?name=hat");
  settings.set({ name: "waves" });
  expect(page.entries.at(-1)).toBe("?units=3");
  settings.reset();
  expect(page.entries.at(-1)).toBe("");
  expect(settings.values).toEqual({ units: 16, name: "waves" });
});
