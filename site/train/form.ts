/** Which settings are in sight, and what a change of one asks of others. */
import { element } from "../shell/dom.ts";
import { Settings } from "../shell/settings.ts";
import {
  CHOICES,
  type Chosen,
  CLASS_LOSSES,
  type DataName,
  isPlane,
  suited,
  VALUE_LOSSES,
} from "./choices.ts";

export type TrainSettings = Settings<typeof CHOICES>;

/** Changes that the running network takes on. */
const LIVE = new Set(["rate", "speed", "smooth", "log", "reader"]);

/** Makes the settings; `restart` is called for what needs a new run. */
export function makeSettings(
  restart: (before: Chosen) => void,
  changed: (values: Chosen, names: ReadonlySet<string>) => void,
): TrainSettings {
  const settings = new Settings(element("settings", HTMLFormElement), CHOICES);
  let before = settings.values;
  // An address that names other data, and nothing else, gets what suits them.
  const asked = new URLSearchParams(location.search);
  const suits = Object.entries(suited(before.data)).filter(([name]) => !asked.has(name));
  if (!isPlane(before.data)) settings.set(Object.fromEntries(suits));
  before = settings.values;
  show(before.data);
  settings.onChange((values, names) => {
    const last = before;
    before = values;
    if (names.has("data")) {
      show(values.data);
      // Back and forward bring settings of their own with them.
      if (names.size === 1) return settings.set(suited(values.data));
    }
    if ([...names].some((name) => !LIVE.has(name))) restart(last);
    changed(values, names);
  });
  element("reset").addEventListener("click", () => settings.reset());
  return settings;
}

/** Shows the controls that some data have. */
function show(data: DataName): void {
  element("noise-field").hidden = !isPlane(data) && data !== "curve";
  element("csv-field").hidden = data !== "csv";
  element("pictures-field").hidden = data !== "pictures";
}

/** Shows the losses of classes, or those of values; gives the one to use. */
export function showLosses(loss: Chosen["loss"], ofClasses: boolean): Chosen["loss"] {
  const kind = ofClasses ? "classes" : "values";
  for (const option of element("loss", HTMLSelectElement).options) {
    option.hidden = option.dataset.of !== kind;
    option.disabled = option.hidden;
  }
  const fitting: readonly string[] = ofClasses ? CLASS_LOSSES : VALUE_LOSSES;
  return fitting.includes(loss) ? loss : (fitting[0] as Chosen["loss"]);
}

/** What differs between two choices, in few words. */
export function differenceOf(before: Chosen, now: Chosen): string {
  const names = Object.keys(CHOICES).filter((name) => !LIVE.has(name) && name !== "device");
  const differing = names.filter(
    (name) => before[name as keyof Chosen] !== now[name as keyof Chosen],
  );
  const told = differing.slice(0, 2).map((name) => `${name} ${before[name as keyof Chosen]}`);
  return told.join(", ") || "Before";
}
