/** How calls of WebGPU go wrong: a table of methods, and of the ways that each has. */

/** The ways in which a call can go wrong. */
export const MODES = [
  "throws",
  "rejects",
  "never settles",
  "nothing found",
  "invalid",
  "out of memory",
  "out of memory twice",
  "dropped",
  "device lost",
] as const;

export type Mode = (typeof MODES)[number];

/** One call of a method; `device` is there for what belongs to one. */
export interface Call {
  readonly object: object;
  readonly args: readonly unknown[];
  readonly real: (...args: readonly unknown[]) => unknown;
  readonly device: GPUDevice | null;
  readonly lose: (device: GPUDevice) => void;
}

/** A call that goes wrong; gives what the browser would. */
type Broken = (call: Call) => unknown;

/** A method: the kind of object that it gives, if that is watched too, and how it goes wrong. */
interface Watched {
  readonly gives?: string;
  readonly modes: Readonly<Partial<Record<Mode, Broken>>>;
}

const MESSAGE = "injected";

/** Calls a method past the watch. */
export function plain<T>(kind: string, name: string, object: object, ...args: unknown[]): T {
  const { prototype } = (globalThis as unknown as Record<string, { prototype: object }>)[kind];
  return (prototype as Record<string, (...args: unknown[]) => T>)[name].apply(object, args);
}

/** A buffer that is within the adapter's limits and cannot be had. */
export function unobtainable(device: GPUDevice, usage: number): GPUBuffer {
  const { maxBufferSize: most } = device.limits;
  const size = most - (most % 4);
  return plain("GPUDevice", "createBuffer", device, { label: MESSAGE, size, usage });
}

const of = ({ device }: Call) => device as GPUDevice;

const throws: Broken = () => {
  throw new RangeError(MESSAGE);
};
const rejects: Broken = () => Promise.reject(new DOMException(MESSAGE, "OperationError"));
const never: Broken = () => new Promise(() => {});
const dropped: Broken = () => undefined;

const lost: Broken = (call) => {
  call.lose(of(call));
  return call.real(...call.args);
};

/** The device raises an out-of-memory error in the place of the call. */
const exhausted: Broken = (call) => {
  plain("GPUBuffer", "destroy", unobtainable(of(call), GPUBufferUsage.STORAGE));
};

/** The device refuses a call with other arguments. */
const refused = (change: (...args: never[]) => readonly unknown[]): { invalid: Broken } => ({
  invalid: ({ real, args }) => real(...change(...(args as never[]))),
});

/** An encoder turns invalid, which the device says when it is finished. */
function spoil(encoder: object, kind = "GPUCommandEncoder"): void {
  plain(kind, "popDebugGroup", encoder);
}

const spoiling = (kind?: string) => ({
  invalid: ({ object, real, args }: Call) => {
    spoil(object, kind);
    return real(...args);
  },
});

const spoiled = {
  invalid: ({ real, args }: Call) => {
    const encoder = real(...args) as GPUCommandEncoder;
    spoil(encoder);
    return encoder;
  },
};

const withoutCommands = {
  invalid: ({ real, device }: Call) => {
    const encoder = plain<object>("GPUDevice", "createCommandEncoder", device as GPUDevice);
    spoil(encoder);
    return real([plain("GPUCommandEncoder", "finish", encoder)]);
  },
};

const noEntry = refused((given: GPUComputePipelineDescriptor) => [
  { ...given, compute: { ...given.compute, entryPoint: "nowhere" } },
]);

const basic = { throws, "device lost": lost };
const asked = { throws, rejects, "never settles": never };
const awaited = { ...asked, "device lost": lost };
const memory = { "out of memory": exhausted };
const lasting = { ...memory, "out of memory twice": exhausted };

const broken: Broken = (call) => {
  const given = call.args[0] as GPUBufferDescriptor;
  if (!given.mappedAtCreation) return unobtainable(of(call), given.usage);
  // So much would take seconds to map; what is mapped is as invalid.
  exhausted(call);
  return call.real({ ...given, usage: 0 });
};

const recorded = { throws, ...spoiling("GPUComputePassEncoder") };

const noBuilding: Broken = () =>
  Promise.reject(new GPUPipelineError(MESSAGE, { reason: "internal" }));

