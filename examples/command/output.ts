import { wrapAnsi } from "fast-wrap-ansi";
import type { TerminalStream } from "gradus/train";

/** Whether stdout is gone or full, as after `| head`: what is written from then on goes nowhere. */
let isLost = false;

/** Sees to it that a command goes on when nobody can read what it says. */
export function outliveOutput(): void {
  process.stdout.on("error", lose);
  process.stderr.on("error", () => {}); // there is no one left to tell
}

function lose(error: Error): void {
  if (isLost) return;
  isLost = true;
  tell(`stdout: ${error.message}; goes on without it`);
}

/** Writes to stdout as it is. */
export function write(text: string): void {
  if (isLost) return;
  try {
    process.stdout.write(text);
  } catch (error) {
    lose(error as Error); // files fail at once, pipes by an event
  }
}

/** Writes lines to stdout, broken between words where they are wider than the terminal. */
export function say(text: string): void {
  write(`${fitted(text, process.stdout)}\n`);
}

/** Whether the terminal's line holds a bar, which lines of stderr take the place of. */
let holdsBar = false;
const CLEAR_LINE = "\r\x1b[2K";

/** Writes lines to stderr, broken as those of `say`. */
export function tell(text: string): void {
  try {
    const clear = holdsBar && process.stderr.isTTY ? CLEAR_LINE : "";
    process.stderr.write(`${clear}${fitted(text, process.stderr)}\n`);
  } catch {
    // There is no one left to tell.
  }
}

/** stdout for a progress bar, whose lines are broken as those of `say`. */
export const screen: TerminalStream = {
  get isTTY() {
    return process.stdout.isTTY;
  },
  get columns() {
    return process.stdout.columns;
  },
  write(text) {
    if (text.endsWith("\n")) say(text.slice(0, -1));
    else write(text);
    holdsBar = !text.endsWith("\n") && text !== CLEAR_LINE;
  },
};

/** Breaks lines to the width of a terminal. */
export function fitted(text: string, { isTTY, columns }: Omit<TerminalStream, "write">): string {
  if (!isTTY) return text;
  const lines = text.split("\n").map((line) => fittedLine(line, columns || 80));
  return lines.join("\n");
}

/** Breaks a line; what follows stands under its text, or under the text of the option it tells of. */
function fittedLine(line: string, columns: number): string {
  const head = /^ *(?:-\S.*? {2,})?/.exec(line)?.[0] ?? "";
  const isWide = head.length > columns / 2;
  const [start, indent] = isWide ? ["", "    "] : [head, " ".repeat(head.length)];
  const body = isWide ? line.trim().replace(/ {2,}/, " ") : line.slice(head.length);
  const rows = wrapAnsi(body, columns - indent.length, { hard: true }).split("\n");
  return start + rows.join(`\n${indent}`);
}
