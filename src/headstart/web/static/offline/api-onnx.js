// Answers on this device with onnxruntime-web; nothing is sent. The twin of api-rest.js: the same names, the same documents.

import { countCollected, keepInput, saveCollected as saveEntries } from "./collected.js";
import { EMPTY_TEXT, findFault, measureImage, measureSeries, measureText, SIDE } from "./content.js";
import { decide, makeUnusable } from "./decide.js";
import { readArrays } from "./floats.js";
import { loadImage, resizeImage, shrinkImage } from "./images.js";
import { describeReason } from "./reasons.js";
import { prepareSeries } from "./series.js";
import { makeNgramCounter, makeTokenEncoder, spellOutWords } from "./texts.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./api.js").Input} Input */
/** @typedef {import("./documents.js").ImageSpec} ImageSpec */
/** @typedef {import("./documents.js").InputArray} InputArray */
/** @typedef {import("./documents.js").ModelDocument} ModelDocument */
/** @typedef {import("./documents.js").PrepareInput} PrepareInput */
/** @typedef {import("./documents.js").Runtime} Runtime */
/** @typedef {import("./images.js").RgbImage} RgbImage */
/** @typedef {{model: ModelDocument, session: import("./documents.js").Session, preparers: PrepareInput[], Tensor: Runtime["Tensor"]}} OpenModel */

/** Where answers are made: a key of messages.json, and what it is filled with. */
export const place = { key: "place_device", values: {} };

const GZIP = [0x1f, 0x8b];

/** Nobody is asked who they are. */
export function setToken() {}

/** @param {string} name Of a file beside this one. */
function locateFile(name) {
  return new URL(name, import.meta.url);
}

