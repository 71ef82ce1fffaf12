import { UsageError } from "./arguments.ts";
import { whenNpmEnds } from "./npm.ts";
import { outliveOutput, say, tell } from "./output.ts";

/** Ends the command. */
let end = (): unknown => process.kill(process.pid, "SIGTERM");

/**
 * Runs a command: options are read from the command line and handed to `main`. Errors become one line
 * and an exit code, 2 where what was asked for cannot be had.
 */
export async function run<O extends { help: boolean }>(
  help: string,
  readOptions: (args: string[]) => O,
  main: (options: O) => Promise<void>,
): Promise<void> {
  outliveOutput();
  whenNpmEnds(() => end());
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) say(help);
    else await main(options);
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Milliseconds in which a signal is the first one again: both the terminal and npm may send it. */
const ECHO = 300;

/** Aborts at the first Ctrl-C, SIGTERM or hang-up, or when npm ends; a second one ends all at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) return;
    controller.abort();
    tell("Stopping, and keeping what there is; a second signal ends at once");
    // The system then ends the process itself, also while a step takes its time.
    setTimeout(() => SIGNALS.map((name) => process.off(name, stop)), ECHO).unref();
  };
  for (const name of SIGNALS) process.on(name, stop);
  end = stop;
  return controller.signal;
}
