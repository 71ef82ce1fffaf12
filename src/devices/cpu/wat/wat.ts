import { type Expression, linesOf } from "./expression.ts";
import { BodyReader, ByteReader, type FunctionSides, refuse } from "./reader.ts";

/** A module that was read: its own functions' numbers begin behind those of `imported`. */
interface ReadModule {
  readonly types: readonly FunctionSides[];
  readonly imports: readonly Expression[];
  readonly imported: readonly number[];
  readonly own: readonly number[];
  readonly exports: readonly (readonly [name: string, index: number])[];
  readonly bodies: readonly Uint8Array[];
}

/**
 * Writes the text of a module of WebAssembly, which any assembler reads back to the same bytes:
 * https://webassembly.github.io/spec/core/text/. Functions and locals are called by their numbers;
 * an instruction with too few operands in its brackets takes the others from the stack.
 */
export function moduleText(bytes: Uint8Array): string {
  const module = readModule(bytes);
  const { types, imports, own, imported, exports } = module;
  const parts = [
    ...types.map(
      (type): Expression => ({ head: "type", parts: [{ head: "func", parts: sides(type) }] }),
    ),
    ...imports,
    ...own.map((_, i) => functionOf(module, imported.length + i)),
    ...exports.map(([name, index]) => {
      const one = { head: `func $f${index}`, parts: [] };
      return { head: `export "${name}"`, parts: [one] };
    }),
  ];
  return linesOf([{ head: "module", parts }]).join("\n");
}

/** Writes the text of one of a module's functions. */
export function functionText(bytes: Uint8Array, index: number): string {
  return linesOf([functionOf(readModule(bytes), index)]).join("\n");
}

/** For each exported function, the number of the last one that it calls. */
export function calledFunctions(bytes: Uint8Array): Map<string, number> {
  const module = readModule(bytes);
  return new Map(
    module.exports.flatMap(([name, index]) => {
      const calls = functionOf(module, index).parts.map(({ head }) => /^call \$f(\d+)$/.exec(head));
      const [, called] = calls.findLast((one) => one) ?? [];
      return called === undefined ? [] : [[name, Number(called)] as const];
    }),
  );
}

function functionOf(module: ReadModule, index: number): Expression {
  const { types, imported, own, bodies } = module;
  const number = index - imported.length;
  const signature = types[own[number]];
  const reader = new ByteReader(bodies[number]);
  const kinds = reader
    .list(() => [reader.unsigned(), reader.type()] as const)
    .flatMap(([count, type]) => new Array<string>(count).fill(type));
  const { parameters } = signature;
  const locals = [
    ...parameters.map((_, i) => `$p${i}`),
    ...kinds.map((type, i) => `$${type[0]}${parameters.length + i}`),
  ];
  const signatures = [...imported, ...own].map((type) => types[type]);
  const { statements } = new BodyReader(reader, signatures, locals).block();
  const sidesNamed = sides(signature, locals);
  const declared = kinds.map((type, i) => {
    return { head: `local ${locals[parameters.length + i]} ${type}`, parts: [] };
  });
  return {
    head: `func $f${index} (type ${own[number]})`,
    parts: [...sidesNamed, ...declared, ...statements],
  };
}

/** What a function takes and gives; with names, each parameter has its own brackets. */
function sides({ parameters, results }: FunctionSides, names?: readonly string[]): Expression[] {
  const one = (head: string, types: readonly string[]): Expression[] =>
    types.length > 0 ? [{ head: `${head} ${types.join(" ")}`, parts: [] }] : [];
  const taken = names
    ? parameters.map((type, i) => ({ head: `param ${names[i]} ${type}`, parts: [] }))
    : one("param", parameters);
  return [...taken, ...one("result", results)];
}

function readModule(bytes: Uint8Array): ReadModule {
  const reader = new ByteReader(bytes);
  reader.take(8);
  let types: FunctionSides[] = [];
  let imports: Expression[] = [];
  const imported: number[] = [];
  let own: number[] = [];
  let exports: (readonly [string, number])[] = [];
  let bodies: Uint8Array[] = [];
  while (!reader.isEnd) {
    const id = reader.byte();
    const section = new ByteReader(reader.take(reader.unsigned()));
    if (id === 1) types = section.list(() => sidesOf(section));
    else if (id === 2) imports = section.list(() => importOf(section, imported));
    else if (id === 3) own = section.list(() => section.unsigned());
    else if (id === 7) exports = section.list(() => exportOf(section));
    else if (id === 10) bodies = section.list(() => section.take(section.unsigned()));
    else if (id !== 0) refuse(`section ${id}`);
  }
  return { types, imports, imported, own, exports, bodies };
}

function sidesOf(reader: ByteReader): FunctionSides {
  reader.take(1);
  const parameters = reader.list(() => reader.type());
  return { parameters, results: reader.list(() => reader.type()) };
}

function importOf(reader: ByteReader, imported: number[]): Expression {
  const head = `import "${reader.name()}" "${reader.name()}"`;
  const kind = reader.byte();
  if (kind === 0) {
    const type = reader.unsigned();
    const own = `func $f${imported.push(type) - 1} (type ${type})`;
    return { head, parts: [{ head: own, parts: [] }] };
  }
  if (kind !== 2) refuse(`an import of kind ${kind}`);
  const flags = reader.byte();
  const limits = [reader.unsigned(), ...(flags & 1 ? [reader.unsigned()] : [])];
  const memory = ["memory", ...limits, ...(flags & 2 ? ["shared"] : [])].join(" ");
  return { head, parts: [{ head: memory, parts: [] }] };
}

function exportOf(reader: ByteReader): readonly [string, number] {
  const name = reader.name();
  const kind = reader.byte();
  if (kind !== 0) refuse(`an export of kind ${kind}`);
  return [name, reader.unsigned()];
}
