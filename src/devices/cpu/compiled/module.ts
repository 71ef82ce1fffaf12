import type { FunctionWriter } from "./assembler.ts";
import { CodeBytes } from "./code-bytes.ts";

/** A function that a module gives or takes. */
export interface NamedFunction {
  readonly name: string;
  readonly function: Pick<FunctionWriter, "parameters" | "results">;
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** The least and the most pages of a memory that is taken. */
const UNSHARED = [0, 0];
const SHARED = [3, 0, 0x80, 0x80, 4];
const encoder = /* @__PURE__ */ new TextEncoder();

/**
 * Puts a module together, which takes a memory, `e.m`, and functions of `e`. Functions that are taken
 * are numbered before its own.
 *
 * @param isShared whether the memory is one that threads share.
 */
export function assembleModule(
  taken: readonly NamedFunction[],
  functions: readonly FunctionWriter[],
  given: readonly (readonly [name: string, index: number])[],
  isShared = false,
): Uint8Array<ArrayBuffer> {
  const types: NamedFunction["function"][] = [];
  const keys: string[] = [];
  const typeOf = (type: NamedFunction["function"]): number => {
    const key = `${type.parameters}>${type.results}`;
    const known = keys.indexOf(key);
    if (known >= 0) return known;
    types.push(type);
    return keys.push(key) - 1;
  };
  const numbers = [...taken.map((one) => one.function), ...functions].map(typeOf);
  const module = new CodeBytes().append(MAGIC);
  const section = <T>(
    id: number,
    items: readonly T[],
    write: (bytes: CodeBytes, item: T) => void,
  ) => {
    if (items.length === 0) return;
    const bytes = new CodeBytes();
    bytes.vector(items, (item) => write(bytes, item));
    module.byte(id).block(bytes.written);
  };
  const name = (bytes: CodeBytes, value: string) => bytes.block(encoder.encode(value));
  section(1, types, (bytes, { parameters, results }) => {
    bytes.byte(0x60);
    for (const list of [parameters, results]) bytes.unsigned(list.length).append(list);
  });
  section(2, [null, ...taken.keys()], (bytes, i) => {
    name(name(bytes, "e"), i === null ? "m" : taken[i].name);
    if (i === null) bytes.byte(2).append(isShared ? SHARED : UNSHARED);
    else bytes.byte(0).unsigned(numbers[i]);
  });
  section(3, numbers.slice(taken.length), (bytes, type) => bytes.unsigned(type));
  section(7, given, (bytes, [own, index]) => name(bytes, own).byte(0).unsigned(index));
  section(10, functions, (bytes, { body }) => bytes.block(body));
  return module.written;
}
