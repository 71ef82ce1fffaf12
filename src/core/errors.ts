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
