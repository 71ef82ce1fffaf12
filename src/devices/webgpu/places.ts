/** Where kernels find values of which many lie in one buffer. */
export interface BufferPlaces {
  /** The buffer in which a value lies: its own key, or that of a shared one, which is below 0. */
  buffer(key: number): number;
  /** WGSL of where it begins in a shared one, in words; empty where it is alone. */
  start(key: number): string;
}
