export { type JobCalls, type JobParts, type JobTypes, type TrainJob, trainJob } from "./job.ts";
export type { CapturedValues, JobEnd, JobEvent } from "./messages.ts";
export type { AnyWorker } from "./ports.ts";
export { type TrainInWorkerOptions, trainInWorker, type WorkerRun } from "./run.ts";
