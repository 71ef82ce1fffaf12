/** What the models are called in addresses. */
export const MODEL_NAMES = ["dense", "normalised", "convolutional", "gpt"] as const;

export type ModelName = (typeof MODEL_NAMES)[number];
