import { type FunctionWriter, unsignedBytes } from "./assembler.ts";

/** A function that a module gives or takes. */
export interface NamedFunction {
  readonly name: string;
  readonly function: Pick<FunctionWriter, "parameters" | "results">;
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const encoder = /* @__PURE__ */ new TextEncoder();

function vectorOf(items: readonly (readonly number[])[]): number[] {
  return [...unsignedBytes(items.length), ...items.flat()];
}

function nameBytes(value: string): number[] {
  return [...unsignedBytes(value.length), ...encoder.encode(value)];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  if (items.length === 0) return [];
  const bytes = vectorOf(items);
  return [id, ...unsignedBytes(bytes.length), ...bytes];
}

/**
 * Puts a module together, which takes a memory, `e.m`, and functions of `e`. Functions that are taken
 * are numbered before its own.
 */
export function assembleModule(
  taken: readonly NamedFunction[],
  functions: readonly FunctionWriter[],
  given: readonly (readonly [name: string, index: number])[],
): Uint8Array<ArrayBuffer> {
  const types: number[][] = [];
  const keys: string[] = [];
  const typeOf = ({ parameters, results }: NamedFunction["function"]): number[] => {
    const type = [
      0x60,
      ...vectorOf(parameters.map((x) => [x])),
      ...vectorOf(results.map((x) => [x])),
    ];
    const known = keys.indexOf(type.join());
    if (known >= 0) return unsignedBytes(known);
    types.push(type);
    return unsignedBytes(keys.push(type.join()) - 1);
  };
  const imports = [
    [...nameBytes("e"), ...nameBytes("m"), 2, 0, 0],
    ...taken.map((one) => [...nameBytes("e"), ...nameBytes(one.name), 0, ...typeOf(one.function)]),
  ];
  const own = functions.map(typeOf);
  const exports = given.map(([name, index]) => [...nameBytes(name), 0, ...unsignedBytes(index)]);
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, types),
    ...section(2, imports),
    ...section(3, own),
    ...section(7, exports),
    ...section(
      10,
      functions.map(({ entry }) => entry),
    ),
  ]);
}
