/**
 * What PyTorch, NumPy, TensorFlow.js, Keras and optax call our options, in small letters and
 * without `_`, by our names. What differs in a letter or two from ours needs no row.
 */
const SYNONYMS: Readonly<Record<string, string>> = {
  accumulate: "gradientaccumulationsteps accumulationsteps",
  alpha: "rho decay smoothing",
  axis: "axes dim dims dimension",
  batchSize: "bs minibatch",
  beta1: "betas b1",
  beta2: "betas b2",
  bias: "usebias",
  biasCorrection: "debias",
  biasInit: "biasinitializer",
  classes: "numclasses nclasses",
  classWeights: "weight weights",
  clip: "clipnorm clipvalue maxnorm maxgradnorm gradclip gradientclip globalclipnorm",
  columns: "usecols",
  decay: "momentum",
  delimiter: "sep separator",
  device: "backend",
  dropLast: "dropremainder",
  dtype: "type",
  end: "stop",
  epochs: "nepochs",
  epsilon: "eps",
  factor: "gamma",
  high: "max maxval maximum",
  ignoreIndex: "ignorelabel",
  initialSum: "initialaccumulatorvalue initialaccumulator",
  initialRate: "startfactor",
  keepDims: "keepdim",
  learningRate: "lr stepsize eta rate",
  loader: "data dataset traindataloader dataloader",
  low: "min minval minimum",
  mean: "loc mu",
  minRate: "minlr",
  missing: "navalues",
  optimizer: "opt optim",
  posWeight: "positiveweight",
  reduction: "reduce",
  resume: "checkpoint",
  restoreBest: "restorebestweights",
  rho: "decay",
  seed: "randomseed randomstate rng generator",
  start: "begin",
  std: "stddev stdev scale sigma",
  step: "stride strides",
  stratify: "stratified",
  validationData: "validation valdata valdataset valloader",
  weightDecay: "wd l2",
  weightInit: "kernelinitializer initializer weightinitializer",
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
