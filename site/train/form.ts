/** Which settings are in sight, and what a change of one asks of others. */
import { element } from "../shell/dom.ts";
import { Settings } from "../shell/settings.ts";
import {
  CHOICES,
  type Chosen,
  type DataName,
  fittingLoss,
  haveClasses,
  isBrought,
  isPictures,
  isPlane,
  suited,
} from "./choices.ts";

export interface TrainSettings extends Settings<typeof CHOICES> {
  /** Shows what the present run has turned out to have, without beginning another. */
  adopt(values: Partial<Chosen>): void;
}

/** Changes that the running network takes on. */
const LIVE = new Set(["rate", "speed", "smooth", "log", "reader"]);

/** Makes the settings; `restart` is called for what needs a new run. */
export function makeSettings(
  restart: (before: Chosen) => void,
  changed: (values: Chosen, names: ReadonlySet<string>) => void,
): TrainSettings {
  const form = element("settings", HTMLFormElement);
  const settings = new Settings(form, CHOICES, completing, ({ data }) => suited(data));
  settings.set({}, "replace"); // a loss of an address that does not fit the data
  let before = settings.values;
  let isAdopting = false;
  show(before.data);
  settings.onChange((values, names) => {
    const last = before;
    before = values;
    if (names.has("data")) show(values.data);
    if (!isAdopting && [...names].some((name) => !LIVE.has(name))) restart(last);
    changed(values, names);
  });
  element("reset").addEventListener("click", () => settings.reset());
  return Object.assign(settings, {
    adopt(values: Partial<Chosen>) {
      // Where nothing differs, what the reader is writing into a field stays.
      const names = Object.keys(values) as (keyof Chosen)[];
      if (names.every((name) => values[name] === settings.values[name])) return;
      isAdopting = true;
      settings.set(values, "replace");
      isAdopting = false;
    },
  });
}

/** What suits other data, and a loss that is of their kind. */
export function completing(values: Chosen, changed: ReadonlySet<string>): Partial<Chosen> {
  const suits = changed.has("data") && changed.size === 1 ? suited(values.data) : {};
  const ofClasses = haveClasses(values.data);
  const loss = suits.loss ?? values.loss;
  return { ...suits, loss: ofClasses === null ? loss : fittingLoss(loss, ofClasses) };
}

/** Shows the controls that some data have. */
function show(data: DataName): void {
  element("noise-field").hidden = !isPlane(data) && data !== "curve";
  element("csv-field").hidden = data !== "csv";
  element("pictures-field").hidden = data !== "pictures";
  element("fashion-field").hidden = data !== "fashion";
  element("drop-hint").hidden = data !== "csv" && !isBrought(data);
  for (const field of document.querySelectorAll<HTMLElement>(".convolutional")) {
    field.hidden = !isPictures(data);
  }
  const ofClasses = haveClasses(data);
  if (ofClasses !== null) showLosses(ofClasses);
}

/** Shows the losses of classes, or those of values. */
export function showLosses(ofClasses: boolean): void {
  const kind = ofClasses ? "classes" : "values";
  for (const option of element("loss", HTMLSelectElement).options) {
    option.hidden = option.dataset.of !== kind;
    option.disabled = option.hidden;
  }
}

/** What differs between two choices, in few words. */
export function differenceOf(before: Chosen, now: Chosen): string {
  const names = Object.keys(CHOICES).filter((name) => !LIVE.has(name) && name !== "device");
  const differing = names.filter(
    (name) => before[name as keyof Chosen] !== now[name as keyof Chosen],
  );
  const told = differing.slice(0, 2).map((name) => toldOf(name, before[name as keyof Chosen]));
  return told.join(", ") || "Before";
}

/** What a choice was, in few words: fields that are left empty say that there is none. */
function toldOf(name: string, value: Chosen[keyof Chosen]): string {
  if (value !== "") return `${name} ${value}`;
  return name === "layers" ? "no hidden layers" : `no ${name}`;
}
