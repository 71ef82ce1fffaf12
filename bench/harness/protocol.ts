import type { Made, PeerName } from "../peers/index.ts";

/** What a host is told to do. */
export type Command =
  | { readonly kind: "adapter" }
  | { readonly kind: "reference"; readonly workload: string }
  | { readonly kind: "open"; readonly peer: PeerName }
  | { readonly kind: "prepare"; readonly workload: string }
  | { readonly kind: "run"; readonly times: number }
  | { readonly kind: "made" }
  | { readonly kind: "release" };

/** The GPU as WebGPU names it. */
export interface AdapterReport {
  readonly name: string;
  /** Whether a CPU emulates it. */
  readonly software: boolean;
}

/** What a peer gave for a workload, and how long preparing and the first result took. */
export interface FirstResult {
  readonly values: Float64Array;
  readonly milliseconds: number;
}

/** What a host answers to each kind of command. */
export interface Answers {
  /** Null where there is no WebGPU. */
  adapter: AdapterReport | null;
  reference: Float64Array;
  /** The device as the library names it. */
  open: string;
  /** Null when the library has no such thing. */
  prepare: FirstResult | null;
  /** Milliseconds of all runs together. */
  run: number;
  /** What was made since it was asked last; null where the library does not count. */
  made: Made | null;
  release: null;
}

export type Kind = Command["kind"];
export type CommandOf<K extends Kind> = Extract<Command, { kind: K }>;

/** An answer, or what went wrong. */
export type Reply = { readonly answer: Answers[Kind] } | { readonly failure: string };

/** A way to a host of its own: a worker in a browser, a process in Node. */
export interface Channel {
  /** Sends a command and waits; throws an `Error` when it fails or takes too long. */
  call<K extends Kind>(command: CommandOf<K>): Promise<Answers[K]>;
  /** Ends the host with all that it loaded. */
  close(): void;
}

/** The bare wire under a channel. */
export interface Wire {
  send(command: Command): void;
  onReply(listener: (reply: Reply) => void): void;
  close(): void;
}

/** How long one command may take. */
const PATIENCE_MS = 120_000;

/** Makes a channel of a wire: one command at a time, each with a time limit. */
export function channelOver(wire: Wire, patience = PATIENCE_MS): Channel {
  let settle: ((reply: Reply) => void) | null = null;
  let lost: Reply | null = null;
  wire.onReply((reply) => {
    if (settle) settle(reply);
    else lost = reply; // the host broke between two commands
  });
  const exchange = (command: Command) =>
    new Promise<Reply>((resolve) => {
      if (lost) return resolve(lost);
      const timer = setTimeout(() => {
        const seconds = patience / 1000;
        settle?.({ failure: `${command.kind}: no answer in ${seconds} s` });
        wire.close();
      }, patience);
      settle = (reply) => {
        clearTimeout(timer);
        settle = null;
        resolve(reply);
      };
      wire.send(command);
    });
  return {
    call: async <K extends Kind>(command: CommandOf<K>) => {
      const reply = await exchange(command as Command);
      if ("failure" in reply) throw new Error(reply.failure);
      return reply.answer as Answers[K];
    },
    close: () => wire.close(),
  };
}
