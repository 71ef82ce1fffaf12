/*
 * All instructions of WebAssembly that have neither blocks nor names of things, by their numbers:
 * https://webassembly.github.io/spec/core/binary/instructions.html, and its relaxed vectors and
 * threads. So no instruction that code comes to use can be missing here.
 */

/** What an instruction is called, and what it takes. */
export interface KnownInstruction {
  readonly name: string;
  /** How many values it takes from the stack. */
  readonly takes: number;
  /** Whether it leaves one there. */
  readonly gives: boolean;
  /** What stands behind it. */
  readonly immediate: Behind;
  /** Bytes that it loads or stores: its natural alignment. */
  readonly bytes: number;
}

type Behind = "none" | "memory" | "memory and lane" | "lane" | "lanes" | "vector" | "zeros";

const COMPARED = "lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const WHOLE = `eqz eq ne ${COMPARED}`;
const FLOATS = "eq ne lt gt le ge";
const INTEGERS = `clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr`;
const REAL = "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign";
const SATURATED = "add add_sat_s add_sat_u sub sub_sat_s sub_sat_u";
const EXTREMES = "min_s min_u max_s max_u";

/** Instructions of one byte. */
const NUMBERS = [
  [0x28, "i32 load i64 load f32 load f64 load i32 load8_s load8_u load16_s load16_u"],
  [0x30, "i64 load8_s load8_u load16_s load16_u load32_s load32_u"],
  [0x36, "i32 store i64 store f32 store f64 store i32 store8 store16 i64 store8 store16 store32"],
  [0x3f, "memory size grow"],
  [0x45, `i32 ${WHOLE} i64 ${WHOLE} f32 ${FLOATS} f64 ${FLOATS}`],
  [0x67, `i32 ${INTEGERS} i64 ${INTEGERS} f32 ${REAL} f64 ${REAL}`],
  [0xa7, "i32 wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u"],
  [0xac, "i64 extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u"],
  [0xb2, "f32 convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64"],
  [0xb7, "f64 convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32"],
  [0xbc, "i32 reinterpret_f32 i64 reinterpret_f64 f32 reinterpret_i32 f64 reinterpret_i64"],
  [0xc0, "i32 extend8_s extend16_s i64 extend8_s extend16_s extend32_s"],
] as const;

/** Those behind 0xfc. */
const MORE = [
  [0x00, "i32 trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u"],
  [0x04, "i64 trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u"],
  [0x0a, "memory copy fill"],
] as const;

/** Those behind 0xfd. */
const VECTORS = [
  [0x00, "v128 load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u"],
  [0x07, "v128 load8_splat load16_splat load32_splat load64_splat store const"],
  [0x0d, "i8x16 shuffle swizzle splat i16x8 splat i32x4 splat i64x2 splat f32x4 splat f64x2 splat"],
  [0x15, "i8x16 extract_lane_s extract_lane_u replace_lane"],
  [0x18, "i16x8 extract_lane_s extract_lane_u replace_lane i32x4 extract_lane replace_lane"],
  [0x1d, "i64x2 extract_lane replace_lane f32x4 extract_lane replace_lane"],
  [0x21, "f64x2 extract_lane replace_lane"],
  [0x23, `i8x16 eq ne ${COMPARED} i16x8 eq ne ${COMPARED} i32x4 eq ne ${COMPARED}`],
  [0x41, `f32x4 ${FLOATS} f64x2 ${FLOATS} v128 not and andnot or xor bitselect any_true`],
  [0x54, "v128 load8_lane load16_lane load32_lane load64_lane"],
  [0x58, "v128 store8_lane store16_lane store32_lane store64_lane load32_zero load64_zero"],
  [0x5e, "f32x4 demote_f64x2_zero f64x2 promote_low_f32x4"],
  [0x60, "i8x16 abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u"],
  [0x67, "f32x4 ceil floor trunc nearest"],
  [0x6b, `i8x16 shl shr_s shr_u ${SATURATED} f64x2 ceil floor i8x16 ${EXTREMES}`],
  [0x7a, "f64x2 trunc i8x16 avgr_u i16x8 extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u"],
  [0x7e, "i32x4 extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u"],
  [0x80, "i16x8 abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u"],
  [0x87, "i16x8 extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u"],
  [0x8b, `i16x8 shl shr_s shr_u ${SATURATED} f64x2 nearest i16x8 mul ${EXTREMES}`],
  [0x9b, "i16x8 avgr_u extmul_low_i8x16_s extmul_high_i8x16_s"],
  [0x9e, "i16x8 extmul_low_i8x16_u extmul_high_i8x16_u i32x4 abs neg"],
  [0xa3, "i32x4 all_true bitmask"],
  [0xa7, "i32x4 extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u"],
  [0xab, "i32x4 shl shr_s shr_u add"],
  [0xb1, "i32x4 sub"],
  [0xb5, `i32x4 mul ${EXTREMES} dot_i16x8_s`],
  [0xbc, "i32x4 extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u"],
  [0xc0, "i64x2 abs neg"],
  [0xc3, "i64x2 all_true bitmask"],
  [0xc7, "i64x2 extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u"],
  [0xcb, "i64x2 shl shr_s shr_u add"],
  [0xd1, "i64x2 sub"],
  [0xd5, "i64x2 mul eq ne lt_s gt_s le_s ge_s extmul_low_i32x4_s extmul_high_i32x4_s"],
  [0xde, "i64x2 extmul_low_i32x4_u extmul_high_i32x4_u f32x4 abs neg"],
  [0xe3, "f32x4 sqrt add sub mul div min max pmin pmax f64x2 abs neg"],
  [0xef, "f64x2 sqrt add sub mul div min max pmin pmax"],
  [0xf8, "i32x4 trunc_sat_f32x4_s trunc_sat_f32x4_u f32x4 convert_i32x4_s convert_i32x4_u"],
  [0xfc, "i32x4 trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero"],
  [0xfe, "f64x2 convert_low_i32x4_s convert_low_i32x4_u"],
  [0x100, "i8x16 relaxed_swizzle i32x4 relaxed_trunc_f32x4_s relaxed_trunc_f32x4_u"],
  [0x103, "i32x4 relaxed_trunc_f64x2_s_zero relaxed_trunc_f64x2_u_zero"],
  [0x105, "f32x4 relaxed_madd relaxed_nmadd f64x2 relaxed_madd relaxed_nmadd"],
  [0x109, "i8x16 relaxed_laneselect i16x8 relaxed_laneselect i32x4 relaxed_laneselect"],
  [0x10c, "i64x2 relaxed_laneselect f32x4 relaxed_min relaxed_max f64x2 relaxed_min relaxed_max"],
  [0x111, "i16x8 relaxed_q15mulr_s relaxed_dot_i8x16_i7x16_s"],
  [0x113, "i32x4 relaxed_dot_i8x16_i7x16_add_s"],
] as const;

