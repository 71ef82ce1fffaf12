import type { KernelForm } from "./kernel.ts";
import type { MapForm } from "./map.ts";
import type { PointwiseForm } from "./pointwise.ts";

/** What an op is on a device that runs kernels: `program` where it is always made of other ops. */
export type Form<A> = PointwiseForm<A> | MapForm<A> | KernelForm<A> | { readonly kind: "program" };
