/** Base class of every error that Gradus throws; the message reads `<op>: <what was given>; expected <rule>`. */
export class GradusError extends Error {
  override name = "GradusError";
}

/** Shapes, axes or sizes that do not fit an op. */
export class ShapeError extends GradusError {
  override name = "ShapeError";
}

/** A dtype that an op or a device does not take. */
export class DTypeError extends GradusError {
  override name = "DTypeError";
}

/** No device, the wrong device, a lost device, or one that is out of memory. */
export class DeviceError extends GradusError {
  override name = "DeviceError";
  /** Settles when the device works again, where it was lost and is being made again. */
  declare recovering?: Promise<void>;
}

/** What a device has bytes for. */
export interface HeldBytes {
  /** Values of tensors and states. */
  readonly tensors: number;
  /** Values between the kernels of compiled functions. */
  readonly plans: number;
  /** Buffers that wait to be used again; they are freed when memory runs out. */
  readonly spare: number;
}

/** Memory that could not be had; the device goes on without what was asked for. */
export class MemoryError extends DeviceError {
  override name = "MemoryError";

  constructor(
    message: string,
    /** The bytes that were asked for; 0 where WebGPU does not tell. */
    readonly wanted = 0,
    /** The bytes that the device had given when they were asked for. */
    readonly held: HeldBytes = { tensors: 0, plans: 0, spare: 0 },
    /** What one buffer of the device may hold at most, in bytes, by WebGPU's names. */
    readonly limits: Readonly<Record<string, number>> = {},
  ) {
    super(message);
  }
}

/** A kernel that does not compile or fails validation. */
export class KernelError extends GradusError {
  override name = "KernelError";
}

/** A tensor used after its memory was freed, or a graph read after its state changed. */
export class DisposedError extends GradusError {
  override name = "DisposedError";
}

/** A file or byte stream that is not what its format demands. */
export class FormatError extends GradusError {
  override name = "FormatError";
}
