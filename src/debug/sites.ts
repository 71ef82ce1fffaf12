/** How many calls are remembered of where an op was called: a loss lies deep below a model. */
const DEPTH = 64;

/** Remembers from where an op is called; what it costs to write it down is paid when it is asked for. */
export function callSite(): Error {
  const settings = Error as { stackTraceLimit?: number }; // only V8 has a limit
  const before = settings.stackTraceLimit;
  const isSet = before !== undefined && Reflect.set(settings, "stackTraceLimit", DEPTH);
  const site = new Error("the op was called here");
  site.name = "Site";
  if (isSet) settings.stackTraceLimit = before;
  return site;
}

/** A line of a stack: the function, and `file:line:column`. */
interface Frame {
  readonly name: string;
  readonly location: string;
}

/** Reads a line of a stack as V8 writes it, `at name (location)`, or as others do, `name@location`. */
function frameOf(line: string): Frame | null {
  const own = /^\s*at (?:async )?(?:(.*?) \((.*:\d+:\d+)\)|(.*:\d+:\d+))$/.exec(line);
  const found = own ?? /^(.*?)@(.*:\d+:\d+)()$/.exec(line);
  if (!found) return null;
  const [, name = "", inside, bare] = found;
  return { name, location: inside || bare };
}

/** The file of a location, without what servers put behind it. */
function fileOf(location: string): string {
  return location.replace(/:\d+:\d+$/, "").replace(/[?#].*$/, "");
}

/** Where a stack leaves the library, and the function of the library that is called there. */
export interface Site {
  /** Null where the library and the program are in one file. */
  readonly location: string | null;
  readonly called: string;
}

const ownLine = (new Error().stack ?? "").split("\n").find((line) => frameOf(line));
const ownFile = fileOf(frameOf(ownLine ?? "")?.location ?? "");
/** The folder of the library's modules, where they are files of their own. */
const ownFolder = /^(.*\/)debug\/[^/]*$/.exec(ownFile)?.[1];

/** Finds the line of the program that called an op, and leaves the library's out of the stack. */
export function siteOf(site: Error): Site {
  const lines = (site.stack ?? "").split("\n");
  const frames = lines.map(frameOf).filter((frame) => frame !== null);
  // The first is this module's, the third of what it was bundled with, if it was.
  const isOneFile = fileOf(frames[2]?.location ?? "") === ownFile;
  const folder = ownFolder ?? (isOneFile ? ownFile : ownFile.replace(/[^/]*$/, ""));
  const isOutside = (frame: Frame | null) => !frame?.location.startsWith(folder);
  const at = frames.findIndex(isOutside);
  if (at < 0) return { location: null, called: "" };
  site.stack = lines.filter((line) => isOutside(frameOf(line))).join("\n");
  const called = frames[at - 1]?.name ?? "";
  return { location: frames[at].location, called: /^[\w.]+$/.test(called) ? called : "" };
}
