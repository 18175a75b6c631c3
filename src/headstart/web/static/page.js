// The page: one input in, one answer out, in five languages. api.js makes the answers.

import { showAnswers } from "./answers.js";
import * as api from "./api.js";
import { findElement, findField, findSelect, makeElement, showProblem } from "./dom.js";
import { deleteHistory, saveHistory, showHistory } from "./history.js";
import { getLanguage, listLanguages, loadMessages, setLanguage, t } from "./i18n.js";
import { makeFileSeriesInputs, makeFileTextInputs, makeImageInputs, makeSeriesInputs, makeTextInputs } from "./inputs.js";

const LANGUAGE_KEY = "headstart-language";
const MAX_CLASSES_NAMED = 12;
/** @type {{models: api.Model[], model: api.Model | null}} */
const state = { models: [], model: null };

/** @param {string} language */
function applyLanguage(language) {
  setLanguage(language);
  document.documentElement.lang = getLanguage();
  document.documentElement.dir = t("direction");
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-t]"))) {
    element.textContent = t(element.dataset.t ?? "");
  }
  findElement("place").textContent = t(api.place.key, api.place.values);
  showModel();
  showHistory();
}

function showModel() {
  const model = state.model;
  findElement("ask").hidden = model === null;
  if (model === null) return;
  document.title = model.name;
  findElement("title").textContent = model.name;
  const verdict = model.readiness?.verdicts?.[getLanguage()] ?? model.readiness?.verdict ?? "";
  findElement("verdict").textContent = verdict;
  findElement("verdict").hidden = verdict === "";
  const first = model.classes.slice(0, MAX_CLASSES_NAMED);
  const names = first.join(", ") + (model.classes.length > first.length ? " …" : "");
  findElement("knows").textContent = model.task === "regression" ? t("knows_number", { names }) : t("knows", { names });
  for (const kind of ["image", "text", "series"]) findElement(`${kind}-input`).hidden = kind !== model.modality;
  const options = model.classes.map((name) => Object.assign(makeElement("option"), { value: name }));
  let known = document.getElementById("classes");
  if (!known) {
    known = Object.assign(makeElement("datalist"), { id: "classes" });
    document.body.append(known);
  }
  known.replaceChildren(...(model.task === "regression" ? [] : options));
}

/** Show how many inputs are kept to be taken home, where this page keeps any. */
async function showCollected() {
  const n = await api.countCollected();
  findElement("take-home").hidden = n === 0;
  findElement("take-home-n").textContent = String(n);
}

async function loadModels() {
  try {
    state.models = await api.listModels();
    findElement("problem").hidden = true;
    findElement("token-form").hidden = true;
  } catch (error) {
    showProblem(error);
    return;
  }
  state.model = state.models[0];
  findElement("model").replaceChildren(...state.models.map((model) => makeElement("option", "", model.name)));
  findElement("model-row").hidden = state.models.length < 2;
  showModel();
}

/** @param {Event} event */
function submitTyped(event) {
  event.preventDefault();
  const { model } = state;
  if (model?.modality === "text") showAnswers(model, makeTextInputs(findField("text").value));
  if (model?.modality === "series") showAnswers(model, makeSeriesInputs(model, findField("series").value));
}

/**
 * Ask for the files that were chosen in a field.
 * @param {string} id
 * @param {(model: api.Model, files: FileList) => Promise<api.Input[]> | api.Input[]} makeInputs
 */
function addFileListener(id, makeInputs) {
  const input = findField(id);
  input.addEventListener("change", async () => {
    findElement("problem").hidden = true;
    try {
      if (state.model && input.files?.length) await showAnswers(state.model, await makeInputs(state.model, input.files));
    } catch (error) {
      showProblem({ status: -1, problem: error instanceof Error ? error.message : String(error), hint: "" });
    }
    input.value = "";
  });
}

function addListeners() {
  const languages = findSelect("language");
  languages.addEventListener("change", () => {
    localStorage.setItem(LANGUAGE_KEY, languages.value);
    applyLanguage(languages.value);
  });
  const models = findSelect("model");
  models.addEventListener("change", () => {
    state.model = state.models[models.selectedIndex];
    findElement("answer-list").replaceChildren();
    showModel();
  });
  addFileListener("camera", (_, files) => makeImageInputs(files));
  addFileListener("images", (_, files) => makeImageInputs(files));
  addFileListener("table", (model, [file]) => makeFileSeriesInputs(model, file));
  addFileListener("texts", (model, [file]) => makeFileTextInputs(model, file));
  findElement("ask").addEventListener("submit", submitTyped);
  findElement("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    api.setToken(findField("token").value);
    findField("token").value = "";
    loadModels();
  });
  findElement("take-home-button").addEventListener("click", () => api.saveCollected());
  addEventListener("headstart-collected", showCollected);
  findElement("save").addEventListener("click", saveHistory);
  findElement("forget").addEventListener("click", deleteHistory);
}

await loadMessages();
for (const [code, name] of listLanguages()) {
  findElement("language").append(Object.assign(makeElement("option", "", name), { value: code, lang: code }));
}
setLanguage(localStorage.getItem(LANGUAGE_KEY) || navigator.language.slice(0, 2));
findSelect("language").value = getLanguage();
applyLanguage(getLanguage());
addListeners();
await loadModels();
await showCollected();
