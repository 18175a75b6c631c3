// Answers on this device with onnxruntime-web; nothing is sent. The twin of api-rest.js: the same names, the same documents.

import { decide, unusable } from "./decide.js";
import { arraysOf } from "./floats.js";
import * as images from "./images.js";
import * as series from "./series.js";
import * as texts from "./texts.js";

/** Where answers are made: a key of messages.json, and what it is filled with. */
export const place = { key: "place_device", values: {} };

const GZIP = [0x1f, 0x8b];

/** Nobody is asked who they are. */
export function identify() {}

function at(name) {
  return new URL(name, import.meta.url);
}

async function bytes(name) {
  let reply;
  try {
    reply = await fetch(at(name));
  } catch {
    throw { status: 0, problem: "", hint: "" };
  }
  if (!reply.ok) throw { status: reply.status, problem: `${name} is missing (${reply.status}).`, hint: "" };
  const whole = new Uint8Array(await reply.arrayBuffer());
  if (whole[0] !== GZIP[0] || whole[1] !== GZIP[1]) return whole;
  const stream = new Blob([whole]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function json(name) {
  return JSON.parse(new TextDecoder().decode(await bytes(name)));
}

/** Open a picture once for each scale that it is wanted at. */
function picture(input, spec) {
  input.opened = input.opened || new Map();
  if (!input.opened.has(spec.resize)) input.opened.set(spec.resize, images.load(input.blob, spec));
  return input.opened.get(spec.resize);
}

function pixels(made) {
  return [{ data: made.data, shape: [made.height, made.width, 3] }];
}

/** Kinds of input, as headstart/bundle/feeding.py has them: (spec) -> (input) -> arrays of one row. */
const KINDS = {
  rows: () => () => [{ data: new Float32Array(1), shape: [1] }],
  pixels: (spec) => async (input) => pixels(images.squared(await picture(input, spec), spec)),
  views: (spec) => async (input) => {
    const [{ data, shape }] = pixels(images.squared(await picture(input, spec), spec));
    return [{ data, shape: [1, ...shape] }]; // The picture itself, without changed copies of it.
  },
  picture: (spec) => async (input) => pixels(images.shrunk(await picture(input, spec), spec)),
  series: (spec) => (input) => series.prepare(input.series, spec),
  pieces: async (spec) => {
    const count = texts.pieces(await json(`model/${spec.pieces_file}`));
    return (input) => count(input.text);
  },
  tokens: async (spec) => {
    const { Tokenizer } = await import(at("runtime/tokenizers.min.mjs").href);
    const cut = texts.tokens(new Tokenizer(texts.spelled(await json(`model/${spec.tokenizer_file}`)), {}), spec);
    return (input) => cut(input.text);
  },
};
/** @typedef {Float32ArrayConstructor | Uint8ArrayConstructor | BigInt64ArrayConstructor} ArrayKind */
/** @type {Map<ArrayKind, string>} */
const TYPES = new Map(/** @type {[ArrayKind, string][]} */ ([[Float32Array, "float32"], [Uint8Array, "uint8"], [BigInt64Array, "int64"]]));

let described = null;
let opened = null;

async function described_() {
  const model = await json("model/model.json");
  if (model.novelty_arrays.length) {
    model.arrays = arraysOf((await bytes("model/novelty.bin")).buffer, model.novelty_arrays);
  }
  if (model.neighbours_file) model.neighbours = await json(`model/${model.neighbours_file}`);
  return model;
}

function description() {
  described = described || described_().catch((error) => {
    described = null;
    throw error;
  });
  return described;
}

async function open_() {
  const model = await description();
  const { env, InferenceSession, Tensor } = await import(at("runtime/ort.wasm.bundle.min.mjs").href);
  const [wasm, graph] = await Promise.all([bytes("runtime/ort-wasm-simd-threaded.bin"), bytes("model/model.bin")]);
  env.wasm.numThreads = 1; // Several threads need headers that file hosts do not send.
  env.wasm.wasmBinary = wasm.buffer;
  const [session, feeds] = await Promise.all([
    InferenceSession.create(graph, { executionProviders: ["wasm"] }),
    Promise.all(model.inputs.map((input) => KINDS[input.kind](input.spec))),
  ]);
  await session.run(blank(model, Tensor)); // The first run is slow: not while somebody waits.
  return { model, session, feeds, Tensor };
}

/** One row of zeros. */
function blank(model, Tensor) {
  const arrays = model.inputs.flatMap((input) => input.arrays);
  return Object.fromEntries(arrays.map(({ name, dtype, shape }) => {
    const kind = [...TYPES].find(([, one]) => one === dtype)[0];
    const dims = shape.map((size) => size || 1);
    return [name, new Tensor(dtype, new kind(dims.reduce((a, b) => a * b, 1)), dims)];
  }));
}

/** The model, opened once; a failure is not kept, so that the next try can go better. */
function open() {
  opened = opened || open_().catch((error) => {
    opened = null;
    throw error.status === undefined ? { status: -1, problem: String(error.message || error), hint: "" } : error;
  });
  return opened;
}

/** The model: name, modality, task, classes, n_channels. */
export async function about() {
  const { name, modality, task, classes, n_channels: channels, input_columns: columns } = await description();
  open().catch(() => {}); // Ready when the first question comes; a failure is told then.
  return [{ name, modality, task, classes, n_channels: channels, input_columns: columns, feedback: false }];
}

/** When the model is open, or cannot be opened. */
export async function ready() {
  await open().catch(() => {});
}

async function one({ model, session, feeds, Tensor }, input) {
  let rows;
  try {
    rows = await Promise.all(feeds.map((make) => make(input)));
  } catch (error) {
    return unusable(model.task, error instanceof Error ? error.message : String(error));
  }
  const given = {};
  model.inputs.forEach((kind, number) => kind.arrays.forEach(({ name }, part) => {
    const { data, shape } = rows[number][part];
    given[name] = new Tensor(TYPES.get(data.constructor), data, [1, ...shape]);
  }));
  const found = await session.run(given);
  const outputs = found.outputs.data;
  if (!outputs.every(Number.isFinite)) return unusable(model.task, "the model gives no number for this input");
  return decide(model, outputs, found.features && found.features.data);
}

/** One document an input, with the fields of `headstart predict --json`. */
export async function predict(_, inputs) {
  const ready = await open();
  const documents = [];
  for (const input of inputs) documents.push({ input: input.name, ...(await one(ready, input)) });
  return documents;
}

/** Corrections are not kept here. */
export async function correct() {
  throw { status: 404, problem: "This page keeps no corrections.", hint: "" };
}
