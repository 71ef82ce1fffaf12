import { FormatError } from "../core/errors.ts";
import { quote, shorten } from "../core/quote.ts";

/** What JSON can say. */
export type Json = string | number | boolean | object | null;

/** Levels of arrays and objects beyond which no header is read; a good one has three. */
const MAX_DEPTH = 8;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

const WORD = /[^\s,:[\]{}"]*/y;
const PLAIN_INTEGER = /^(0|[1-9]\d*)$/;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;
const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/**
 * Reads JSON in one pass, more strictly than `JSON.parse`, which keeps the last of two equal keys in
 * silence: keys come once in an object, texts are Unicode, numbers are plain non-negative integers.
 * Throws `FormatError`, as `op`, for other text.
 */
export class HeaderJson {
  #at = 0;
  #depth = 0;

  constructor(
    readonly op: string,
    readonly text: string,
  ) {}

  /** Reads an object, each value by `read`, into one without prototype. */
  object<T extends Json>(read: (key: string) => T): Record<string, T> {
    const members: Record<string, T> = Object.create(null);
    this.#items("{", "}", () => {
      const key = this.#text("key");
      if (members[key] !== undefined)
        throw this.#invalid(`key ${quote(key)} comes twice`, "each key once");
      this.#take(":");
      members[key] = read(key);
    });
    return members;
  }

  /** Reads a value of any kind; an object's members by `read`. */
  value(read: (key: string) => Json = () => this.value()): Json {
    const next = this.#next();
    if (next === "{") return this.object(read);
    if (next === '"') return this.#text("string");
    if (next !== "[") return this.#word();
    const items: Json[] = [];
    this.#items("[", "]", () => items.push(this.value()));
    return items;
  }

  /** Throws unless only spaces are left. */
  end(): void {
    const { text } = this;
    while (text[this.#at] === " ") this.#at++;
    if (this.#at < text.length) throw this.#invalid("more after the object", "only spaces");
  }

  #items(open: string, close: string, readItem: () => void): void {
    this.#take(open);
    if (++this.#depth > MAX_DEPTH) {
      throw this.#invalid(
        `more than ${MAX_DEPTH} levels`,
        "{ dtype, shape, data_offsets } by name",
      );
    }
    if (this.#next() !== close) {
      readItem();
      while (this.#next() === ",") {
        this.#at++;
        readItem();
      }
    }
    this.#take(close);
    this.#depth--;
  }

  #text(what: "key" | "string"): string {
    this.#take('"');
    const { text } = this;
    const begin = this.#at;
    let hasEscapes = false;
    let end = begin;
    for (let code = text.charCodeAt(end); code !== QUOTE; code = text.charCodeAt(++end)) {
      if (code === BACKSLASH) {
        hasEscapes = true;
        code = text.charCodeAt(++end);
      }
      if (code >= SPACE) continue;
      this.#at = end; // at a control character, or at the end, where the code is NaN
      throw this.#unexpected();
    }
    this.#at = end + 1;
    const string = text.slice(begin, end);
    return hasEscapes ? this.#unescaped(string, what) : string; // UTF-8 holds no half code point
  }

  #unescaped(string: string, what: "key" | "string"): string {
    let text: string;
    try {
      text = JSON.parse(`"${string}"`) as string;
    } catch {
      throw this.#invalid(`string ${quote(string)}`, "JSON");
    }
    if (!/\p{Surrogate}/u.test(text)) return text;
    throw this.#invalid(`${what} ${quote(text)} is not Unicode text`, "whole code points");
  }

  /** Reads a number or one of three words. */
  #word(): Json {
    WORD.lastIndex = this.#at;
    const [word] = WORD.exec(this.text) as RegExpExecArray;
    if (word === "") throw this.#unexpected();
    this.#at += word.length;
    if (PLAIN_INTEGER.test(word)) return Number(word);
    const named = WORDS.get(word);
    if (named !== undefined) return named;
    if (!NUMBER.test(word)) throw this.#invalid(shorten(word), "JSON");
    const [mark] = /[-.eE]/.exec(word) as RegExpExecArray;
    throw this.#invalid(`a number with "${mark}"`, "non-negative integers in plain digits");
  }

  /** The next character that is no blank. */
  #next(): string | undefined {
    const { text } = this;
    let code = text.charCodeAt(this.#at);
    while (code === SPACE || code === 0x0a || code === 0x0d || code === 0x09) {
      code = text.charCodeAt(++this.#at);
    }
    return text[this.#at];
  }

  #take(character: string): void {
    if (this.#next() !== character) throw this.#unexpected();
    this.#at++;
  }

  #unexpected(): FormatError {
    const found = this.text[this.#at];
    const given = found === undefined ? "its end" : `${quote(found)} at character ${this.#at}`;
    return this.#invalid(given, "JSON");
  }

  #invalid(given: string, rule: string): FormatError {
    return new FormatError(`${this.op}: header: ${given}; expected ${rule}`);
  }
}
