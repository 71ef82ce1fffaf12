/** The most characters of a value that a message quotes. */
const LONGEST_QUOTE = 100;

/** The most characters of a list in a message. */
const LONGEST_LIST = 400;

/** Cuts a text that is longer than a message can take. */
export function shorten(text: string, longest = LONGEST_QUOTE): string {
  if (text.length <= longest) return text;
  const code = text.charCodeAt(longest - 2);
  const splitsPair = code >= 0xd800 && code < 0xdc00; // a character outside the basic plane
  return `${text.slice(0, longest - (splitsPair ? 2 : 1))}…`;
}

/** Writes a value as a message quotes it: as JSON, cut where it is long, however deep it is. */
export function quote(value: unknown): string {
  return shorten(jsonOf(value, LONGEST_QUOTE));
}

/** Says in few words what a value is, for messages: `0.5`, `"sum"`, `null`, `an array`, `a Tensor`. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  }
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value).slice(0, 80);
  const name = String(value.constructor?.name || "Object").slice(0, 80);
  if (name === "Object") return "an object";
  return /^[AEIO]/.test(name) ? `an ${name}` : `a ${name}`;
}

/** Lists names or numbers as a message does, `a, b, c`, and counts those for which it has no room. */
export function list(items: readonly unknown[] | ReadonlySet<unknown>): string {
  const count = "size" in items ? items.size : items.length;
  let text = "";
  let listed = 0;
  for (const item of items) {
    const next = listed === 0 ? shorten(String(item)) : `, ${shorten(String(item))}`;
    if (text.length + next.length > LONGEST_LIST) return `${text}, … (${count} in all)`;
    text += next;
    listed++;
  }
  return text;
}

/** JSON of at least `room` characters where the whole is as long; each level takes some of it. */
function jsonOf(value: unknown, room: number): string {
  if (typeof value === "string") return JSON.stringify(shorten(value, Math.max(room, 2)));
  if (typeof value !== "object" || value === null) return String(value);
  if (room <= 0) return "…";
  const isList = Array.isArray(value);
  const keys = isList ? value.keys() : Object.keys(value);
  let inner = "";
  for (const key of keys) {
    if (inner.length >= room) break;
    const name = isList ? "" : `${JSON.stringify(shorten(String(key)))}:`;
    const left = room - inner.length - name.length - 1;
    const item = jsonOf((value as Record<number | string, unknown>)[key], left);
    inner += `${inner && ","}${name}${item}`;
  }
  return isList ? `[${inner}]` : `{${inner}}`;
}
