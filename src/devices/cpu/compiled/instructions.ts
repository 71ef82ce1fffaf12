// Instructions on numbers, on bits and on memory.
export const ADD = 0x6a;
export const AND = 0x71;
export const EQUAL = 0x46;
export const IS_ZERO = 0x45;
export const LESS_UNSIGNED = 0x49;
export const LOAD_I32 = 0x28;
export const MULTIPLY = 0x6c;
export const NOT_EQUAL = 0x47;
export const SELECT = 0x1b;
export const SHIFT_LEFT = 0x74;
export const STORE_I32 = 0x36;
export const SUBTRACT = 0x6b;
