// The source of answers: api-rest.js (a server) and offline/api-onnx.js (this device) have these names.

/** Where answers are made: a key of messages.json, and what it is filled with. */
export const place: { key: string; values: Record<string, string> };

export interface InputColumns {
  layout: string;
  values: string[][];
  channels: string[];
}

export interface Model {
  name: string;
  modality: string;
  task: string;
  classes: string[];
  n_channels: number;
  input_columns?: InputColumns | null;
  columns?: Record<string, string>;
  limits?: { max_rows?: number; max_mb?: number };
  feedback: boolean;
  readiness?: { level: string; verdict?: string; verdicts?: Record<string, string> } | null;
}

export interface Input {
  name: string;
  blob?: Blob;
  preview?: string;
  text?: string;
  series?: (number | null)[][];
}

export interface Neighbour {
  label: string;
  distance?: number;
  picture?: string;
  text?: string;
}

export interface ClassProbability {
  label: string;
  probability: number;
}

/** Why an input got its answer: for each code the values that a sentence about it needs. */
export interface ReasonValues {
  none: {};
  sure: { probability: number };
  only_likely_class: { probability: number };
  several_likely_classes: { classes: ClassProbability[] };
  sure_and_possible_labels: { sure: ClassProbability[]; possible: ClassProbability[] };
  too_few_rows_for_labels: { n_rows: number };
  too_few_rows_for_sets: { n_rows: number };
  no_held_out_rows: {};
  asking_costs_less: { asking_cost: number; label: string; expected_cost: number };
  likelier_class_costs_more: ClassProbability & { expected_cost: number };
  like_reserved_class: ClassProbability;
  out_of_distribution: { share: number };
  interval_coverage: { coverage: number };
  too_few_rows_for_interval: {};
  below_least_probability: ClassProbability & { least: number };
  too_small: {};
  too_dark: {};
  too_bright: {};
  one_colour: {};
  too_blurred: {};
  no_words: {};
  no_values: {};
  constant: {};
}
/** Why an input holds nothing to answer about: it never reaches the model. */
export type ContentFault =
  | "too_small" | "too_dark" | "too_bright" | "one_colour" | "too_blurred" | "no_words" | "no_values" | "constant";
export type ReasonCode = keyof ReasonValues;
export type Reason = { [Code in ReasonCode]: { code: Code; values: ReasonValues[Code] } }[ReasonCode];
/** Functions that write the sentence of each code; `More` is what they need beside its values. */
export type ReasonTexts<More extends unknown[] = []> = {
  [Code in ReasonCode]: (values: ReasonValues[Code], ...more: More) => string;
};

/** One document of `headstart predict --json`. */
export interface Answer {
  input?: string;
  answer: string | null;
  levels?: string[];
  outcome: "answered" | "not_sure" | "none_of_these" | null;
  kind: "label" | "not_sure" | "none_of_these" | "unusable";
  reason: string | null;
  reason_code: ReasonCode | null;
  reason_values: {};
  set: (string | number)[];
  label?: string | null;
  probability?: number | null;
  top?: ClassProbability[];
  labels?: string[] | null;
  sure?: string[];
  probabilities?: Record<string, number>;
  value?: number | null;
  low?: number | null;
  high?: number | null;
  nearest?: Neighbour[];
}

/** What is thrown: a status of HTTP, 0 without a connection, -1 for other reasons. */
export interface Problem {
  status: number;
  problem: string;
  hint: string;
}

export function setToken(code: string): void;
export function listModels(): Promise<Model[]>;
export function predictInputs(model: Model, inputs: Input[]): Promise<Answer[]>;
export function sendCorrection(model: Model, input: Input, label: string): Promise<unknown>;
export function countCollected(): Promise<number>;
export function saveCollected(): Promise<void>;
