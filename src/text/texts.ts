import { decodeUtf8 } from "../core/bytes.ts";
import { checkEach, checkOptions, describeValue } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import type { DecodeOptions, EncodeOptions } from "./tokenizer.ts";

/** Half of a surrogate pair without the other. */
const LONE = /\p{Surrogate}/u;

/**
 * The bytes of a text in UTF-8, where a lone surrogate, which has none, gets those that it would have
 * as a character, so that every string comes back. Source: Sapin, "The WTF-8 encoding".
 */
export function utf8Of(text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (!LONE.test(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0xd800 || code > 0xdfff) bytes.push(...encoder.encode(character));
    else bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return Uint8Array.from(bytes);
}

/** The text of bytes that `utf8Of` gave; what is none becomes U+FFFD, as `TextDecoder` has it. */
export function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== null) return text;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let made = "";
  let begin = 0;
  for (let i = 0; i + 2 < bytes.length; i++) {
    const isSurrogate = bytes[i] === 0xed && bytes[i + 1] >= 0xa0 && bytes[i + 1] < 0xc0;
    if (!isSurrogate || (bytes[i + 2] & 0xc0) !== 0x80) continue;
    const code = 0xd000 | ((bytes[i + 1] & 0x3f) << 6) | (bytes[i + 2] & 0x3f);
    made += decoder.decode(bytes.subarray(begin, i)) + String.fromCharCode(code);
    begin = i + 3;
    i += 2;
  }
  return made + decoder.decode(bytes.subarray(begin));
}

/** Lists numbers without knowing how many there will be. */
export class TokenList {
  #numbers: Int32Array<ArrayBuffer> = new Int32Array(64);
  #length = 0;

  push(token: number): void {
    this.#room(1);
    this.#numbers[this.#length++] = token;
  }

  append(tokens: ArrayLike<number>): void {
    this.#room(tokens.length);
    this.#numbers.set(tokens, this.#length);
    this.#length += tokens.length;
  }

  /** The numbers in an array of their own. */
  take(): Int32Array<ArrayBuffer> {
    return this.#numbers.slice(0, this.#length);
  }

  #room(count: number): void {
    if (this.#length + count <= this.#numbers.length) return;
    const larger = new Int32Array(2 * (this.#length + count));
    larger.set(this.#numbers.subarray(0, this.#length));
    this.#numbers = larger;
  }
}

/** Checks what `encode` is given, and gives whether names of special tokens are these. */
export function checkEncode(op: string, text: string, options: EncodeOptions): boolean {
  checkString(op, text);
  checkOptions<EncodeOptions>(op, options, { special: "boolean" });
  return options.special ?? false;
}

/** Throws a `GradusError` unless something is a string. */
export function checkString(op: string, text: string): void {
  checkEach(op, { text }, (x) => typeof x === "string", "a string");
}

/** Checks what `decode` is given, and gives whether names of special tokens are written. */
export function checkDecode(
  op: string,
  tokens: ArrayLike<number>,
  size: number,
  options: DecodeOptions,
): boolean {
  const isList = typeof tokens === "object" && Number.isSafeInteger(tokens?.length);
  if (!isList) {
    throw new GradusError(`${op}: tokens ${describeValue(tokens)}; expected an array of integers`);
  }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (Number.isSafeInteger(token) && token >= 0 && token < size) continue;
    throw new ShapeError(
      `${op}: token ${describeValue(token)}; expected integers from 0 to ${size - 1}`,
    );
  }
  checkOptions<DecodeOptions>(op, options, { special: "boolean" });
  return options.special ?? true;
}
