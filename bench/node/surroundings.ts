import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type Channel, channelOver, type Reply } from "../harness/protocol.ts";
import type { Surroundings } from "../harness/suite.ts";
import { VERSIONS } from "../harness/versions.ts";

/** Node as a place to measure: each host is a process that runs this same file. */
export function nodeSurroundings(): Surroundings {
  return {
    platform: `Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    isolated: false, // the libraries start threads as Web Workers, which Node lacks
    versions: VERSIONS,
    connect,
  };
}

function connect(): Channel {
  const child = fork(fileURLToPath(import.meta.url), ["--host"], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return channelOver({
    send: (command) => {
      if (child.connected) child.send(command);
    },
    onReply: (listener) => {
      child.on("message", (reply) => listener(reply as Reply));
      child.on("error", (error) => listener({ failure: error.message }));
      child.on("exit", (code, signal) => {
        listener({ failure: `the process ended (${signal ?? `exit code ${code}`})` });
      });
    },
    close: () => child.kill("SIGKILL"), // a GPU's driver may hang at an orderly end
  });
}
