/** How long tests wait for what comes by itself: a busy machine may take its time. */
export const PATIENT = { timeout: 30_000 };
