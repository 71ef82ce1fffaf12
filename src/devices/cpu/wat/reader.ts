import { type Expression, floatText } from "./expression.ts";
import { INSTRUCTIONS_READ, type KnownInstruction } from "./opcodes.ts";

const TYPES: Readonly<Record<number, string>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
};

/** Types of what a function takes and gives. */
export interface FunctionSides {
  readonly parameters: readonly string[];
  readonly results: readonly string[];
}

/** Reads what an assembler has written, from the beginning on. */
export class ByteReader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get isEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++];
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** A whole number from 0 on. */
  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** A whole number of up to 64 bits with its sign. */
  signed(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value += BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.unsigned()));
  }

  type(): string {
    const byte = this.byte();
    return TYPES[byte] ?? refuse(`type ${hex(byte)}`);
  }

  /** As many things as the number before them says. */
  list<T>(read: (i: number) => T): T[] {
    return Array.from({ length: this.unsigned() }, (_, i) => read(i));
  }
}

/** Throws, naming what no text is known for. This folder imports nothing, so no error of the library. */
export function refuse(what: string): never {
  throw new Error(`wat: ${what}; expected what src/devices/cpu/wat/ can read`);
}

function hex(code: number): string {
  return `0x${code.toString(16)}`;
}

/** One block's statements, and the values that are still on the stack. */
interface OpenBlock {
  readonly statements: Expression[];
  values: Expression[];
}

/**
 * Reads a body's instructions as expressions: what an instruction takes stands in its brackets, where
 * nothing was done in between.
 */
export class BodyReader {
  /**
   * @param signatures of all functions, by their numbers.
   * @param locals what locals are called, parameters first.
   */
  constructor(
    readonly reader: ByteReader,
    readonly signatures: readonly FunctionSides[],
    readonly locals: readonly string[],
  ) {}

  /** The statements up to the end of a block, or to an `else`. */
  block(): { statements: Expression[]; isElse: boolean } {
    const block: OpenBlock = { statements: [], values: [] };
    for (;;) {
      const code = this.reader.byte();
      if (code === 0x0b || code === 0x05) {
        flush(block);
        return { statements: block.statements, isElse: code === 0x05 };
      }
      this.#step(block, code);
    }
  }

  #step(block: OpenBlock, code: number): void {
    const { reader } = this;
    if (code >= 0x02 && code <= 0x04) this.#nested(block, code);
    else if (code === 0x0c) perform(block, `br ${reader.unsigned()}`, 0);
    else if (code === 0x0d) perform(block, `br_if ${reader.unsigned()}`, 1);
    else if (code === 0x10) this.#call(block);
    else if (code in PLAIN) perform(block, ...PLAIN[code]);
    else if (code >= 0x20 && code <= 0x24) this.#variable(block, code - 0x20);
    else if (code >= 0x41 && code <= 0x44) give(block, numberText(reader, code), 0);
    else this.#instruction(block, code);
  }

  /** A block, a loop, or what runs on a condition. */
  #nested(block: OpenBlock, code: number): void {
    const kind = this.reader.byte();
    const result = kind === 0x40 ? "" : ` (result ${TYPES[kind] ?? refuse(`type ${hex(kind)}`)})`;
    const head = `${["block", "loop", "if"][code - 2]}${result}`;
    const condition = code === 0x04 ? block.values.splice(-1) : [];
    flush(block);
    const { statements, isElse } = this.block();
    const parts = [{ head: "then", parts: statements }];
    if (isElse) parts.push({ head: "else", parts: this.block().statements });
    block.statements.push({ head, parts: code === 0x04 ? [...condition, ...parts] : statements });
  }

  #call(block: OpenBlock): void {
    const index = this.reader.unsigned();
    const { parameters, results } = this.signatures[index];
    const head = `call $f${index}`;
    if (results.length === 1) give(block, head, parameters.length);
    else perform(block, head, parameters.length);
  }

  #variable(block: OpenBlock, kind: number): void {
    const index = this.reader.unsigned();
    const verb = ["local.get", "local.set", "local.tee", "global.get", "global.set"][kind];
    const head = `${verb} ${kind < 3 ? this.locals[index] : index}`;
    if (kind === 1 || kind === 4) perform(block, head, 1);
    else give(block, head, kind === 2 ? 1 : 0);
  }

  #instruction(block: OpenBlock, code: number): void {
    const { reader } = this;
    const prefix = INSTRUCTIONS_READ.has(code) ? code : 0;
    const own = prefix === 0 ? code : reader.unsigned();
    const found = INSTRUCTIONS_READ.get(prefix)?.get(own);
    if (!found) refuse(`instruction ${prefix === 0 ? "" : `${hex(prefix)} `}${hex(own)}`);
    const { name, takes, gives, immediate, bytes } = found;
    if (immediate === "vector") {
      block.values.push({ head: name, parts: [], vector: reader.take(16) });
      return;
    }
    const head = [name, ...this.#immediates(immediate, name, bytes)].join(" ");
    if (gives) give(block, head, takes);
    else perform(block, head, takes);
  }

  #immediates(kind: KnownInstruction["immediate"], name: string, bytes: number): unknown[] {
    const { reader } = this;
    const lane = () => reader.byte();
    if (kind === "lane") return [lane()];
    if (kind === "lanes") return [...reader.take(16)];
    if (kind === "zeros") reader.take(name === "memory.copy" ? 2 : 1);
    if (kind !== "memory" && kind !== "memory and lane") return [];
    const align = 2 ** reader.unsigned();
    const offset = reader.unsigned();
    return [
      ...(offset > 0 ? [`offset=${offset}`] : []),
      ...(align === bytes ? [] : [`align=${align}`]),
      ...(kind === "memory" ? [] : [lane()]),
    ];
  }
}

/** Instructions without anything behind them that are no arithmetic: what they take. */
const PLAIN: Readonly<Record<number, readonly [head: string, takes: number, gives?: boolean]>> = {
  0: ["unreachable", 0],
  1: ["nop", 0],
  15: ["return", 0],
  26: ["drop", 1],
  27: ["select", 3, true],
};

/** Adds an instruction that leaves a value. */
function give(block: OpenBlock, head: string, takes: number): void {
  block.values.push({ head, parts: block.values.splice(-takes, takes) });
}

/** Adds one that leaves none; what is on the stack by then stands before it. */
function perform(block: OpenBlock, head: string, takes: number, gives = false): void {
  if (gives) {
    give(block, head, takes);
    return;
  }
  const parts = block.values.splice(-takes, takes);
  flush(block);
  block.statements.push({ head, parts });
}

function flush(block: OpenBlock): void {
  block.statements.push(...block.values);
  block.values = [];
}

function numberText(reader: ByteReader, code: number): string {
  const view = () => {
    const { buffer, byteOffset } = reader.take(code === 0x43 ? 4 : 8);
    return new DataView(buffer as ArrayBuffer, byteOffset);
  };
  if (code === 0x41) return `i32.const ${reader.signed()}`;
  if (code === 0x42) return `i64.const ${reader.signed()}`;
  if (code === 0x43) return `f32.const ${floatText(view().getFloat32(0, true), Math.fround)}`;
  return `f64.const ${floatText(view().getFloat64(0, true))}`;
}
