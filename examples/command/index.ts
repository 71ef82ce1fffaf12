export {
  flag,
  parse,
  readChoice,
  readDevice,
  readNumber,
  readPath,
  shown,
  text,
  UsageError,
} from "./arguments.ts";
export { say, screen, tell, write } from "./output.ts";
export { ResultFile } from "./result-file.ts";
export { interruption, run } from "./run.ts";
