// @ts-check
// Use: the tabs of the screen, and one example at a time.

import { post, upload } from "./api.js";
import { api, findElement, findField, guard, listElements, makeElement, words, setMeter } from "./dom.js";
import { takePhotos } from "./intake.js";
import { startElsewhere } from "./use_elsewhere.js";
import { startLater } from "./use_later.js";
import { startMany } from "./use_many.js";
import { acceptDrops, state, takeFiles } from "./use_state.js";

const WHO_KEY = "headstart-who";
/** @param {string} name */
function showTab(name) {
  for (const tab of listElements("[role=tab]")) {
    const isShown = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
    findElement(tab.getAttribute("aria-controls") ?? "").hidden = !isShown;
  }
  history.replaceState(null, "", `#${name}`);
}

function addTabs() {
  const tabs = listElements("[role=tab]");
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => showTab(tab.id.slice("tab-".length)));
    tab.addEventListener("keydown", (event) => {
      const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
      const back = document.documentElement.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
      const step = event.key === forward ? 1 : event.key === back ? -1 : 0;
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      next.click();
      next.focus();
    });
  }
  const named = location.hash.slice(1);
  if (tabs.some((tab) => tab.id === `tab-${named}`)) showTab(named);
}

/** @typedef {import("./use_state.js").ShownAnswer} ShownAnswer */

/**
 * Ask for one answer and show it.
 * @param {() => Promise<ShownAnswer>} ask
 * @param {{ picture?: string, text?: string }} input
 */
async function answerOne(ask, input) {
  findElement("one-status").textContent = words("asking");
  const answer = await guard(ask, { place: findElement("one-problem") });
  findElement("one-status").textContent = "";
  findElement("one-answer").replaceChildren(...(answer ? [makeAnswer(answer, input)] : []));
}

/**
 * @param {ShownAnswer} answer
 * @param {{ picture?: string, text?: string }} input
 */
function makeAnswer(answer, input) {
  const card = makeElement("article", `card answer ${answer.kind}`);
  card.append(makeInput(input));
  const part = makeElement("div", "stack");
  const word = makeElement("p", "answer-word");
  word.append(makeElement("bdi", "", answer.headline));
  part.append(word);
  if (answer.mark) part.append(makeElement("span", "chip", answer.mark));
  if (answer.reason) part.append(makeElement("p", "", answer.reason));
  if (answer.kind !== "label" && answer.guess) part.append(makeElement("p", "quiet", words("best_guess", { name: answer.guess })));
  if (answer.kind === "label" && answer.second) part.append(makeElement("p", "quiet", words("second_guess", { name: answer.second.label })));
  if (answer.guesses.length > 1) part.append(makeGuesses(answer.guesses));
  if (answer.kind === "unusable" && state.modality === "image") part.append(makeAgain());
  if (answer.can_correct && state.kinds.length) part.append(makeCorrection(answer));
  card.append(part);
  return card;
}

/** @param {{ picture?: string, text?: string }} input */
function makeInput(input) {
  const box = makeElement("div", "answer-input");
  if (input.picture) box.append(Object.assign(makeElement("img"), { src: input.picture, alt: "" }));
  if (input.text) box.append(Object.assign(makeElement("p", "", input.text.slice(0, 300)), { dir: "auto" }));
  return box;
}

/** @param {{ label: string, share: number }[]} guesses */
function makeGuesses(guesses) {
  const details = makeElement("details");
  const list = makeElement("ul", "bars");
  for (const { label, share } of guesses) {
    const meter = makeElement("span", "meter");
    const text = words("n_of", { n: Math.round(100 * share), of: 100 });
    setMeter(meter, share, text);
    meter.setAttribute("aria-label", label);
    list.append(makeElement("li", "", makeElement("bdi", "", label), meter, makeElement("span", "", text)));
  }
  details.append(makeElement("summary", "", words("how_sure")), list);
  return details;
}

function makeAgain() {
  const button = makeElement("button", "button big", words("again"));
  button.type = "button";
  button.addEventListener("click", () => findElement("one-camera").click());
  return button;
}

/** @param {ShownAnswer} answer */
function makeCorrection(answer) {
  const details = makeElement("details");
  const kinds = makeElement("fieldset", "answer-kinds");
  kinds.append(makeElement("legend", "", words("right_kind")));
  const name = makeElement("input");
  Object.assign(name, { autocomplete: "name", maxLength: 100, value: localStorage.getItem(WHO_KEY) ?? "" });
  const named = makeElement("label", "", words("your_name"));
  named.append(name);
  const done = makeElement("p", "");
  done.setAttribute("role", "status");
  const problem = makeElement("div");
  problem.hidden = true;
  for (const kind of state.kinds) {
    const button = makeElement("button", "button second", kind);
    button.type = "button";
    button.addEventListener("click", async () => {
      localStorage.setItem(WHO_KEY, name.value.trim());
      const body = { key: answer.key, label: kind, who: name.value.trim() };
      const stored = await guard(() => post(api("use/correct"), body), { busy: button, place: problem });
      if (stored) done.textContent = words("kept", { name: kind });
    });
    kinds.append(button);
  }
  details.append(makeElement("summary", "", words("wrong")), kinds, named, done, problem);
  return details;
}

/** @param {import("./api.js").NamedFile} file */
async function answerFile({ file, name }) {
  const picture = state.modality === "image" ? URL.createObjectURL(file) : undefined;
  await answerOne(async () => {
    const { answers, failed } = await upload(`${api("use/file")}?model=${state.chosen}`, [{ file, name }]);
    if (failed.length) throw failed[0].problem;
    return answers[0];
  }, { picture, text: picture ? "" : name });
}

function addOne() {
  const file = /** @type {HTMLInputElement | null} */ (document.getElementById("one-file"));
  file?.addEventListener("change", () => takeFiles(file).slice(0, 1).forEach(answerFile));
  const drop = document.getElementById("one-drop");
  if (drop) acceptDrops(drop, (files) => answerFile(files[0]));
  document.getElementById("one-camera")?.addEventListener("click", async () => {
    const photo = (await takePhotos(() => file?.click())).at(-1);
    if (photo) await answerFile(photo);
  });
  document.getElementById("one-form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = findField("one-text").value;
    answerOne(() => post(api("use/typed"), { text, model: state.chosen }), { text: state.modality === "text" ? text : "" });
  });
}

function addModels() {
  const menu = /** @type {HTMLSelectElement | null} */ (document.getElementById("model"));
  menu?.addEventListener("change", () => {
    state.chosen = Number(menu.value);
    const model = state.models.find(({ n }) => n === state.chosen);
    if (!model) return;
    const level = makeElement("span", `level ${model.level}`, model.level_name);
    findElement("verdict").replaceChildren(level, " ", makeElement("span", "quiet", model.verdict));
    findElement("one-answer").replaceChildren();
    const card = /** @type {HTMLAnchorElement} */ (findElement("field-card"));
    card.href = card.href.replace(/model=\d+/, `model=${state.chosen}`);
    warm();
    startElsewhere();
  });
}

async function warm() {
  const late = setTimeout(() => { findElement("one-status").textContent = words("waking"); }, 800);
  await guard(() => post(`${api("use/warm")}?model=${state.chosen}`), { place: findElement("one-problem") });
  clearTimeout(late);
  if (findElement("one-status").textContent === words("waking")) findElement("one-status").textContent = "";
}

addTabs();
addModels();
addOne();
startMany();
startElsewhere();
startLater();
warm();
document.body.dataset.ready = "use";
