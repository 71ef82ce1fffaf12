/** What the package takes of its surroundings beside the language; SECURITY.md tells what for. */
export const REACH = {
  names: [
    "AbortController", // trainInWorker
    "Blob", // download, and the text of threads
    "CompressionStream", // archives of arrays
    "DOMException", // errors of opfsStore
    "DecompressionStream",
    "GPUBufferUsage",
    "GPUMapMode",
    "GPUShaderStage",
    "GPUTextureUsage", // pictures
    "IDBKeyRange", // indexedDbStore
    "MessageChannel", // a turn for other tasks
    "OfflineAudioContext", // decodeAudio
    "OffscreenCanvas", // fromPixels
    "Response", // data sets in the page's cache
    "TextDecoder",
    "TextEncoder",
    "URL", // download, and the text of threads
    "Worker", // threads
    "caches", // data sets in the page's cache
    "clearTimeout",
    "createImageBitmap", // ImageDataset
    "crypto", // names of files that are written
    "document", // download, fromPixels
    "fetch", // data sets, ImageDataset
    "indexedDB", // indexedDbStore
    "performance", // times
    "process", // whether it runs in Node, and its terminal
    "setTimeout",
  ],
  members: [
    "document.createElement", // download, fromPixels
    "globalThis.crossOriginIsolated", // whether there are threads
    "globalThis.isSecureContext", // why there is no GPU
    "globalThis.navigator", // its gpu, its cores, and its storage for opfsStore
    "globalThis.process", // what Node has of its own for threads
    "process.kill", // with signal 0: whether a process is running
    "process.pid",
    "process.stdout", // terminalBar
    "process.versions",
  ],
  imports: [
    "#advice", // a file of the package
    "[…]", // the optional package webgpu, by a name kept from bundlers
    "node:crypto",
    "node:fs/promises", // fileStore
    "node:os",
    "node:path",
  ],
};
