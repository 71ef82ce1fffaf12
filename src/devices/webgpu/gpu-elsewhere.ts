let inNode: GPU | undefined;

/**
 * Finds WebGPU where there is no `navigator.gpu`: in Node, through the optional package `webgpu`.
 * Without it, gives the message that says so.
 */
export async function gpuElsewhere(): Promise<GPU | string> {
  if (typeof process === "undefined" || !process.versions?.node) {
    const reason = globalThis.isSecureContext === false ? " on an insecure origin" : "";
    return (
      `webgpu: navigator.gpu is missing${reason}; expected a browser with WebGPU. ` +
      "Use the cpu device"
    );
  }
  if (inNode) return inNode;
  const name = "webgpu"; // kept from bundlers, as the comments below: the package is optional
  let dawn: { create(flags: string[]): GPU; globals: object };
  try {
    dawn = await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
  } catch {
    return (
      'webgpu: Node has no WebGPU of its own; expected the package "webgpu". ' +
      "Run npm install webgpu, or use the cpu device"
    );
  }
  Object.assign(globalThis, dawn.globals);
  inNode = dawn.create([]);
  return inNode;
}
