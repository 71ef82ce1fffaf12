/** Collects the modules that are made meanwhile. */
export async function modulesOf(run: () => Promise<void>): Promise<Uint8Array[]> {
  const found = new Map<string, Uint8Array>();
  const { compile, Module } = WebAssembly;
  const add = (source: BufferSource) => {
    const bytes = new Uint8Array(source as ArrayBuffer);
    found.set(`${bytes}`, bytes);
  };
  WebAssembly.compile = (source: BufferSource) => {
    add(source);
    return compile(source);
  };
  WebAssembly.Module = new Proxy(Module, {
    construct(target, [source]: [BufferSource]) {
      add(source);
      return new target(source);
    },
  });
  try {
    await run();
  } finally {
    Object.assign(WebAssembly, { compile, Module });
  }
  return [...found.values()];
}
