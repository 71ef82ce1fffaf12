export { type FromBufferOptions, fromBuffer, type PageBuffer } from "./from-buffer.ts";
export { type BufferPlace, toBuffer } from "./to-buffer.ts";
