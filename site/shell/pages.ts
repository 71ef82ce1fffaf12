/** A page of the site. */
export interface SitePage {
  /** Its folder in `site/`, empty for Home. */
  readonly slug: string;
  readonly title: string;
  /** What it shows, in one sentence. */
  readonly text: string;
}

/** All pages, in the order of reading; one whose folder is not there is left out. */
export const PAGES: readonly SitePage[] = [
  { slug: "", title: "Home", text: "A tensor engine that trains neural networks in the browser." },
  { slug: "train", title: "Train", text: "Build a network, watch it learn, and see inside." },
  { slug: "losses", title: "Losses", text: "What each loss asks for, and how hard it pulls." },
  { slug: "descent", title: "Descent", text: "Optimizers on their way down a landscape." },
  {
    slug: "approximation",
    title: "Approximation",
    text: "One hidden layer fits a function that you draw.",
  },
  {
    slug: "embeddings",
    title: "Embeddings",
    text: "Digits find their places under the losses of the papers.",
  },
  { slug: "one-shot", title: "One shot", text: "Recognise what was seen only once." },
  { slug: "two-classes", title: "Two classes", text: "Tell the pictures of two folders apart." },
  {
    slug: "genetic",
    title: "Without gradients",
    text: "A population of networks that learns by selection.",
  },
  { slug: "text", title: "Text", text: "A small GPT that learns to write." },
  {
    slug: "step",
    title: "Inside a step",
    text: "From a model to its graph, its kernels and their times.",
  },
  { slug: "bench", title: "Bench", text: "Libraries side by side on this device." },
  { slug: "doctor", title: "Doctor", text: "What this browser and its GPU can do." },
  { slug: "reference", title: "Reference", text: "Guides and every function, to search." },
];
