export { fileStore } from "./no-file-store.ts";
export * from "./portable.ts";
