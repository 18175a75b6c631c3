// Asks the server that this page came from. Another module with the same four names can take its place.

let token = sessionStorage.getItem("headstart-token") || "";

/** Where answers are made: a key of messages.json, and what it is filled with. */
export const place = { key: "place_server", values: { host: location.host } };

/** Keep the access code for as long as this tab is open. */
export function identify(code) {
  token = code.trim();
  sessionStorage.setItem("headstart-token", token);
}

async function call(path, options = {}) {
  const headers = { ...(options.headers || {}), ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  let reply;
  try {
    reply = await fetch(path, { ...options, headers });
  } catch {
    throw { status: 0, problem: "", hint: "" };
  }
  const found = await reply.json().catch(() => ({}));
  if (!reply.ok) {
    throw { status: reply.status, problem: "", hint: "", ...(found.error || {}) };
  }
  return found;
}

function named(path, model) {
  return `${path}?model=${encodeURIComponent(model.name)}`;
}

function json(document) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(document) };
}

function form(files, more = {}) {
  const body = new FormData();
  for (const [field, input] of files) body.append(field, input.blob, input.name);
  for (const [field, value] of Object.entries(more)) body.append(field, value);
  return { method: "POST", body };
}

const ASK = {
  image: (inputs) => form(inputs.map((input) => ["files", input])),
  text: (inputs) => json({ texts: inputs.map((input) => input.text) }),
  series: (inputs) => json({ series: inputs.map((input) => input.series) }),
};
const CORRECT = {
  image: (input, label) => form([["file", input]], { label }),
  text: (input, label) => json({ text: input.text, label }),
  series: (input, label) => json({ series: input.series, label }),
};

/** The models: name, modality, task, classes, n_channels, feedback. */
export async function about() {
  const { models, feedback } = await call("info");
  const found = await Promise.all(models.map((name) => call(named("info", { name }))));
  return found.map((info) => ({ ...info, n_channels: info.preprocessing.n_channels || 1, feedback }));
}

/** One document an input, with the fields of `headstart predict --json`. */
export async function predict(model, inputs) {
  return (await call(named("predict", model), ASK[model.modality](inputs))).predictions;
}

/** Keep the right label of an input. */
export async function correct(model, input, label) {
  return call(named("feedback", model), CORRECT[model.modality](input, label));
}
