/** A part of WebAssembly's text: a head and what stands in its brackets behind it. */
export interface Expression {
  readonly head: string;
  readonly parts: readonly Expression[];
  /** The 16 bytes of a vector, which are written as what takes them reads them. */
  readonly vector?: Uint8Array;
}

const WIDTH = 100;

/** Writes expressions, one a line, or in several lines where they are long; locals share lines. */
export function linesOf(expressions: readonly Expression[], indent = 0, shape = ""): string[] {
  const lines: string[] = [];
  let isOpen = false;
  for (const one of expressions) {
    const own = wrapped(one, indent, shape);
    const isLocal = /^(local|param) /.test(one.head);
    const longer = `${lines.at(-1)} ${own[0].trimStart()}`;
    if (isOpen && isLocal && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(...own);
    isOpen = isLocal;
  }
  return lines;
}

function wrapped(one: Expression, indent: number, shape: string): string[] {
  const isBlock = /^(func \$|loop|block|if|then|else|module)/.test(one.head);
  const flat = isBlock ? null : flatText(one, shape);
  const fits = flat !== null && indent + flat.length <= WIDTH;
  const start = " ".repeat(indent);
  if (fits || one.parts.length === 0) return [start + (flat ?? `(${one.head})`)];
  const lines = linesOf(one.parts, indent + 2, operandShape(one.head));
  lines[lines.length - 1] += ")";
  return [`${start}(${one.head}`, ...lines];
}

function flatText(one: Expression, shape: string): string {
  if (one.vector) return `(v128.const ${vectorText(one.vector, shape)})`;
  const own = operandShape(one.head);
  return `(${[one.head, ...one.parts.map((part) => flatText(part, own))].join(" ")})`;
}

/** What an instruction takes its operands for: the last shape of lanes in its name. */
function operandShape(head: string): string {
  const [name] = head.split(" ");
  return name.match(/(f32x4|f64x2|i32x4|i64x2)/g)?.at(-1) ?? "";
}

/** 16 bytes as numbers, by which they are found again bit for bit. */
function vectorText({ buffer, byteOffset }: Uint8Array, shape: string): string {
  const view = new DataView(buffer as ArrayBuffer, byteOffset, 16);
  const words = [0, 4, 8, 12].map((at) => view.getInt32(at, true));
  const doubles = [0, 8].map((at) => view.getFloat64(at, true));
  const floats = [0, 4, 8, 12].map((at) => view.getFloat32(at, true));
  const isSmall = words.every((word) => Math.abs(word) < 2 ** 20);
  const asFloats = shape === "f32x4" || (shape === "" && !isSmall);
  if (shape === "f64x2" && !doubles.some(Number.isNaN)) {
    return `f64x2 ${doubles.map((x) => floatText(x)).join(" ")}`;
  }
  if (asFloats && !floats.some(Number.isNaN)) {
    return `f32x4 ${floats.map((x) => floatText(x, Math.fround)).join(" ")}`;
  }
  const hex = (word: number) => `0x${(word >>> 0).toString(16).padStart(8, "0")}`;
  return `i32x4 ${words.map((word) => (isSmall ? `${word}` : hex(word))).join(" ")}`;
}

/** Writes a float in as few digits as it takes to be found again. */
export function floatText(value: number, round = (x: number) => x): string {
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  for (let digits = 1; digits < 17; digits++) {
    const text = value.toPrecision(digits);
    if (round(Number(text)) === value) return `${Number(text)}`;
  }
  return `${value}`;
}
