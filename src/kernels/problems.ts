import type { Problem } from "../forms/kernel.ts";

/** SIZE elements to compute one by one. */
export interface ElementsProblem extends Problem {
  readonly SIZE: number;
}

/** Rows to reduce or normalize, `[ROWS, LENGTH]`. */
export interface RowsProblem extends Problem {
  readonly ROWS: number;
  readonly LENGTH: number;
}

/** Rows of which each element is wanted in another form, or not at all. */
export interface SoftmaxProblem extends RowsProblem {
  /** 1 or 0; 1 when left out. */
  readonly EACH?: number;
}

/** Rows to combine in chunks of CHUNK elements, of which the last may have fewer. */
export interface PartsProblem extends RowsProblem {
  readonly CHUNK: number;
}

/** Products `[BATCH, M, K] · [BATCH, K, N]`. */
export interface ProductProblem extends Problem {
  readonly BATCH: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** COUNT rows to add to those of `[ROWS, COLUMNS]` that indices name. */
export interface ScatterProblem extends Problem {
  readonly ROWS: number;
  readonly COLUMNS: number;
  readonly COUNT: number;
}

/** Rows of COUNT values to find among rows `[ROWS, LENGTH]` of sorted ones. */
export interface SearchProblem extends RowsProblem {
  readonly COUNT: number;
}

/** Rows whose runs of RUN elements are sorted. */
export interface MergeProblem extends RowsProblem {
  readonly RUN: number;
}

/** Rows of which runs of RUN elements are to be sorted, and the first KEEP of each kept. */
export interface SortProblem extends MergeProblem {
  readonly KEEP: number;
}

/**
 * BATCH parts of ROWS queries of DEPTH elements, KEYS keys of as many, and values of WIDTH. Queries have
 * places from 0 to LENGTH − 1, again and again; CAUSAL, MASKED and DROPS are 1 or 0.
 */
export interface AttentionProblem extends Problem {
  readonly BATCH: number;
  readonly ROWS: number;
  readonly LENGTH: number;
  readonly KEYS: number;
  readonly DEPTH: number;
  readonly WIDTH: number;
  readonly CAUSAL: number;
  readonly MASKED: number;
  readonly DROPS: number;
}
