export type { NameMatch, NamePattern } from "../core/name-match.ts";
export {
  type LoadStateOptions,
  loadState,
  type Rename,
  type UnmatchedNames,
} from "../io/load-state.ts";
export type { FileOrigin } from "../io/origins.ts";
export {
  ELU,
  GELU,
  GLU,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softmin,
  Softplus,
  Tanh,
} from "./activations.ts";
export { AlphaDropout, FeatureAlphaDropout } from "./alpha-dropout.ts";
export { MultiheadAttention, type MultiheadAttentionOptions } from "./attention.ts";
export type {
  AttentionCallOptions,
  AttentionInputs,
  AttentionSettings,
  AttentionWeightsOptions,
  RotaryPositions,
} from "./attention-inputs.ts";
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormLayerOptions } from "./batch-norm.ts";
export { Bilinear, type BilinearOptions } from "./bilinear.ts";
export {
  type ChannelDropoutOptions,
  Dropout1d,
  Dropout2d,
  Dropout3d,
} from "./channel-dropout.ts";
export { checkpointBlock } from "./checkpoint-block.ts";
export { removeParametrization } from "./computed-weight.ts";
export { ModuleDict, ModuleList } from "./containers.ts";
export {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvLayerOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeLayerOptions,
} from "./conv.ts";
export { DropPath } from "./drop-path.ts";
export { Dropout, type DropoutOptions } from "./dropout.ts";
export { Embedding, type EmbeddingOptions, type PretrainedOptions } from "./embedding.ts";
export { Fold, Unfold } from "./fold.ts";
export {
  GroupNorm,
  type GroupNormLayerOptions,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type InstanceNormOptions,
} from "./group-norm.ts";
export {
  constant,
  heNormal,
  heUniform,
  type InitContext,
  type Initializer,
  normal,
  xavierNormal,
  xavierUniform,
  zerosInit,
} from "./init.ts";
export { type CachedHeads, KvCache, type KvCacheOptions } from "./kv-cache.ts";
export {
  LayerNorm,
  type LayerNormLayerOptions,
  LocalResponseNorm,
  RMSNorm,
  type RMSNormLayerOptions,
} from "./layer-norm.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export {
  addLora,
  type LoraOptions,
  loraState,
  mergeLora,
  removeLora,
  unmergeLora,
} from "./lora.ts";
export { type AnyModule, type Layer, Module } from "./module.ts";
export type { LayerSummary, ModuleSummary, SummaryOptions } from "./module-summary.ts";
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  type PadLayerOptions,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from "./pad.ts";
export {
  CosineSimilarity,
  type CosineSimilarityOptions,
  PairwiseDistance,
  type PairwiseDistanceOptions,
} from "./pairs.ts";
export {
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  ReLU6,
  Softshrink,
  Threshold,
} from "./piecewise-activations.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  LPPool1d,
  LPPool2d,
  LPPool3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
} from "./pool.ts";
export {
  PositionalEncoding,
  type PositionalEncodingOptions,
  type SinusoidalOptions,
  sinusoidalPositions,
} from "./positions.ts";
export { PReLU, type PReLUOptions } from "./prelu.ts";
export type { Nonlinearity, RecurrentSettings } from "./recurrence.ts";
export {
  GRU,
  LSTM,
  type LSTMOptions,
  type LSTMState,
  type RecurrentOptions,
  RNN,
  type RNNOptions,
} from "./recurrent.ts";
export { GRUCell, LSTMCell, RNNCell, type RNNCellOptions } from "./recurrent-cells.ts";
export { PixelShuffle, PixelUnshuffle, Upsample, type UpsampleOptions } from "./resampling.ts";
export { Flatten, Identity, L2Normalize, Unflatten } from "./reshaping.ts";
export { RReLU } from "./rrelu.ts";
export { Sequential } from "./sequential.ts";
export { CELU, Mish, SELU, Softsign, Tanhshrink } from "./smooth-activations.ts";
export { type SpectralNormOptions, spectralNorm } from "./spectral-norm.ts";
export {
  type DecoderStackCallOptions,
  type EncoderCallOptions,
  Transformer,
  type TransformerCallOptions,
  TransformerDecoder,
  TransformerEncoder,
  type TransformerOptions,
  type TransformerStackOptions,
} from "./transformer.ts";
export {
  type DecoderCallOptions,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from "./transformer-layers.ts";
export { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d } from "./unpool.ts";
export { type WeightNormOptions, weightNorm } from "./weight-norm.ts";
