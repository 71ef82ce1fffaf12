export { fileStore } from "./file-store.ts";
export * from "./portable.ts";
