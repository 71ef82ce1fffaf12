/** Plain data: numbers, texts, truth values, and arrays and objects of such. */
type Data = unknown;

/** An object of plain data. */
type DataObject = Readonly<Record<string, Data>>;

/** Goes on with a hash by an integer of 32 bits. */
function mix(hash: number, word: number): number {
  return Math.imul((hash << 5) ^ (hash >>> 27) ^ word, 0x9e3779b1);
}

/** Goes on with a hash by data: equal ones give equal hashes, and others seldom do. */
function mixData(hash: number, data: Data): number {
  let mixed = hash;
  if (Array.isArray(data)) for (let i = 0; i < data.length; i++) mixed = mixData(mixed, data[i]);
  else if (typeof data === "object") {
    for (const name in data) mixed = mixData(mixed, (data as DataObject)[name]);
  } else {
    const x = Number(data);
    mixed = mix(mix(hash, x), x * 2 ** 32); // what is whole of it, and its fraction
  }
  return mixed;
}

/** Whether plain data are the same, part by part; −0 and 0 are not. Undefined is as left out. */
export function sameData(a: Data, b: Data): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!sameData(a[i], b[i])) return false;
    return true;
  }
  for (const name in a)
    if (!sameData((a as DataObject)[name], (b as DataObject)[name])) return false;
  for (const name in b) if (!(name in a) && (b as DataObject)[name] !== undefined) return false;
  return true;
}

/** A key with its value, and those whose keys have the same hash. */
interface Entry<T> {
  readonly key: Data;
  readonly value: T;
  readonly next: Entry<T> | undefined;
}

/** A map whose keys are plain data: they are one where they are the same. */
export class DataMap<T> {
  readonly #entries = new Map<number, Entry<T>>();

  get(key: Data): T | undefined {
    let entry = this.#entries.get(mixData(0, key));
    while (entry && !sameData(key, entry.key)) entry = entry.next;
    return entry?.value;
  }

  /** Adds what is not there yet. */
  set(key: Data, value: T): void {
    const hash = mixData(0, key);
    this.#entries.set(hash, { key, value, next: this.#entries.get(hash) });
  }
}
