export { accuracy, correct } from "./accuracy.ts";
