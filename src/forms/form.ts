import type { KernelForm } from "./kernel.ts";
import type { MapForm } from "./map.ts";
import type { PointwiseForm } from "./pointwise.ts";

/** What an op is on a device that runs kernels, where it is not made of other ops there. */
export type Form<A> = PointwiseForm<A> | MapForm<A> | KernelForm<A>;
