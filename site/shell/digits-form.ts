/** How the file of digits is laid out: training images, their labels, test images, their labels. */
export const DIGITS = { training: 12_000, test: 2_000, pixels: 784 } as const;
