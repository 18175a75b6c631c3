// What an exported page reads beside itself: model/model.json, its arrays, and the libraries in runtime/.

import type { Input, InputColumns, Neighbour } from "./api.js";

/** Numbers in row-major order. */
export interface FloatArray {
  data: ArrayLike<number>;
  shape: number[];
}

export interface Calibrator {
  method: string;
  temperature: number;
  knots: number[];
  levels: number[];
  slopes?: number[];
  shifts?: number[];
}

/** What a wrong answer costs (true class, answer), and what asking a person costs. */
export interface Costs {
  matrix: number[][];
  refer: number;
}

/** `decision.json` of a bundle. */
export interface DecisionPolicy {
  coverage: number;
  calibrator: Calibrator;
  sets: { floors: number[]; n_rows: number } | null;
  labels?: { possible_from: (number | null)[]; sure_from: (number | null)[]; n_rows: number } | null;
  margin: number | null;
  too_few: boolean;
  novelty: { threshold: number; false_alarm: number } | null;
  costs: Costs | null;
  reserved: string[] | null;
  answer_below?: number | null;
  content?: Record<string, number> | null;
  frame?: { levels: string[]; sets: { floors: number[] }[] } | null;
}

export type DetectorArrays = Record<"centre" | "basis" | "inner" | "kept" | "means", FloatArray>;

export interface ImageSpec {
  size: number;
  resize: number;
  fit?: string;
  interpolation?: string;
}

export interface SeriesSpec {
  length: number;
  n_channels: number;
  gaps?: boolean;
}

export interface TokenSpec {
  max_length: number;
  pad_id: number;
}

/** Kinds of input with what they are prepared by. */
export interface InputSpecs {
  rows: {};
  pixels: ImageSpec;
  views: ImageSpec;
  picture: ImageSpec;
  series: SeriesSpec;
  pieces: { pieces_file: string };
  tokens: TokenSpec & { tokenizer_file: string };
}

export interface InputDocument {
  kind: keyof InputSpecs;
  spec: unknown;
  arrays: { name: string; dtype: "float32" | "uint8" | "int64"; shape: (number | null)[] }[];
}

/** `model/model.json`; `arrays` and `neighbours` are read from files that it names. */
export interface ModelDocument {
  name: string;
  modality: string;
  task: string;
  classes: string[];
  thresholds: number[];
  n_channels: number;
  input_columns: InputColumns | null;
  columns?: Record<string, string>;
  inputs: InputDocument[];
  decision: DecisionPolicy;
  readiness?: { level: string; verdict?: string; verdicts?: Record<string, string> } | null;
  arrays?: DetectorArrays;
  neighbours?: Neighbour[];
}

/** One array of one row, as the graph reads it. */
export interface InputArray {
  data: Float32Array | Uint8Array | BigInt64Array;
  shape: number[];
}
export type PrepareInput = (input: Input) => InputArray[] | Promise<InputArray[]>;
export type InputKinds = {
  [Kind in keyof InputSpecs]: (spec: InputSpecs[Kind]) => PrepareInput | Promise<PrepareInput>;
};

/** Known n-grams of each kind, and the length at which texts are cut. */
export interface NgramDocument {
  longest: number;
  pieces: Record<string, string[]>;
}

export interface PreTokenizer {
  type: string;
  replacement?: string;
  split?: boolean;
  pretokenizers?: (PreTokenizer | null)[];
}
export interface TokenizerDocument {
  pre_tokenizer: PreTokenizer | null;
}

/** What is used of @huggingface/tokenizers. */
export interface Tokenizer {
  encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] };
}

export interface Session {
  run(inputs: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>;
}
/** What is used of onnxruntime-web. */
export interface Runtime {
  env: { wasm: { numThreads: number; wasmBinary: ArrayBufferLike } };
  InferenceSession: { create(graph: Uint8Array, options: { executionProviders: string[] }): Promise<Session> };
  Tensor: new (dtype: string, data: InputArray["data"], dims: number[]) => unknown;
}
