import argReduceSource from "../../shaders/arg-reduce.wgsl?raw";
import argReduceDirectSource from "../../shaders/arg-reduce-direct.wgsl?raw";
import elementwiseSource from "../../shaders/elementwise.wgsl?raw";
import baseTwoSource from "../../shaders/lib/base-two.wgsl?raw";
import bitsSource from "../../shaders/lib/bits.wgsl?raw";
import builtInsSource from "../../shaders/lib/built-ins.wgsl?raw";
import expLogSource from "../../shaders/lib/exp-log.wgsl?raw";
import floatBitsSource from "../../shaders/lib/float-bits.wgsl?raw";
import fmodSource from "../../shaders/lib/fmod.wgsl?raw";
import givenRowSource from "../../shaders/lib/given-row.wgsl?raw";
import halfSource from "../../shaders/lib/half.wgsl?raw";
import nearZeroSource from "../../shaders/lib/near-zero.wgsl?raw";
import orderSource from "../../shaders/lib/order.wgsl?raw";
import pairwiseSource from "../../shaders/lib/pairwise.wgsl?raw";
import powSource from "../../shaders/lib/pow.wgsl?raw";
import preludeSource from "../../shaders/lib/prelude.wgsl?raw";
import randomSource from "../../shaders/lib/random.wgsl?raw";
import rowExpSource from "../../shaders/lib/row-exp.wgsl?raw";
import rowMomentsSource from "../../shaders/lib/row-moments.wgsl?raw";
import scanNumbersSource from "../../shaders/lib/scan-numbers.wgsl?raw";
import scanStepsSource from "../../shaders/lib/scan-steps.wgsl?raw";
import shiftsSource from "../../shaders/lib/shifts.wgsl?raw";
import shuffleSource from "../../shaders/lib/shuffle.wgsl?raw";
import threefrySource from "../../shaders/lib/threefry.wgsl?raw";
import trigSource from "../../shaders/lib/trig.wgsl?raw";
import workgroupSource from "../../shaders/lib/workgroup.wgsl?raw";
import matmulSource from "../../shaders/matmul.wgsl?raw";
import mergeRunsSource from "../../shaders/merge-runs.wgsl?raw";
import momentsSource from "../../shaders/moments.wgsl?raw";
import momentsDirectSource from "../../shaders/moments-direct.wgsl?raw";
import placeRowsSource from "../../shaders/place-rows.wgsl?raw";
import reduceSource from "../../shaders/reduce.wgsl?raw";
import reduceDirectSource from "../../shaders/reduce-direct.wgsl?raw";
import scanSource from "../../shaders/scan.wgsl?raw";
import scanDirectSource from "../../shaders/scan-direct.wgsl?raw";
import scatterAddSource from "../../shaders/scatter-add.wgsl?raw";
import searchSortedSource from "../../shaders/search-sorted.wgsl?raw";
import segmentSumSource from "../../shaders/segment-sum.wgsl?raw";
import softmaxSource from "../../shaders/softmax.wgsl?raw";
import softmaxDirectSource from "../../shaders/softmax-direct.wgsl?raw";
import sortRunsSource from "../../shaders/sort-runs.wgsl?raw";
import sortRunsDirectSource from "../../shaders/sort-runs-direct.wgsl?raw";
import { rare } from "../forms/rare.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { arithmetic, builtIn } from "./exact.ts";

// All files in one module lie side by side in a bundle, where what they share compresses.

/* @__NO_SIDE_EFFECTS__ */
function file(name: string, source: string, floats?: ShaderFile["floats"]): ShaderFile {
  return { name: `shaders/${name}`, source, floats };
}

/** A file of functions that few apps call. */
/* @__NO_SIDE_EFFECTS__ */
function rareFile(name: string, source: string): ShaderFile {
  return rare({ ...file(name, source), isRare: true }, "functions");
}

/** What every kernel begins with: `linear_workgroup`, `bits_to_f32`, `exact`. */
export const PRELUDE = file("lib/prelude.wgsl", preludeSource);
/** `join_workgroup`: part of kernels that say what they join. */
export const WORKGROUP_TREE = file("lib/workgroup.wgsl", workgroupSource);
/** `own_sum`: part of kernels that say of what. */
export const PAIRWISE = file("lib/pairwise.wgsl", pairwiseSource);
/** `own_row`: part of kernels whose invocations own rows. */
export const GIVEN_ROW = file("lib/given-row.wgsl", givenRowSource);
/** `own_maximum`, and exponentials to sum: part of kernels that know exponentials of rows. */
export const ROW_EXP = file("lib/row-exp.wgsl", rowExpSource);
/** What moments sum: part of their kernels. */
export const ROW_MOMENTS = file("lib/row-moments.wgsl", rowMomentsSource);
/** What scans combine, numbers or steps: part of their kernels. */
export const SCAN_NUMBERS = file("lib/scan-numbers.wgsl", scanNumbersSource);
export const SCAN_STEPS = file("lib/scan-steps.wgsl", scanStepsSource);

