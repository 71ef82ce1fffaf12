import { tools } from "./core/tools.ts";
import { compiledEngine, moreThreads, rareCodes } from "./devices/cpu/choose-engine.ts";
import { engineOf } from "./devices/cpu/compiled/compiled-engine.ts";
import { functionCodes } from "./devices/cpu/compiled/rare-functions.ts";
import { kernelCodes } from "./devices/cpu/compiled/rare-kernels.ts";
import { placeCodes } from "./devices/cpu/compiled/rare-places.ts";
import { windowCodes } from "./devices/cpu/compiled/rare-windows.ts";
import { wat } from "./devices/cpu/shown/wat-on-demand.ts";
import * as threadsModule from "./devices/cpu/threads/threads.ts";
import * as watModule from "./devices/cpu/wat/wat.ts";
import { cpuModule } from "./devices/on-demand.ts";
import { productRows } from "./devices/webgpu/jobs.ts";
import { sharing } from "./devices/webgpu/plan.ts";
import * as rowsOfProducts from "./devices/webgpu/product-rows.ts";
import * as sharingModule from "./devices/webgpu/sharing.ts";
import * as withoutGpu from "./devices/without-gpu.ts";
import { type Choice, type InitOptions, init as initOnDemand } from "./init.ts";
import { directProducts, moreTiles } from "./kernels/matmul.ts";
import * as direct from "./kernels/matmul-direct.ts";
import * as tiles from "./kernels/matmul-tiles.ts";
import * as allTools from "./tools.ts";

/**
 * Does what `init` of `gradus` does and loads nothing later: for bundles that must be one file, such
 * as classic workers. Everything else is imported from the other entries.
 * @throws DeviceError when `webgpu` was asked for and is not to be had, when the browser does not
 * answer in time, or when another part of the program started with other options.
 * @throws GradusError when an option is unknown or out of range.
 * @example const { device } = await init();
 */
export function init(options?: InitOptions): Promise<Choice> {
  cpuModule.put(withoutGpu);
  compiledEngine.put({ engineOf });
  rareCodes.kernels.put(kernelCodes);
  rareCodes.places.put(placeCodes);
  rareCodes.functions.put(functionCodes);
  rareCodes.windows.put(windowCodes);
  moreThreads.put(threadsModule);
  tools.put(allTools);
  directProducts.put(direct);
  moreTiles.put(tiles);
  productRows.put(rowsOfProducts);
  sharing.put(sharingModule);
  wat.put(watModule);
  return initOnDemand(options);
}
