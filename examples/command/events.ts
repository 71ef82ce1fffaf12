import { say, write } from "./output.ts";

/** Tells of an event: as one JSON object a line, or as a text; nothing where the text is empty. */
export type Teller = (event: { event: string } & Record<string, unknown>, text: string) => void;

/** Makes what tells of a run's events on stdout. */
export function teller(json: boolean): Teller {
  if (json) return (event) => write(`${JSON.stringify(event)}\n`);
  return (_, text) => {
    if (text !== "") say(text);
  };
}