export const argReduceDirectFile = file("arg-reduce-direct.wgsl", argReduceDirectSource);
export const argReduceFile = file("arg-reduce.wgsl", argReduceSource);
export const elementwiseFile = file("elementwise.wgsl", elementwiseSource);
export const matmulFile = file("matmul.wgsl", matmulSource);
export const mergeRunsFile = file("merge-runs.wgsl", mergeRunsSource);
export const momentsDirectFile = file("moments-direct.wgsl", momentsDirectSource);
export const momentsFile = file("moments.wgsl", momentsSource);
export const placeRowsFile = file("place-rows.wgsl", placeRowsSource);
export const reduceDirectFile = file("reduce-direct.wgsl", reduceDirectSource);
export const reduceFile = file("reduce.wgsl", reduceSource);
export const scanDirectFile = file("scan-direct.wgsl", scanDirectSource);
export const scanFile = file("scan.wgsl", scanSource);
export const scatterAddFile = file("scatter-add.wgsl", scatterAddSource);
export const searchSortedFile = file("search-sorted.wgsl", searchSortedSource);
export const segmentSumFile = file("segment-sum.wgsl", segmentSumSource);
export const softmaxDirectFile = file("softmax-direct.wgsl", softmaxDirectSource);
export const softmaxFile = file("softmax.wgsl", softmaxSource);
export const sortRunsDirectFile = file("sort-runs-direct.wgsl", sortRunsDirectSource);
export const sortRunsFile = file("sort-runs.wgsl", sortRunsSource);

const bits = file("lib/bits.wgsl", bitsSource, arithmetic);
const expLog = file("lib/exp-log.wgsl", expLogSource);
const nearZero = rareFile("lib/near-zero.wgsl", nearZeroSource);
const threefry = rareFile("lib/threefry.wgsl", threefrySource);
const trig = rareFile("lib/trig.wgsl", trigSource);

/** Bit tests. */
export const BITS = [bits];
/** `g_min`, `g_max`, `g_sign`, `g_sqrt`. */
export const BUILT_INS = [bits, file("lib/built-ins.wgsl", builtInsSource, builtIn)];
/** `g_exp`, `g_log`, `g_sigmoid`. */
export const EXP_LOG = [bits, expLog];
/** `g_exp2`, `g_log2`. */
export const BASE_TWO = [bits, expLog, rareFile("lib/base-two.wgsl", baseTwoSource)];
/** `g_copysign`, `g_next_after`. */
export const FLOAT_BITS = [bits, rareFile("lib/float-bits.wgsl", floatBitsSource)];
/** `g_fmod`, and those of `FLOAT_BITS`. */
export const FMOD = [...FLOAT_BITS, rareFile("lib/fmod.wgsl", fmodSource)];
/** `g_half`, `g_half_bits`. */
export const HALF = [rareFile("lib/half.wgsl", halfSource)];
/** `shift_left_i32` and the like. */
export const SHIFTS = [rareFile("lib/shifts.wgsl", shiftsSource)];
/** `order_key_f32`, `order_key_i32`, `order_key_u32`. */
export const ORDER = [file("lib/order.wgsl", orderSource)];
/** `g_expm1`, `g_log1p`, `g_tanh`, `g_softplus`. */
export const NEAR_ZERO = [bits, expLog, nearZero];
/** `g_pow`. */
export const POW = [bits, expLog, rareFile("lib/pow.wgsl", powSource)];
/** `g_sin`, `g_cos`. */
export const TRIG = [bits, trig];
/** `threefry2x32`, `shuffled_index`, `drawn_index`. */
export const SHUFFLE = [threefry, rareFile("lib/shuffle.wgsl", shuffleSource)];
/** `random_bits`, `random_uniform`, `random_normal`. */
export const RANDOM = [
  bits,
  expLog,
  nearZero,
  trig,
  threefry,
  rareFile("lib/random.wgsl", randomSource),
];
