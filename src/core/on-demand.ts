/** Code that few pages need: loaded when it is first asked for, or put in place before. */
export class OnDemand<Module> {
  #module: Promise<Module> | null = null;

  /** `load` imports the module. */
  constructor(readonly load: () => Promise<Module>) {}

  get(): Promise<Module> {
    return this.#module ?? this.load();
  }

  /** Puts the module itself in place, for bundles that must be one file. */
  put(module: Module): void {
    this.#module = Promise.resolve(module);
  }
}

/** What prints, explains, measures and watches: src/tools.ts, which all folders may load. */
export const tools = /* @__PURE__ */ new OnDemand(() => import("../tools.ts"));
