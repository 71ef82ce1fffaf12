/**
 * What PyTorch, NumPy, TensorFlow.js, Keras and optax call our options, in small letters and
 * without `_`, by our names. What differs in a letter or two from ours needs no row.
 */
const SYNONYMS: Readonly<Record<string, string>> = {
  axis: "axes dim dims dimension",
  batchSize: "bs minibatch",
  beta1: "betas",
  beta2: "betas",
  bias: "usebias",
  bool: "boolean",
  classWeights: "weight",
  clip: "clipnorm clipvalue maxnorm maxgradnorm",
  device: "backend",
  dropLast: "dropremainder",
  dtype: "type",
  end: "stop",
  epsilon: "eps",
  factor: "gamma",
  f32: "float32 float",
  f64: "float64 double",
  high: "max maxval",
  i32: "int32 int",
  learningRate: "lr stepsize eta rate",
  loader: "data dataset dataloader traindataloader",
  low: "min minval",
  mean: "loc mu",
  optimizer: "opt optim",
  reduction: "reduce",
  rho: "decay",
  seed: "randomseed randomstate",
  start: "begin",
  std: "stddev scale sigma",
  step: "stride",
  u32: "uint32",
  u8: "uint8",
  validationData: "validation valdata valdataset valloader",
  weightDecay: "wd l2",
  weightInit: "kernelinitializer initializer",
};

/** A name in small letters, without what separates its words. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Those of our names that other libraries call by a plain name. */
export function meantBy(plain: string, names: readonly string[]): string[] {
  const called = (name: string) => (Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : "");
  return names.filter((name) => called(name).split(" ").includes(plain));
}