/** Those behind 0xfe. */
const ATOMIC = [
  [0x00, "memory atomic.notify atomic.wait32 atomic.wait64 atomic fence"],
  [0x10, "i32 atomic.load i64 atomic.load i32 atomic.load8_u atomic.load16_u"],
  [0x14, "i64 atomic.load8_u atomic.load16_u atomic.load32_u"],
  [0x17, "i32 atomic.store i64 atomic.store i32 atomic.store8 atomic.store16"],
  [0x1b, "i64 atomic.store8 atomic.store16 atomic.store32"],
  ...["add", "sub", "and", "or", "xor", "xchg", "cmpxchg"].map((name, i) => {
    const small = [8, 16].map((bits) => `atomic.rmw${bits}.${name}_u`).join(" ");
    const words = `i32 atomic.rmw.${name} i64 atomic.rmw.${name} i32 ${small} i64 ${small}`;
    return [0x1e + 7 * i, `${words} atomic.rmw32.${name}_u`] as const;
  }),
] as const;

/** What the names of instructions of one operand begin with. */
const UNARY =
  /^(relaxed_trunc|(eqz|clz|ctz|popcnt|abs|neg|ceil|floor|trunc|trunc_sat|nearest|sqrt|not|any_true|all_true|bitmask|wrap|reinterpret|extend\d*|promote|demote|convert|extadd_pairwise|splat|extract_lane|grow)(_|$)|atomic\.load)/;
const TERNARY =
  /^(bitselect|copy$|fill$|relaxed_n?madd|relaxed_laneselect|atomic\.wait)|cmpxchg|add_s$/;

function instruction(type: string, own: string): KnownInstruction {
  const isLane = /_lane/.test(own);
  const isMemory = /(^|\.)(load|store)|^atomic\.(rmw|notify|wait)/.test(own);
  const isStore = /(^|\.)store/.test(own);
  return {
    name: `${type}.${own}`,
    takes: operands(own, isMemory && isLane),
    gives: !isStore && !["copy", "fill", "fence"].includes(own),
    immediate: immediateOf(own, isMemory, isLane),
    bytes: isMemory ? accessBytes(type, own) : 0,
  };
}

function operands(own: string, isMemoryLane: boolean): number {
  if (["const", "size", "fence"].includes(own)) return 0;
  if (TERNARY.test(own)) return 3;
  return (/^load/.test(own) && !isMemoryLane) || UNARY.test(own) ? 1 : 2;
}

function immediateOf(own: string, isMemory: boolean, isLane: boolean): Behind {
  if (isMemory) return isLane ? "memory and lane" : "memory";
  if (/^(extract|replace)/.test(own)) return "lane";
  if (own === "shuffle") return "lanes";
  if (own === "const") return "vector";
  return ["size", "grow", "copy", "fill", "fence"].includes(own) ? "zeros" : "none";
}

/** Bytes in memory, by the name: load8x8_s, store16, load32_splat, atomic.rmw8.add_u. */
function accessBytes(type: string, own: string): number {
  const [, bits, lanes = "1"] = /(?:load|store|rmw|wait)(\d+)(?:x(\d+))?/.exec(own) ?? [];
  if (bits) return (Number(bits) * Number(lanes)) / 8;
  return type === "memory" ? 4 : Number(type.slice(1)) / 8;
}

function table(rows: readonly (readonly [number, string])[]): Map<number, KnownInstruction> {
  const found = new Map<number, KnownInstruction>();
  for (const [first, text] of rows) {
    let type = "";
    let code = first;
    for (const word of text.split(" ")) {
      if (/^([ifv]\d+(x\d+)?|memory|atomic)$/.test(word)) type = word;
      else found.set(code++, instruction(type, word));
    }
  }
  return found;
}

/** Instructions by their prefixes, 0 where there is none, and numbers. */
export const INSTRUCTIONS_READ: ReadonlyMap<
  number,
  ReadonlyMap<number, KnownInstruction>
> = new Map([
  [0, table(NUMBERS)],
  [0xfc, table(MORE)],
  [0xfd, table(VECTORS)],
  [0xfe, table(ATOMIC)],
]);
