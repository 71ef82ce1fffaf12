/** Functions that take something away from a page, run there before any other script. */
export const without = {
  /** Chrome before 134, Safari: `using` is a matter of compilers. */
  dispose() {
    const own = Symbol;
    const lacking = (description?: string) => own(description);
    const missing = ["dispose", "asyncDispose", "length", "name"];
    for (const key of Reflect.ownKeys(own)) {
      if (missing.includes(String(key))) continue;
      Object.defineProperty(lacking, key, Object.getOwnPropertyDescriptor(own, key) ?? {});
    }
    Object.assign(globalThis, { Symbol: lacking });
    for (const name of ["SuppressedError", "DisposableStack", "AsyncDisposableStack"]) {
      Reflect.deleteProperty(globalThis, name);
    }
  },

  /** What came to the language and to browsers since the end of 2022. */
  newer() {
    const remove = (from: object | undefined, ...names: string[]) => {
      for (const name of names) if (from) Reflect.deleteProperty(from, name);
    };
    remove(Array.prototype, "toSorted", "toReversed", "toSpliced", "with");
    for (const kind of [Float32Array, Uint8Array]) {
      remove(Object.getPrototypeOf(kind.prototype), "toSorted", "toReversed", "with");
    }
    remove(Array, "fromAsync");
    remove(Uint8Array, "fromBase64", "fromHex");
    remove(Promise, "withResolvers", "try");
    remove(Object, "groupBy");
    remove(Map, "groupBy");
    remove(Map.prototype, "getOrInsert", "getOrInsertComputed");
    remove(Set.prototype, "union", "intersection", "difference", "symmetricDifference");
    remove(Set.prototype, "isSubsetOf", "isSupersetOf", "isDisjointFrom");
    const iterator = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
    remove(iterator, "map", "filter", "take", "drop", "flatMap", "reduce", "toArray");
    remove(iterator, "forEach", "some", "every", "find");
    remove(Math, "f16round", "sumPrecise");
    remove(RegExp, "escape");
    remove(AbortSignal, "any");
    remove(ReadableStream.prototype, "values");
    Reflect.deleteProperty(ReadableStream.prototype, Symbol.asyncIterator);
    remove(globalThis, "Iterator", "Float16Array", "scheduler");
  },

  /** Chrome before 127: adapters are asked about themselves by a method. */
  info() {
    const { get } = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "info") ?? {};
    Reflect.deleteProperty(GPUAdapter.prototype, "info");
    Object.assign(GPUAdapter.prototype, {
      async requestAdapterInfo() {
        return get?.call(this);
      },
    });
  },

  /** What nobody has, but scripts that hide what they run on. */
  requestAdapterInfo() {
    Reflect.deleteProperty(GPUAdapter.prototype, "requestAdapterInfo");
  },

  /** An adapter with nothing but what every adapter has, as far as the engine asks. */
  features() {
    Object.defineProperty(GPUAdapter.prototype, "features", { get: () => new Set() });
  },

  /** A browser without WebGPU. */
  gpu() {
    Reflect.deleteProperty(Navigator.prototype, "gpu");
  },

  /** A browser with WebGPU on a machine without a GPU that it trusts. */
  adapter() {
    GPU.prototype.requestAdapter = async () => null;
  },

  requestAdapter() {
    GPU.prototype.requestAdapter = () => new Promise(() => {});
  },

  requestDevice() {
    GPUAdapter.prototype.requestDevice = () => new Promise(() => {});
  },
} satisfies Record<string, () => void>;

/** The script that takes something away. */
export function takingAway(name: keyof typeof without): string {
  return `({ ${without[name]} }).${name}();`;
}
