// The page: one input in, one answer out, in five languages. Where answers come from stands in api.js.

import * as api from "./api.js";

const HISTORY = "headstart-history";
const MOST_KEPT = 200;
const MOST_AT_ONCE = 16;
const MARKS = { label: "✓", not_sure: "?", none_of_these: "✕", unusable: "!" };
const at = (id) => document.getElementById(id);
const state = { models: [], model: null, messages: {}, language: "en" };

// Words

function t(key, values = {}) {
  const text = state.messages[state.language][key];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function percent(share) {
  return new Intl.NumberFormat(state.language, { style: "percent" }).format(share);
}

function number(value) {
  return new Intl.NumberFormat(state.language, { maximumSignificantDigits: 6 }).format(value);
}

function list(names) {
  return new Intl.ListFormat(state.language, { type: "disjunction" }).format(names);
}

function speak(language) {
  state.language = language in state.messages ? language : "en";
  document.documentElement.lang = state.language;
  document.documentElement.dir = t("direction");
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  at("place").textContent = t(api.place.key, api.place.values);
  showModel();
  showHistory();
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function fail(error) {
  const texts = { 0: "unreachable", 401: "token_wrong", 413: "too_large", 503: "busy" };
  const known = error.status in texts ? t(texts[error.status]) : t("failed");
  const said = error.status === 0 || error.status === 401 ? "" : ` ${error.problem || error} ${error.hint || ""}`;
  at("problem").textContent = known + said;
  at("problem").hidden = false;
  at("token-form").hidden = error.status !== 401;
}

// Answers

function wordOf(found) {
  const kind = found.kind;
  if (kind !== "label") return t(kind);
  return found.answer === "" ? t("no_label") : found.answer;
}

function reasonOf(found) {
  const kind = found.kind;
  if (kind === "unusable") return found.reason;
  if (kind === "none_of_these") return t("unlike");
  if (kind === "not_sure") return found.set.length > 1 ? t("could_be", { names: list(found.set) }) : t("unsure");
  if (typeof found.low === "number") return t("between", { low: number(found.low), high: number(found.high) });
  return typeof found.probability === "number" ? t("sure", { share: percent(found.probability) }) : "";
}

function sharesOf(found) {
  if (found.top && found.top.length) return found.top.map((one) => [one.label, one.probability]);
  const several = Object.entries(found.probabilities || {});
  return several.sort((a, b) => b[1] - a[1]).slice(0, 5);
}

function shares(found) {
  const rows = make("dl", "shares");
  for (const [name, share] of sharesOf(found)) {
    const meter = make("meter");
    meter.max = 1;
    meter.value = share;
    meter.setAttribute("aria-hidden", "true");
    const value = make("dd");
    value.append(meter, make("span", "", percent(share)));
    rows.append(make("dt", "", name), value);
  }
  return rows;
}

function card(found, input) {
  const kind = found.kind;
  const made = make("article", `card answer ${kind}`);
  if (input.preview) {
    const picture = make("img");
    picture.src = input.preview;
    picture.alt = input.name;
    picture.addEventListener("error", () => picture.remove());
    made.append(picture);
  }
  made.append(make("p", "quiet name", input.name));
  const said = make("p", "said");
  const mark = make("span", "mark", MARKS[kind]);
  mark.setAttribute("aria-hidden", "true");
  said.append(mark, make("bdi", "", wordOf(found)));
  made.append(said, make("p", "why", reasonOf(found)));
  if (kind !== "unusable" && sharesOf(found).length) {
    const more = make("details");
    more.append(make("summary", "", t("more")), shares(found));
    made.append(more);
  }
  if (found.nearest && found.nearest.length) made.append(likes(found.nearest));
  if (state.model.feedback && kind !== "unusable") made.append(correction(input));
  return made;
}

/** The training rows that an input is most like, where the model's owner lets them be shown. */
function likes(rows) {
  const whole = make("details");
  whole.append(make("summary", "", t("like")));
  for (const row of rows) {
    const one = make("figure");
    if (row.picture) one.append(Object.assign(make("img"), { src: row.picture, alt: "" }));
    if (row.text) one.append(Object.assign(make("p", "quiet", row.text), { dir: "auto" }));
    one.append(make("figcaption", "", row.label));
    whole.append(one);
  }
  return whole;
}

function correction(input) {
  const model = state.model;
  const whole = make("details");
  const form = make("form", "field");
  const id = `label-${Math.random().toString(36).slice(2)}`;
  const label = make("label", "", t("right_label"));
  label.htmlFor = id;
  const box = make("input");
  Object.assign(box, { id, required: true, maxLength: 200, autocomplete: "off", dir: "auto" });
  box.setAttribute("list", "classes");
  const button = make("button", "", t("correct"));
  const done = make("p", "quiet");
  done.setAttribute("role", "status");
  form.append(label, box, button, done);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await api.correct(model, input, box.value.trim());
      done.textContent = t("corrected");
    } catch (error) {
      fail(error);
    }
    button.disabled = false;
  });
  whole.append(make("summary", "", t("wrong")), form);
  return whole;
}

