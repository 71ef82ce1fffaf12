import type { Device } from "../../src/index.ts";
import type { Made } from "./peer.ts";

/** Modules and instances of WebAssembly that this process has made since the first `counting`. */
let modules = 0;
let isWatching = false;

/** Counts what a device makes: buffers, pipelines and plans, and whoever makes them, modules. */
export function counting(device: Device): () => Made {
  watchModules();
  let mark = device.counters.now;
  let before = { modules, plans: device.memory().plans };
  return () => {
    const { buffers, pipelines } = device.counters.since(mark);
    const now = { modules, plans: device.memory().plans };
    const made = {
      buffers,
      pipelines,
      modules: now.modules - before.modules,
      plans: now.plans - before.plans,
    };
    mark = device.counters.now;
    before = now;
    return made;
  };
}

/** Has each WebAssembly module and instance counted that is made from now on. */
function watchModules(): void {
  if (isWatching) return;
  isWatching = true;
  for (const name of ["Module", "Instance"] as const) {
    const made = WebAssembly[name];
    const counted = new Proxy(made, {
      construct: (target, given, self) => {
        modules++;
        return Reflect.construct(target, given, self);
      },
    });
    Object.defineProperty(WebAssembly, name, { value: counted });
  }
  for (const name of ["compile", "instantiate"] as const) {
    const call = WebAssembly[name] as (...given: unknown[]) => unknown;
    const counted = (...given: unknown[]) => {
      modules++;
      return call.apply(WebAssembly, given);
    };
    Object.defineProperty(WebAssembly, name, { value: counted });
  }
}
