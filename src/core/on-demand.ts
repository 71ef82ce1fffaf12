import { GradusError } from "./errors.ts";

/** Code that few pages need: loaded when it is first asked for, or put in place before. */
export class OnDemand<Module> {
  /** The module, once it is there. */
  loaded: Module | null = null;

  /** `load` imports the module. */
  constructor(readonly load: () => Promise<Module>) {}

  /** @throws GradusError where the module cannot be had, as in a page that is offline. */
  async get(): Promise<Module> {
    try {
      this.loaded ??= await this.load();
      return this.loaded;
    } catch (error) {
      const { message } = error as Error;
      throw new GradusError(`gradus: ${message}; expected all of its scripts`, { cause: error });
    }
  }

  /** Puts the module itself in place, for bundles that must be one file. */
  put(module: Module): void {
    this.loaded = module;
  }
}