async function ask(inputs) {
  if (!inputs.length) {
    at("status").textContent = t("nothing");
    return;
  }
  at("problem").hidden = true;
  at("answer-list").replaceChildren();
  document.body.setAttribute("aria-busy", "true");
  try {
    let done = 0;
    for (const portion of portions(inputs)) {
      at("status").textContent = t("waiting", { done, all: inputs.length });
      await some(portion);
      done += portion.length;
    }
    at("status").textContent = "";
  } catch (error) {
    at("status").textContent = "";
    fail(error);
  }
  document.body.removeAttribute("aria-busy");
  showHistory();
}

/** Cut inputs into requests that a server takes: photos are soon too many megabytes for one. */
function portions(inputs) {
  const { max_rows: rows = MOST_AT_ONCE, max_mb: megabytes = Infinity } = state.model.limits || {};
  const made = [];
  let bytes = 0;
  for (const input of inputs) {
    const size = input.blob ? input.blob.size + 1000 : 0;
    const full = !made.length || made.at(-1).length >= Math.min(rows, MOST_AT_ONCE) || bytes + size > megabytes * 1e6;
    if (full) {
      made.push([]);
      bytes = 0;
    }
    made.at(-1).push(input);
    bytes += size;
  }
  return made;
}

async function some(inputs) {
  const found = await api.predict(state.model, inputs);
  found.forEach((one, row) => {
    at("answer-list").append(card(one, inputs[row]));
    keep(one, inputs[row]);
  });
}

// History, on this device only

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(HISTORY) || "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function keep(found, input) {
  const share = typeof found.probability === "number" ? found.probability : "";
  const row = { time: new Date().toISOString(), model: state.model.name, input: input.name, kind: found.kind,
    answer: found.answer === null ? "" : found.answer, probability: share, reason: found.reason };
  try {
    localStorage.setItem(HISTORY, JSON.stringify([row, ...kept()].slice(0, MOST_KEPT)));
  } catch {
    at("status").textContent = t("not_kept");
  }
}

function showHistory() {
  const rows = kept();
  at("history").hidden = rows.length === 0;
  at("history-list").replaceChildren(...rows.slice(0, 20).map((row) => {
    const item = make("li");
    const time = make("time", "", new Date(row.time).toLocaleString(state.language));
    time.dateTime = row.time;
    item.append(time, make("bdi", "", row.input), ": ", make("bdi", "", row.kind === "label" ? row.answer : t(row.kind)));
    return item;
  }));
}

