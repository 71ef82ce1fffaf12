import { type Channel, channelOver, type Reply } from "../../bench/harness/protocol.ts";
import type { Surroundings } from "../../bench/harness/suite.ts";
import { VERSIONS } from "../../bench/harness/versions.ts";

/** The browser as a place to measure: each host is a worker. */
export function browserSurroundings(): Surroundings {
  return {
    platform: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    isolated: globalThis.crossOriginIsolated,
    versions: VERSIONS,
    connect,
  };
}

function connect(): Channel {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return channelOver({
    send: (command) => worker.postMessage(command),
    onReply: (listener) => {
      worker.onmessage = ({ data }: MessageEvent<Reply>) => listener(data);
      worker.onerror = (event) => {
        event.preventDefault();
        listener({ failure: event.message || "the worker broke" });
      };
    },
    close: () => worker.terminate(),
  });
}
