// What the page asks: api-rest.js (a server) and offline/api-onnx.js (this device) have these names.

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
  limits?: { max_rows?: number; max_mb?: number };
  feedback: boolean;
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
  picture?: string;
  text?: string;
}

/** One document of `headstart predict --json`. */
export interface Answer {
  answer: string | null;
  kind: "label" | "not_sure" | "none_of_these" | "unusable";
  reason: string | null;
  set: (string | number)[];
  label?: string | null;
  probability?: number | null;
  top?: { label: string; probability: number }[];
  labels?: string[] | null;
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

export function identify(code: string): void;
export function about(): Promise<Model[]>;
export function predict(model: Model, inputs: Input[]): Promise<Answer[]>;
export function correct(model: Model, input: Input, label: string): Promise<unknown>;
