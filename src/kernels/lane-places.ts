import source from "../../shaders/lib/lanes.wgsl?raw";
import type { ShaderFile } from "../forms/wgsl.ts";

/** Tells invocations which lanes of which subgroup they are. */
export const lanePlaces: ShaderFile = { name: "shaders/lib/lanes.wgsl", source };

/** Bytes of workgroup memory that this takes. */
export const PLACES_MEMORY = 4;
