import argReduceSource from "../../shaders/arg-reduce.wgsl?raw";
import argReduceDirectSource from "../../shaders/arg-reduce-direct.wgsl?raw";
import bitsSource from "../../shaders/lib/bits.wgsl?raw";
import builtInsSource from "../../shaders/lib/built-ins.wgsl?raw";
import expLogSource from "../../shaders/lib/exp-log.wgsl?raw";
import nearZeroSource from "../../shaders/lib/near-zero.wgsl?raw";
import orderSource from "../../shaders/lib/order.wgsl?raw";
import powSource from "../../shaders/lib/pow.wgsl?raw";
import randomSource from "../../shaders/lib/random.wgsl?raw";
import shuffleSource from "../../shaders/lib/shuffle.wgsl?raw";
import threefrySource from "../../shaders/lib/threefry.wgsl?raw";
import trigSource from "../../shaders/lib/trig.wgsl?raw";
import logSumExpSource from "../../shaders/log-sum-exp.wgsl?raw";
import logSumExpDirectSource from "../../shaders/log-sum-exp-direct.wgsl?raw";
import matmulSource from "../../shaders/matmul.wgsl?raw";
import mergeRunsSource from "../../shaders/merge-runs.wgsl?raw";
import momentsSource from "../../shaders/moments.wgsl?raw";
import momentsDirectSource from "../../shaders/moments-direct.wgsl?raw";
import placeRowsSource from "../../shaders/place-rows.wgsl?raw";
import reduceSource from "../../shaders/reduce.wgsl?raw";
import reduceDirectSource from "../../shaders/reduce-direct.wgsl?raw";
import scatterAddSource from "../../shaders/scatter-add.wgsl?raw";
import softmaxSource from "../../shaders/softmax.wgsl?raw";
import softmaxDirectSource from "../../shaders/softmax-direct.wgsl?raw";
import sortRunsSource from "../../shaders/sort-runs.wgsl?raw";
import sortRunsDirectSource from "../../shaders/sort-runs-direct.wgsl?raw";
import type { ShaderFile } from "../forms/wgsl.ts";

/* @__NO_SIDE_EFFECTS__ */
function file(name: string, source: string): ShaderFile {
  return { name: `shaders/${name}`, source };
}

export const matmulShader = file("matmul.wgsl", matmulSource);
export const reduceShader = file("reduce.wgsl", reduceSource);
export const reduceDirectShader = file("reduce-direct.wgsl", reduceDirectSource);
export const argReduceShader = file("arg-reduce.wgsl", argReduceSource);
export const argReduceDirectShader = file("arg-reduce-direct.wgsl", argReduceDirectSource);
export const softmaxShader = file("softmax.wgsl", softmaxSource);
export const softmaxDirectShader = file("softmax-direct.wgsl", softmaxDirectSource);
export const logSumExpShader = file("log-sum-exp.wgsl", logSumExpSource);
export const logSumExpDirectShader = file("log-sum-exp-direct.wgsl", logSumExpDirectSource);
export const momentsShader = file("moments.wgsl", momentsSource);
export const momentsDirectShader = file("moments-direct.wgsl", momentsDirectSource);
export const sortRunsShader = file("sort-runs.wgsl", sortRunsSource);
export const sortRunsDirectShader = file("sort-runs-direct.wgsl", sortRunsDirectSource);
export const mergeRunsShader = file("merge-runs.wgsl", mergeRunsSource);
export const placeRowsShader = file("place-rows.wgsl", placeRowsSource);
export const scatterAddShader = file("scatter-add.wgsl", scatterAddSource);

const bits = file("lib/bits.wgsl", bitsSource);
const expLog = file("lib/exp-log.wgsl", expLogSource);
const nearZero = file("lib/near-zero.wgsl", nearZeroSource);
const threefry = file("lib/threefry.wgsl", threefrySource);
const trig = file("lib/trig.wgsl", trigSource);

/** Bit tests. */
export const BITS = [bits];
/** `g_min`, `g_max`, `g_sign`, `g_sqrt`. */
export const BUILT_INS = [bits, file("lib/built-ins.wgsl", builtInsSource)];
/** `g_exp`, `g_log`, `g_sigmoid`. */
export const EXP_LOG = [bits, expLog];
/** `order_key_f32`, `order_key_i32`, `order_key_u32`. */
export const ORDER = [file("lib/order.wgsl", orderSource)];
/** `g_expm1`, `g_log1p`, `g_tanh`, `g_softplus`. */
export const NEAR_ZERO = [bits, expLog, nearZero];
/** `g_pow`. */
export const POW = [bits, expLog, file("lib/pow.wgsl", powSource)];
/** `g_sin`, `g_cos`. */
export const TRIG = [bits, trig];
/** `threefry2x32`, `shuffled_index`, `drawn_index`. */
export const SHUFFLE = [threefry, file("lib/shuffle.wgsl", shuffleSource)];
/** `random_bits`, `random_uniform`, `random_normal`. */
export const RANDOM = [
  bits,
  expLog,
  nearZero,
  trig,
  threefry,
  file("lib/random.wgsl", randomSource),
];
