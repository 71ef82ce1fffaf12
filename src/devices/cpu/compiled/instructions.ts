/** Instructions on vectors by their names in WebAssembly, and their numbers behind the prefix 0xfd. */
export const INSTRUCTIONS = {
  "v128.const": 0x0c,
  "i8x16.shuffle": 0x0d,
  "v128.not": 0x4d,
  "v128.and": 0x4e,
  "v128.andnot": 0x4f,
  "v128.or": 0x50,
  "v128.xor": 0x51,
  "v128.bitselect": 0x52,
  "v128.any_true": 0x53,
  "i32x4.eq": 0x37,
  "i32x4.ne": 0x38,
  "i32x4.lt_s": 0x39,
  "i32x4.lt_u": 0x3a,
  "i32x4.gt_s": 0x3b,
  "i32x4.gt_u": 0x3c,
  "i32x4.le_s": 0x3d,
  "i32x4.le_u": 0x3e,
  "i32x4.ge_s": 0x3f,
  "i32x4.ge_u": 0x40,
  "f32x4.eq": 0x41,
  "f32x4.ne": 0x42,
  "f32x4.lt": 0x43,
  "f32x4.gt": 0x44,
  "f32x4.le": 0x45,
  "f32x4.ge": 0x46,
  "f64x2.eq": 0x47,
  "f64x2.ne": 0x48,
  "f32x4.demote_f64x2_zero": 0x5e,
  "f64x2.promote_low_f32x4": 0x5f,
  "f32x4.floor": 0x68,
  "f32x4.nearest": 0x6a,
  "f64x2.nearest": 0x94,
  "i32x4.abs": 0xa0,
  "i32x4.neg": 0xa1,
  "i32x4.shl": 0xab,
  "i32x4.shr_s": 0xac,
  "i32x4.shr_u": 0xad,
  "i32x4.add": 0xae,
  "i32x4.sub": 0xb1,
  "i32x4.mul": 0xb5,
  "i32x4.min_s": 0xb6,
  "i32x4.min_u": 0xb7,
  "i32x4.max_s": 0xb8,
  "i32x4.max_u": 0xb9,
  "i64x2.shl": 0xcb,
  "i64x2.shr_u": 0xcd,
  "i64x2.add": 0xce,
  "i64x2.sub": 0xd1,
  "i64x2.extmul_low_i32x4_u": 0xde,
  "i64x2.extmul_high_i32x4_u": 0xdf,
  "f32x4.abs": 0xe0,
  "f32x4.neg": 0xe1,
  "f32x4.sqrt": 0xe3,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7,
  "f32x4.min": 0xe8,
  "f32x4.max": 0xe9,
  "f32x4.pmin": 0xea,
  "f32x4.pmax": 0xeb,
  "f64x2.add": 0xf0,
  "f64x2.sub": 0xf1,
  "f64x2.mul": 0xf2,
  "f64x2.div": 0xf3,
  "f64x2.min": 0xf4,
  "f64x2.max": 0xf5,
  "i32x4.trunc_sat_f32x4_s": 0xf8,
  "i32x4.trunc_sat_f32x4_u": 0xf9,
  "f32x4.convert_i32x4_s": 0xfa,
  "f32x4.convert_i32x4_u": 0xfb,
  "i32x4.trunc_sat_f64x2_s_zero": 0xfc,
  "i32x4.trunc_sat_f64x2_u_zero": 0xfd,
  "f64x2.convert_low_i32x4_s": 0xfe,
  "f64x2.convert_low_i32x4_u": 0xff,
  "f32x4.relaxed_madd": 0x105,
} as const;

/** The name of an instruction on vectors. */
export type Instruction = keyof typeof INSTRUCTIONS;

// Instructions on numbers, on bits and on memory, and those on vectors that code is often made of.
export const ADD = 0x6a;
export const CONST = 0x0c;
export const EXTRACT_LANE = 0x1b;
export const IS_ZERO = 0x45;
export const LESS_UNSIGNED = 0x49;
export const LOAD_VECTOR = 0x00;
export const LOAD_I32 = 0x28;
export const LOAD_LANE = 0x56;
export const LOAD_SPLAT = 0x09;
export const MEMORY_FILL = [0xfc, 0x0b, 0];
export const MULTIPLY = 0x6c;
export const MULTIPLY_ADD = 0x105;
export const NOT_EQUAL = 0x47;
export const SELECT = 0x1b;
export const SHIFT_LEFT = 0x74;
export const SPLAT_WORDS = 0x11;
export const STORE_VECTOR = 0x0b;
export const STORE_I32 = 0x36;
export const STORE_LANE = 0x5a;
export const SUBTRACT = 0x6b;
