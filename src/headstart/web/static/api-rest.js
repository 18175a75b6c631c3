// Asks the server that this page came from. Another module with the same names can take its place.

/** @typedef {import("./api.js").Model} Model */
/** @typedef {import("./api.js").Input} Input */

const TOKEN_KEY = "headstart-token";
const TOKEN_IN_ADDRESS = "#token=";
let token = sessionStorage.getItem(TOKEN_KEY) || "";

/** Where answers are made: a key of messages.json, and what it is filled with. */
export const place = { key: "place_server", values: { host: location.host } };

/**
 * Keep the access code for as long as this tab is open.
 * @param {string} code
 */
export function setToken(code) {
  token = code.trim();
  sessionStorage.setItem(TOKEN_KEY, token);
}

if (location.hash.startsWith(TOKEN_IN_ADDRESS)) {
  // From the QR code of `headstart serve --phone`: kept for this tab, and removed from the address.
  setToken(decodeURIComponent(location.hash.slice(TOKEN_IN_ADDRESS.length)));
  history.replaceState(null, "", location.pathname + location.search);
}

/**
 * Send a request; returns the document, or throws a problem.
 * @param {string} path
 * @param {{method?: string, headers?: Record<string, string>, body?: BodyInit}} [options]
 */
async function callServer(path, options = {}) {
  const headers = { ...(options.headers || {}), ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  let reply;
  try {
    reply = await fetch(path, { ...options, headers });
  } catch {
    throw { status: 0, problem: "", hint: "" };
  }
  const document = await reply.json().catch(() => ({}));
  if (!reply.ok) {
    throw { status: reply.status, problem: "", hint: "", ...(document.error || {}) };
  }
  return document;
}

/**
 * @param {string} path
 * @param {string} name Of a model.
 */
function addModelName(path, name) {
  return `${path}?model=${encodeURIComponent(name)}`;
}

/** @param {unknown} document */
function makeJsonRequest(document) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(document) };
}

/**
 * @param {[string, Input][]} files Field and input.
 * @param {Record<string, string>} [fields]
 */
function makeFormRequest(files, fields = {}) {
  const body = new FormData();
  for (const [field, input] of files) body.append(field, /** @type {Blob} */ (input.blob), input.name);
  for (const [field, value] of Object.entries(fields)) body.append(field, value);
  return { method: "POST", body };
}

/** @type {Record<string, (inputs: Input[]) => Parameters<typeof callServer>[1]>} */
const PREDICT = {
  image: (inputs) => makeFormRequest(inputs.map((input) => ["files", input])),
  text: (inputs) => makeJsonRequest({ texts: inputs.map((input) => input.text) }),
  series: (inputs) => makeJsonRequest({ series: inputs.map((input) => input.series) }),
};
/** @type {Record<string, (input: Input, label: string) => Parameters<typeof callServer>[1]>} */
const CORRECT = {
  image: (input, label) => makeFormRequest([["file", input]], { label }),
  text: (input, label) => makeJsonRequest({ text: input.text, label }),
  series: (input, label) => makeJsonRequest({ series: input.series, label }),
};

/**
 * Return the models: name, modality, task, classes, n_channels, feedback.
 * @returns {Promise<Model[]>}
 */
export async function listModels() {
  const { models, feedback } = await callServer("info");
  const documents = await Promise.all(models.map((/** @type {string} */ name) => callServer(addModelName("info", name))));
  return documents.map((info) => ({ ...info, n_channels: info.preprocessing.n_channels || 1, feedback }));
}

/**
 * Return one document an input, with the fields of `headstart predict --json`.
 * @param {Model} model
 * @param {Input[]} inputs
 * @returns {Promise<import("./api.js").Answer[]>}
 */
export async function predictInputs(model, inputs) {
  return (await callServer(addModelName("predict", model.name), PREDICT[model.modality](inputs))).predictions;
}

/**
 * Keep the right label of an input.
 * @param {Model} model
 * @param {Input} input
 * @param {string} label
 */
export async function sendCorrection(model, input, label) {
  return callServer(addModelName("feedback", model.name), CORRECT[model.modality](input, label));
}

/** Return how many inputs wait to be taken home: none, the server keeps them. */
export async function countCollected() {
  return 0;
}

/** Save what waits to be taken home: nothing. */
export async function saveCollected() {}
