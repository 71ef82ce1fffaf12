/** The losses of the page, by their names in `losses.ts`: title, and what to look for. */
export const LOSSES = {
  softmax: { title: "Softmax", text: "Classes are rays: apart in direction, long, and wide." },
  center: {
    title: "Softmax + center",
    text: "Each digit is pulled to the mean of its class.",
  },
  "L-Softmax": { title: "L-Softmax", text: "The angle to the own class counts twice." },
  "A-Softmax": {
    title: "A-Softmax",
    text: "The angle counts thrice, directions have length 1.",
  },
  CosFace: { title: "CosFace", text: "The cosine to the own class must be larger by 0.25." },
  ArcFace: { title: "ArcFace", text: "The angle to the own class must be smaller by 0.4." },
  triplet: {
    title: "Triplet loss",
    text: "Nearer to its own class than to any other, by a margin.",
  },
  contrastive: {
    title: "Contrastive loss",
    text: "Same digits together, others at least 5 apart.",
  },
} as const;

export type LossName = keyof typeof LOSSES;
export const LOSS_NAMES = Object.keys(LOSSES) as LossName[];