const lostAtOnce: Broken = async ({ real, args, lose }) => {
  const device = (await real(...args)) as GPUDevice;
  lose(device);
  return device;
};

/**
 * Every watched method of every watched kind of object. A device is lost where a call needs it: calls
 * that only record, and scopes, belong to the same turn as the submit or the like that they are for.
 */
export const WATCHED: Readonly<Record<string, Readonly<Record<string, Watched>>>> = {
  GPU: {
    requestAdapter: {
      gives: "GPUAdapter",
      modes: { ...asked, "nothing found": () => Promise.resolve(null) },
    },
  },
  GPUAdapter: {
    requestDevice: { modes: { ...asked, "device lost": lostAtOnce } },
  },
  GPUDevice: {
    createBuffer: {
      gives: "GPUBuffer",
      modes: {
        ...basic,
        ...refused((given: GPUBufferDescriptor) => [{ ...given, usage: 0 }]),
        "out of memory": broken,
        "out of memory twice": broken,
      },
    },
    createTexture: {
      modes: {
        ...basic,
        ...refused((given: GPUTextureDescriptor) => [{ ...given, usage: 0 }]),
        "out of memory": (call) => {
          exhausted(call);
          return call.real({ ...(call.args[0] as GPUTextureDescriptor), usage: 0 });
        },
      },
    },
    createBindGroupLayout: {
      modes: {
        ...basic,
        ...refused(({ entries }: { entries: object[] }) => [{ entries: [...entries, entries[0]] }]),
      },
    },
    createPipelineLayout: {
      modes: {
        ...basic,
        ...refused(({ bindGroupLayouts: [layout] }: { bindGroupLayouts: unknown[] }) => [
          { bindGroupLayouts: Array(99).fill(layout) },
        ]),
      },
    },
    createBindGroup: {
      modes: { ...basic, ...refused((given: object) => [{ ...given, entries: [] }]) },
    },
    createShaderModule: {
      gives: "GPUShaderModule",
      modes: { ...basic, ...refused((given: object) => [{ ...given, code: "nothing known" }]) },
    },
    createComputePipeline: { modes: { ...basic, ...noEntry } },
    createComputePipelineAsync: { modes: { ...awaited, rejects: noBuilding, ...noEntry } },
    createCommandEncoder: { gives: "GPUCommandEncoder", modes: { throws, ...spoiled } },
    pushErrorScope: { modes: { throws } },
    popErrorScope: { modes: asked },
  },
  GPUQueue: {
    submit: { modes: { ...basic, dropped, ...withoutCommands, ...lasting } },
    onSubmittedWorkDone: { modes: awaited },
    copyExternalImageToTexture: {
      modes: {
        ...basic,
        dropped,
        ...refused((from: object, to: object, ...rest: object[]) => [
          from,
          { ...to, mipLevel: 9 },
          ...rest,
        ]),
      },
    },
  },
  GPUBuffer: {
    mapAsync: {
      modes: {
        ...awaited,
        ...refused((mode: number, ...rest: unknown[]) => [mode ^ 3, ...rest]),
      },
    },
    getMappedRange: { modes: basic },
    unmap: { modes: { ...basic, dropped } },
    destroy: { modes: {} },
  },
  GPUShaderModule: { getCompilationInfo: { modes: awaited } },
  GPUCommandEncoder: {
    beginComputePass: { gives: "GPUComputePassEncoder", modes: { throws, ...spoiling() } },
    copyBufferToBuffer: { modes: { throws, dropped, ...spoiling() } },
    copyTextureToBuffer: { modes: { throws, dropped, ...spoiling() } },
    finish: { modes: { throws, ...spoiling() } },
  },
  GPUComputePassEncoder: {
    setPipeline: { modes: recorded },
    setBindGroup: { modes: recorded },
    dispatchWorkgroups: { modes: { throws, dropped, ...refused(() => [65536, 65536, 65536]) } },
    end: { modes: recorded },
  },
};

/** Methods that are called and cannot go wrong. */
export const HARMLESS: ReadonlySet<string> = new Set([
  "GPUDevice.addEventListener",
  "GPUDevice.removeEventListener",
  "GPUDevice.destroy",
]);
