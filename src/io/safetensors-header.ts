import { FormatError } from "../core/errors.ts";

/**
 * Parses a safetensors header: a JSON object padded at most with trailing spaces, in which no key
 * comes twice and every number is written as a plain non-negative integer.
 *
 * Throws `FormatError` for any other text, where plain `JSON.parse` would keep the last of two
 * equal keys in silence.
 */
export function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw invalid("first byte is not {", "a JSON object");
  const text = decodeUtf8(bytes);
  let end = text.length;
  while (text[end - 1] === " ") end--;
  if (text[end - 1] !== "}")
    throw invalid("last character is not }", "only spaces after the object");
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), "JSON");
  }
  checkTokens(text);
  return header as Record<string, unknown>; // starts with {, so it is an object
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice());
  } catch {
    throw invalid("bytes are not UTF-8", "UTF-8");
  }
}

// Walks valid JSON token by token; `scopes` holds the keys seen in each open object.
function checkTokens(text: string): void {
  const scopes: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") scopes.push(new Set());
    else if (character === "}" || character === "]") scopes.pop();
    else if (character === '"') {
      const end = closingQuote(text, i);
      if (isKey(text, end)) {
        addKey(scopes[scopes.length - 1], JSON.parse(text.slice(i, end + 1)) as string);
      }
      i = end;
    } else if (/[-.]/.test(character) || (/[eE]/.test(character) && /\d/.test(text[i - 1]))) {
      throw invalid(`a number with "${character}"`, "non-negative integers in plain digits");
    }
  }
}

function isKey(text: string, end: number): boolean {
  let next = end + 1;
  while (" \t\r\n".includes(text[next])) next++;
  return text[next] === ":";
}

function closingQuote(text: string, open: number): number {
  let i = open + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}

function addKey(seen: Set<string>, key: string): void {
  if (seen.has(key)) throw invalid(`key ${JSON.stringify(key)} comes twice`, "each key once");
  if (/\p{Surrogate}/u.test(key)) {
    throw invalid(`key ${JSON.stringify(key)} is not Unicode text`, "whole code points");
  }
  seen.add(key);
}

function invalid(given: string, rule: string): FormatError {
  return new FormatError(`readSafetensors: header: ${given}; expected ${rule}`);
}