function cell(value) {
  const text = String(value);
  const harmless = /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function saved() {
  const names = ["time", "model", "input", "kind", "answer", "probability", "reason"];
  const lines = [names, ...kept().map((row) => names.map((name) => row[name] ?? ""))];
  return "\ufeff" + lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

function save() {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([saved()], { type: "text/csv" }));
  link.download = "headstart.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// Inputs

function pictures(files) {
  return [...files].map((blob) => ({ blob, name: blob.name || t("photo"), preview: URL.createObjectURL(blob) }));
}

function texts(text) {
  const whole = text.trim();
  return whole ? [{ text: whole, name: whole.length > 60 ? `${whole.slice(0, 60)}…` : whole }] : [];
}

function readLine(line, separator) {
  return line.split(separator).map((part) => {
    const plain = separator === "," ? part.trim() : part.trim().replace(",", ".");
    return plain === "" || /^(nan|na|null|-)$/i.test(plain) ? null : Number(plain);
  });
}

const plainName = (name) => name.trim().toLowerCase().replace(/[\s_.\-]+/g, "");

/** Where the columns of training stand under a header: a list of places a channel; null where there is no header. */
function placesOf(header, known) {
  const places = new Map(header.map((name, place) => [plainName(name), place]));
  const wide = known.layout === "wide" ? known.values : [];
  const channels = known.channels.length > 1 ? known.channels.map((name) => [name]) : [];
  for (const names of [wide, channels]) {
    const flat = names.flat().filter((name) => name !== "");
    if (flat.length && flat.every((name) => places.has(plainName(name)))) {
      return { wide: names === wide, at: names.map((one) => one.map((name) => (name === "" ? -1 : places.get(plainName(name))))) };
    }
  }
  const named = header.some((name) => name.trim() !== "" && Number.isNaN(Number(name)) && !/^(nan|na|null|-)$/i.test(name.trim()));
  const wanted = (wide.length ? wide : channels).flat().filter((name) => name !== "");
  if (named && wanted.length && header.length > 1) {
    throw new Error(wanted.filter((name) => !places.has(plainName(name))).slice(0, 5).join(", "));
  }
  return null;
}

function seriesByName(rows, { wide, at }) {
  const cell = (row, place) => (place < 0 || place >= row.length ? null : row[place]);
  if (wide) return rows.map((row) => at.map((steps) => steps.map((place) => cell(row, place))));
  return [at.map(([place]) => rows.map((row) => cell(row, place)))];
}

/** Series of a pasted or opened table; columns are found by the names of training, where there are names. */
export function readSeries(text, nChannels, known = null) {
  const lines = text.replace(/\r/g, "").split("\n").filter((line) => line.trim() !== "");
  const separator = ["\t", ";", ","].find((mark) => lines.some((line) => line.includes(mark))) || /\s+/;
  const places = known && lines.length > 1 ? placesOf(lines[0].split(separator), known) : null;
  if (places) {
    const found = seriesByName(lines.slice(1).map((line) => readLine(line, separator)), places);
    return found.flat(2).some((value) => Number.isNaN(value)) ? null : found;
  }
  const rows = lines.map((line) => readLine(separator instanceof RegExp ? line.trim() : line, separator));
  const good = rows.filter((row, place) => place > 0 || rows.length === 1 || row.every((value) => !Number.isNaN(value)));
  if (good.flat().some((value) => Number.isNaN(value))) return null;
  const width = nChannels > 1 ? nChannels : 1;
  if (good.length > width && good.every((row) => row.length === width)) {
    return [Array.from({ length: width }, (_, channel) => good.map((row) => row[channel]))];
  }
  const series = [];
  for (let start = 0; start + width <= good.length; start += width) series.push(good.slice(start, start + width));
  return series;
}

function seriesInputs(text, name) {
  let found = null;
  try {
    found = readSeries(text, state.model.n_channels, state.model.input_columns || null);
  } catch (lacking) {
    fail({ status: -1, problem: t("columns_missing", { names: lacking.message }), hint: "" });
    return [];
  }
  if (found === null) {
    fail({ status: -1, problem: t("no_numbers"), hint: "" });
    return [];
  }
  return found.map((series, row) => ({ series, name: `${name || t("a_series")} ${row + 1}` }));
}

// The model

function showModel() {
  const model = state.model;
  at("ask").hidden = model === null;
  if (model === null) return;
  document.title = model.name;
  at("title").textContent = model.name;
  const some = model.classes.slice(0, 12);
  const names = some.join(", ") + (model.classes.length > some.length ? " …" : "");
  at("knows").textContent = model.task === "regression" ? t("knows_number", { names }) : t("knows", { names });
  for (const kind of ["image", "text", "series"]) at(`${kind}-input`).hidden = kind !== model.modality;
  const options = model.classes.map((name) => Object.assign(make("option"), { value: name }));
  let known = at("classes");
  if (!known) {
    known = Object.assign(make("datalist"), { id: "classes" });
    document.body.append(known);
  }
  known.replaceChildren(...(model.task === "regression" ? [] : options));
}

async function start() {
  try {
    state.models = await api.about();
    at("problem").hidden = true;
    at("token-form").hidden = true;
  } catch (error) {
    fail(error);
    return;
  }
  state.model = state.models[0];
  at("model").replaceChildren(...state.models.map((model) => make("option", "", model.name)));
  at("model-row").hidden = state.models.length < 2;
  showModel();
}

function listen() {
  at("language").addEventListener("change", (event) => {
    localStorage.setItem("headstart-language", event.target.value);
    speak(event.target.value);
  });
  at("model").addEventListener("change", (event) => {
    state.model = state.models[event.target.selectedIndex];
    at("answer-list").replaceChildren();
    showModel();
  });
  for (const id of ["camera", "pictures"]) {
    at(id).addEventListener("change", async (event) => {
      await ask(pictures(event.target.files));
      event.target.value = "";
    });
  }
  at("table").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (file) await ask(seriesInputs(await file.text(), file.name));
    event.target.value = "";
  });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (state.model.modality === "text") ask(texts(at("text").value));
    if (state.model.modality === "series") ask(seriesInputs(at("series").value, ""));
  });
  at("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    api.identify(at("token").value);
    at("token").value = "";
    start();
  });
  at("save").addEventListener("click", save);
  at("forget").addEventListener("click", () => {
    localStorage.removeItem(HISTORY);
    showHistory();
  });
}

state.messages = await (await fetch(new URL("messages.json", import.meta.url))).json();
for (const language of Object.keys(state.messages)) {
  const option = Object.assign(make("option", "", state.messages[language].name), { value: language, lang: language });
  at("language").append(option);
}
const wished = localStorage.getItem("headstart-language") || navigator.language.slice(0, 2);
at("language").value = wished in state.messages ? wished : "en";
speak(at("language").value);
listen();
await start();
