// The page: one input in, one answer out, in five languages. Where answers come from stands in api.js.

import { ask } from "./answers.js";
import * as api from "./api.js";
import { at, choice, field, make, showProblem } from "./dom.js";
import { forgetHistory, saveHistory, showHistory } from "./history.js";
import { currentLanguage, listLanguages, loadMessages, setLanguage, t } from "./i18n.js";
import { makeImageInputs, makeSeriesInputs, makeTextInputs } from "./inputs.js";

const LANGUAGE_KEY = "headstart-language";
const MAX_CLASSES_NAMED = 12;
/** @type {{models: api.Model[], model: api.Model | null}} */
const state = { models: [], model: null };

/** @param {string} language */
function speak(language) {
  setLanguage(language);
  document.documentElement.lang = currentLanguage();
  document.documentElement.dir = t("direction");
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-t]"))) {
    element.textContent = t(element.dataset.t ?? "");
  }
  at("place").textContent = t(api.place.key, api.place.values);
  showModel();
  showHistory();
}

function showModel() {
  const model = state.model;
  at("ask").hidden = model === null;
  if (model === null) return;
  document.title = model.name;
  at("title").textContent = model.name;
  const first = model.classes.slice(0, MAX_CLASSES_NAMED);
  const names = first.join(", ") + (model.classes.length > first.length ? " …" : "");
  at("knows").textContent = model.task === "regression" ? t("knows_number", { names }) : t("knows", { names });
  for (const kind of ["image", "text", "series"]) at(`${kind}-input`).hidden = kind !== model.modality;
  const options = model.classes.map((name) => Object.assign(make("option"), { value: name }));
  let known = document.getElementById("classes");
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
    showProblem(error);
    return;
  }
  state.model = state.models[0];
  at("model").replaceChildren(...state.models.map((model) => make("option", "", model.name)));
  at("model-row").hidden = state.models.length < 2;
  showModel();
}

/** @param {Event} event */
function submitTyped(event) {
  event.preventDefault();
  const { model } = state;
  if (model?.modality === "text") ask(model, makeTextInputs(field("text").value));
  if (model?.modality === "series") ask(model, makeSeriesInputs(model, field("series").value, ""));
}

/**
 * Ask for the files that were chosen in a field.
 * @param {string} id
 * @param {(model: api.Model, files: FileList) => Promise<api.Input[]> | api.Input[]} makeInputs
 */
function listenToFiles(id, makeInputs) {
  const input = field(id);
  input.addEventListener("change", async () => {
    if (state.model && input.files?.length) await ask(state.model, await makeInputs(state.model, input.files));
    input.value = "";
  });
}

function listen() {
  const languages = choice("language");
  languages.addEventListener("change", () => {
    localStorage.setItem(LANGUAGE_KEY, languages.value);
    speak(languages.value);
  });
  const models = choice("model");
  models.addEventListener("change", () => {
    state.model = state.models[models.selectedIndex];
    at("answer-list").replaceChildren();
    showModel();
  });
  listenToFiles("camera", (_, files) => makeImageInputs(files));
  listenToFiles("images", (_, files) => makeImageInputs(files));
  listenToFiles("table", async (model, [file]) => makeSeriesInputs(model, await file.text(), file.name));
  at("ask").addEventListener("submit", submitTyped);
  at("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    api.identify(field("token").value);
    field("token").value = "";
    start();
  });
  at("save").addEventListener("click", saveHistory);
  at("forget").addEventListener("click", forgetHistory);
}

await loadMessages();
for (const [code, name] of listLanguages()) {
  at("language").append(Object.assign(make("option", "", name), { value: code, lang: code }));
}
setLanguage(localStorage.getItem(LANGUAGE_KEY) || navigator.language.slice(0, 2));
choice("language").value = currentLanguage();
speak(currentLanguage());
listen();
await start();
