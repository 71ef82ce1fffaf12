/** Code that few pages need: loaded when it is first asked for, or put in place before. */
export class OnDemand<Module> {
  /** The module, once it is there. */
  loaded: Module | null = null;

  /** `load` imports the module. */
  constructor(readonly load: () => Promise<Module>) {}

  async get(): Promise<Module> {
    this.loaded ??= await this.load();
    return this.loaded;
  }

  /** Puts the module itself in place, for bundles that must be one file. */
  put(module: Module): void {
    this.loaded = module;
  }
}