/** @param {string} name */
async function readBytes(name) {
  let reply;
  try {
    reply = await fetch(locateFile(name));
  } catch {
    throw { status: 0, problem: "", hint: "" };
  }
  if (!reply.ok) throw { status: reply.status, problem: `${name} is missing (${reply.status}).`, hint: "" };
  const content = new Uint8Array(await reply.arrayBuffer());
  if (content[0] !== GZIP[0] || content[1] !== GZIP[1]) return content;
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {string} name */
async function readJson(name) {
  return JSON.parse(new TextDecoder().decode(await readBytes(name)));
}

/** @type {WeakMap<Input, Map<number, Promise<RgbImage>>>} */
const loadedImages = new WeakMap();

/**
 * Open an image, once for each size that it is needed at.
 * @param {Input} input
 * @param {ImageSpec} spec
 */
function openImage(input, spec) {
  const bySize = loadedImages.get(input) ?? new Map();
  loadedImages.set(input, bySize);
  if (!bySize.has(spec.resize)) bySize.set(spec.resize, loadImage(/** @type {Blob} */ (input.blob), spec));
  return /** @type {Promise<RgbImage>} */ (bySize.get(spec.resize));
}

/** @param {RgbImage} image @returns {InputArray} */
function makePixelArray({ data, height, width }) {
  return { data, shape: [height, width, 3] };
}

/**
 * Kinds of input, as headstart/bundle/runtime/inputs.py has them.
 * @type {import("./documents.js").InputKinds}
 */
const INPUT_KINDS = {
  rows: () => () => [{ data: new Float32Array(1), shape: [1] }],
  pixels: (spec) => async (input) => [makePixelArray(resizeImage(await openImage(input, spec), spec))],
  views: (spec) => async (input) => {
    const { data, shape } = makePixelArray(resizeImage(await openImage(input, spec), spec));
    return [{ data, shape: [1, ...shape] }]; // The image itself, without changed copies of it.
  },
  picture: (spec) => async (input) => [makePixelArray(shrinkImage(await openImage(input, spec), spec))],
  series: (spec) => (input) => prepareSeries(input.series ?? [], spec),
  pieces: async (spec) => {
    const count = makeNgramCounter(await readJson(`model/${spec.pieces_file}`));
    return (input) => count(input.text ?? "");
  },
  tokens: async (spec) => {
    const { Tokenizer } = await import(locateFile("runtime/tokenizers.min.mjs").href);
    const document = spellOutWords(await readJson(`model/${spec.tokenizer_file}`));
    const encode = makeTokenEncoder(new Tokenizer(document, {}), spec);
    return (input) => encode(input.text ?? "");
  },
};

/** @param {import("./documents.js").InputDocument} input */
function makePreparer({ kind, spec }) {
  return /** @type {(spec: unknown) => PrepareInput | Promise<PrepareInput>} */ (INPUT_KINDS[kind])(spec);
}

/** @param {InputArray["data"]} data */
function nameType(data) {
  if (data instanceof Float32Array) return "float32";
  return data instanceof Uint8Array ? "uint8" : "int64";
}

/** @type {Promise<ModelDocument> | null} */
let modelDocument = null;
/** @type {Promise<OpenModel> | null} */
let openModel = null;

/** @returns {Promise<ModelDocument>} */
async function readModelDocument() {
  const model = await readJson("model/model.json");
  if (model.novelty_arrays.length) {
    model.arrays = readArrays((await readBytes("model/novelty.bin")).buffer, model.novelty_arrays);
  }
  if (model.neighbours_file) model.neighbours = await readJson(`model/${model.neighbours_file}`);
  return model;
}

/** Read the model's document once; a failure is not kept, so that the next try can succeed. */
function getModelDocument() {
  modelDocument = modelDocument || readModelDocument().catch((error) => {
    modelDocument = null;
    throw error;
  });
  return modelDocument;
}

/** @returns {Promise<OpenModel>} */
async function loadModel() {
  const model = await getModelDocument();
  /** @type {Runtime} */
  const { env, InferenceSession, Tensor } = await import(locateFile("runtime/ort.wasm.bundle.min.mjs").href);
  const [wasm, graph] = await Promise.all([readBytes("runtime/ort-wasm-simd-threaded.bin"), readBytes("model/model.bin")]);
  env.wasm.numThreads = 1; // Several threads need headers that file hosts do not send.
  env.wasm.wasmBinary = wasm.buffer;
  const [session, preparers] = await Promise.all([
    InferenceSession.create(graph, { executionProviders: ["wasm"] }),
    Promise.all(model.inputs.map(makePreparer)),
  ]);
  await session.run(makeEmptyRow(model, Tensor)); // The first run is slow: not while somebody waits.
  return { model, session, preparers, Tensor };
}

const ARRAY_TYPES = { float32: Float32Array, uint8: Uint8Array, int64: BigInt64Array };

/**
 * Return one row of zeros.
 * @param {ModelDocument} model
 * @param {Runtime["Tensor"]} Tensor
 */
function makeEmptyRow(model, Tensor) {
  return Object.fromEntries(model.inputs.flatMap((input) => input.arrays).map(({ name, dtype, shape }) => {
    const dims = shape.map((size) => size || 1);
    return [name, new Tensor(dtype, new ARRAY_TYPES[dtype](dims.reduce((a, b) => a * b, 1)), dims)];
  }));
}

/** Open the model once; a failure is not kept. */
function getOpenModel() {
  openModel = openModel || loadModel().catch((error) => {
    openModel = null;
    throw error.status === undefined ? { status: -1, problem: String(error.message || error), hint: "" } : error;
  });
  return openModel;
}

/**
 * Return the model: name, modality, task, classes, n_channels.
 * @returns {Promise<import("./api.js").Model[]>}
 */
export async function listModels() {
  const { name, modality, task, classes, n_channels, input_columns, columns, readiness } = await getModelDocument();
  getOpenModel().catch(() => {}); // Ready when the first question comes; a failure is shown then.
  return [{ name, modality, task, classes, n_channels, input_columns, columns, readiness, feedback: true }];
}

/** Resolve when the model is open, or cannot be opened. */
export async function waitForModel() {
  await getOpenModel().catch(() => {});
}

/**
 * Measure whether an input holds anything to answer about, by modality.
 * @type {Record<string, (input: Input, model: ModelDocument) => import("./content.js").Measures | Promise<import("./content.js").Measures>>}
 */
const CONTENT = {
  image: async (input, model) => {
    const specs = model.inputs.map(({ spec }) => /** @type {Partial<ImageSpec>} */ (spec));
    const spec = { ...(specs.find(({ resize }) => resize) ?? { resize: SIDE }), size: SIDE };
    const image = await openImage(input, /** @type {ImageSpec} */ (spec));
    return measureImage(shrinkImage(image, /** @type {ImageSpec} */ (spec)), Math.min(image.width, image.height));
  },
  text: ({ text = "" }) => measureText(text),
  series: ({ series = [] }) => measureSeries(series),
};

/**
 * Return the answer to an input that holds nothing to answer about; null where it holds something.
 * @param {ModelDocument} model
 * @param {Input} input
 */
async function refuseContentless(model, input) {
  if (model.modality === "text" && !input.text?.trim()) return makeUnusable(model.task, EMPTY_TEXT, "no_words");
  const { content } = model.decision;
  if (!content || !Object.keys(content).length) return null;
  const code = findFault(await CONTENT[model.modality](input, model), content);
  return code && makeUnusable(model.task, describeReason({ code, values: {} }), code);
}

/**
 * @param {OpenModel} open
 * @param {Input} input
 * @returns {Promise<Answer>}
 */
async function answerInput({ model, session, preparers, Tensor }, input) {
  let prepared;
  try {
    prepared = await Promise.all(preparers.map((prepare) => prepare(input)));
    const refused = await refuseContentless(model, input);
    if (refused) return refused;
  } catch (error) {
    return makeUnusable(model.task, error instanceof Error ? error.message : String(error));
  }
  const arrays = prepared.flat();
  const names = model.inputs.flatMap((item) => item.arrays.map(({ name }) => name));
  const tensors = arrays.map(({ data, shape }) => new Tensor(nameType(data), data, [1, ...shape]));
  const results = await session.run(Object.fromEntries(names.map((name, number) => [name, tensors[number]])));
  const outputs = results.outputs.data;
  if (!outputs.every(Number.isFinite)) return makeUnusable(model.task, "the model gives no number for this input");
  return decide(model, outputs, results.features && results.features.data);
}

/**
 * Return one document an input, with the fields of `headstart predict --json`.
 * @param {import("./api.js").Model} _
 * @param {Input[]} inputs
 */
export async function predictInputs(_, inputs) {
  const open = await getOpenModel();
  const answers = [];
  for (const input of inputs) {
    const answer = await answerInput(open, input);
    answers.push({ input: input.name, ...answer });
    if (answer.outcome === "not_sure" || answer.outcome === "none_of_these") await keepInput(input);
  }
  return answers;
}

/**
 * Keep the right label of an input on this device, to be taken home as a file.
 * @param {import("./api.js").Model} _
 * @param {Input} input
 * @param {string} label
 */
export async function sendCorrection(_, input, label) {
  if (!(await keepInput(input, label))) throw { status: 507, problem: "This device keeps no more.", hint: "" };
}

export { countCollected };

/** Save what waits to be taken home as a file for Studio. */
export async function saveCollected() {
  await saveEntries((await getModelDocument()).modality);
}
