// @ts-check
// The Label screen: keys, buttons and views around one queue of answers.

import { get, post, stream } from "./api.js";
import { api, findElement, guard, listElements, makeElement, setMeter, showError, words } from "./dom.js";
import { AnswerPanel } from "./label_answers.js";
import { CohortView, ManyView } from "./label_many.js";
import { drawBars, PeopleView } from "./label_people.js";
import { LabelQueue } from "./label_queue.js";
import { Stage } from "./label_stage.js";

/**
 * @typedef {import("./label_stage.js").Mode} Mode
 * @typedef {import("./label_stage.js").LabelExample} LabelExample
 *
 * @typedef {object} ScreenState What the server knows of a project while it is labelled.
 * @property {import("./label_answers.js").Kind[]} kinds
 * @property {import("./label_answers.js").Form} form
 * @property {number} n_labelled
 * @property {number} n_examples
 * @property {string} counter
 * @property {string} advice
 * @property {boolean} can_learn
 * @property {boolean} has_guesses
 * @property {number} round
 * @property {boolean} is_learning
 * @property {string} round_words
 * @property {import("./label_people.js").Bar[]} shares
 * @property {string} shares_words
 * @property {{job: number | null, words: string, share: number | null}} vectors
 */

const WHO_KEY = "headstart-who";
const SECONDS_BETWEEN_STATES = 2;

let who = readWho();
let round = -1;
let view = "one";
/** @type {ScreenState | null} */
let state = null;
let followedJob = 0;
let timer = 0;

const queue = new LabelQueue(handleOutcome, showSaving);
const panel = new AnswerPanel(findElement("answers"), (labels) => handleLabels(labels));
const stage = new Stage(queue, panel, () => who);
/** Groups and settled differences: sent like single answers, and taken back in their order. */
const store = {
  /** @param {import("./label_queue.js").Operation} operation */
  add(operation) {
    queue.add(operation);
    stage.noteStep(operation);
  },
  back: () => stage.back(),
};
const many = new ManyView(store, () => who);
const cohorts = new CohortView(store, () => who);
const people = new PeopleView(store, () => who);

function readWho() {
  try {
    return localStorage.getItem(WHO_KEY) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} name */
function storeWho(name) {
  who = name;
  findElement("who-name").textContent = name;
  try {
    localStorage.setItem(WHO_KEY, name);
  } catch {
    // Asked again next time.
  }
}

/** @param {string[]} labels */
function handleLabels(labels) {
  stage.answer(labels.length ? "label" : "none", labels);
}

/**
 * @param {import("./label_queue.js").Outcome} outcome
 * @param {import("./label_queue.js").Operation} operation
 */
function handleOutcome(outcome, operation) {
  if (outcome.problem) showError({ problem: outcome.problem, hint: outcome.hint ?? "" });
  if (view === "one") void stage.confirm(outcome, operation);
  if (view === "many" && operation.action === "undo") many.putBack(outcome.examples);
  if (view === "people") void people.load();
  if (view === "cohorts" && operation.action === "undo") void cohorts.load();
  readStateSoon();
}

/**
 * @param {number} waiting
 * @param {unknown} error
 */
function showSaving(waiting, error) {
  const line = findElement("saving");
  line.classList.toggle("is-waiting", error !== null);
  line.setAttribute("aria-live", error === null ? "off" : "polite"); // "Saved" after every key would be tiresome.
  if (error !== null) line.textContent = words("saving-later", { n: waiting });
  else line.textContent = waiting ? words("saving") : words("saved");
}

function readStateSoon() {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void readState(), 250);
}

async function readState() {
  window.clearTimeout(timer);
  try {
    showState(await get(api(`label/state?who=${encodeURIComponent(who)}`)));
  } catch (error) {
    if (!state) showError(error); // Later ones show in the line about saving.
  }
  const isBusy = state === null || state.is_learning || state.vectors.job !== null;
  if (isBusy) timer = window.setTimeout(() => void readState(), 1000 * SECONDS_BETWEEN_STATES);
}

/** @param {ScreenState} next */
function showState(next) {
  const isFirst = state === null;
  const before = JSON.stringify([state?.kinds.map(({ name }) => name), state?.form]);
  state = next;
  findElement("counter").textContent = next.counter;
  findElement("advice").textContent = next.advice;
  findElement("round").textContent = next.round_words;
  setMeter(findElement("meter"), next.n_labelled / Math.max(1, next.n_examples), next.counter);
  findElement("learn").hidden = !next.can_learn;
  findElement("shares").hidden = next.shares.length === 0;
  findElement("shares-words").textContent = next.shares_words;
  findElement("share-bars").replaceChildren(...drawBars(next.shares));
  findElement("mode-review").hidden = findElement("view-cohorts").hidden = !next.has_guesses;
  if (isFirst || before !== JSON.stringify([next.kinds.map(({ name }) => name), next.form])) {
    many.update(next.form !== "number" ? next.kinds.map(({ name }) => name) : []);
  }
  panel.update(next.kinds, next.form);
  findElement("no-kinds").hidden = next.kinds.length > 0 || next.form === "number";
  showVectors(next.vectors);
  if (round >= 0 && next.round > round) {
    stage.refresh();
    if (view === "cohorts" && cohorts.isEmpty) void cohorts.load(); // Else somebody is at work on them.
  }
  round = next.round;
}

/** @param {ScreenState["vectors"]} vectors */
function showVectors(vectors) {
  const box = findElement("vectors");
  box.hidden = !vectors.words;
  findElement("vectors-words").textContent = vectors.words;
  const bar = findElement("vectors-bar");
  bar.hidden = vectors.job === null;
  bar.classList.toggle("busy", vectors.share === null);
  if (vectors.share !== null) setMeter(bar, vectors.share, vectors.words);
  if (vectors.job === null || vectors.job === followedJob) return;
  followedJob = vectors.job;
  stream(api(`jobs/${vectors.job}/events`), (event) => {
    bar.classList.toggle("busy", typeof event.share !== "number");
    if (typeof event.share === "number") setMeter(bar, event.share, vectors.words);
    if (event.event === "end" || event.event === "error" || event.event === "job") readStateSoon();
  });
}

/** @param {string} name */
function showView(name) {
  view = name;
  for (const part of ["one", "many", "cohorts", "people"]) {
    findElement(`part-${part}`).hidden = part !== name;
    findElement(`view-${part}`).setAttribute("aria-selected", String(part === name));
    findElement(`view-${part}`).tabIndex = part === name ? 0 : -1;
  }
  /** @type {Record<string, () => Promise<void>>} */
  const load = {
    one: async () => {},
    many: () => many.showAll(),
    cohorts: () => cohorts.load(),
    people: () => people.load(),
  };
  void load[name]();
}

/** @param {Mode} mode */
function showMode(mode) {
  for (const button of document.querySelectorAll("button[data-mode]")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.mode === mode));
  }
  findElement("mode-words").textContent = words(`mode-${mode}`);
  document.body.dataset.mode = mode;
  findElement("last-guess").hidden = true;
  void stage.begin(mode).then(readStateSoon); // Asking for examples may have begun a round, or the job before it.
}

/** @param {Mode} mode */
async function chooseMode(mode) {
  if (mode === "second" && !people.canBeSecond) await askWho(); // Whoever labelled them cannot be the second person.
  showMode(mode);
  showView("one");
}

/** Ask for a text in a small dialog; null if the person thinks better of it.
 * @param {string} title
 * @param {string} value
 * @returns {Promise<string | null>}
 */
function askText(title, value) {
  const dialog = /** @type {HTMLDialogElement} */ (findElement("ask"));
  const field = /** @type {HTMLInputElement} */ (findElement("ask-field"));
  findElement("ask-title").textContent = title;
  field.value = value;
  dialog.returnValue = "";
  dialog.showModal();
  field.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? field.value.trim() : null), { once: true });
  });
}

async function addKind() {
  const name = await askText(words("name-of-new-kind"), "");
  if (name) await changeKinds({ add: name });
  findElement("new-kind").focus();
}

/** @param {Record<string, string>} change */
async function changeKinds(change) {
  await guard(() => post(api("label/kinds"), { who, ...change }));
  await readState();
}

/** Rename: choose which kind, write its new name. */
function drawRenaming() {
  const list = findElement("rename-list");
  const rows = (state?.kinds ?? []).map(({ name }) => {
    const button = makeElement("button", "button second", name);
    button.type = "button";
    button.dir = "auto";
    button.addEventListener("click", async () => {
      /** @type {HTMLDialogElement} */ (findElement("rename")).close();
      const next = await askText(words("new-name-of", { kind: name }), name);
      if (!next || next === name) return;
      await changeKinds({ rename: name, to: next });
      stage.noteStep(null);
    });
    return button;
  });
  list.replaceChildren(...rows);
  /** @type {HTMLDialogElement} */ (findElement("rename")).showModal();
}

/** @param {"yes" | "no" | "else"} reply To "Is this ...?" */
function review(reply) {
  const guess = stage.current?.guess;
  if (!guess) return;
  if (reply === "yes") stage.answer("label", [guess.label]);
  if (reply === "else") stage.answer("none");
  if (reply !== "no") return;
  const others = panel.kinds.filter(({ name }) => name !== guess.label);
  if (others.length === 1) {
    stage.answer("label", [others[0].name]);
    return;
  }
  panel.refused.add(guess.label);
  panel.draw();
  document.body.dataset.refused = "true";
  findElement("announcement").textContent = words("which-then");
  findElement("review-words").textContent = words("which-then");
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  "not-sure": () => stage.answer("not_sure"),
  none: () => stage.answer("none"),
  skip: () => stage.answer("skip"),
  back: () => stage.back(),
  redo: () => stage.redo(),
  "zoom-in": () => stage.viewer.zoomIn(),
  "zoom-out": () => stage.viewer.zoomOut(),
  "zoom-reset": () => stage.viewer.reset(),
  yes: () => review("yes"),
  no: () => review("no"),
  "something-else": () => review("else"),
  "new-kind": () => void addKind(),
  "rename-kind": drawRenaming,
  "change-who": () => void askWho().then(() => showMode(stage.mode)),
};

/** @type {Record<string, string>} Keys while one example is on the screen. */
const KEYS = {
  n: "not-sure", 0: "none", s: "skip", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", Backspace: "back",
}; // prettier-ignore
/** @type {Record<string, string>} */
const REVIEW_KEYS = { 1: "yes", y: "yes", 2: "no", 3: "something-else" };

/** @param {KeyboardEvent} event */
function handleKey(event) {
  if (document.querySelector("dialog[open]") || event.altKey) return;
  const letter = event.key.toLowerCase();
  const inText = isTextField(event.target);
  if (event.ctrlKey || event.metaKey) {
    const isRedo = letter === "y" || (letter === "z" && event.shiftKey);
    if (inText || (letter !== "z" && letter !== "y")) return;
    event.preventDefault();
    ACTIONS[isRedo ? "redo" : "back"]();
    return;
  }
  if (view !== "one") {
    if (event.key === "Backspace" && !inText) ACTIONS.back();
    return;
  }
  const inNumber = event.target === panel.number;
  if (inText && !(inNumber && (letter === "n" || letter === "s"))) return;
  if (handleAnswerKey(event.key, letter)) event.preventDefault();
}

/**
 * @param {string} key
 * @param {string} letter
 * @returns {boolean} Whether it was one.
 */
function handleAnswerKey(key, letter) {
  const isQuestion = Boolean(stage.current?.guess) && document.body.dataset.refused !== "true";
  const action = (isQuestion && REVIEW_KEYS[letter]) || KEYS[letter] || KEYS[key];
  if (action) ACTIONS[action]();
  else if (isQuestion) return false;
  else if (/^[1-9]$/.test(key)) panel.chooseByKey(Number(key));
  else if (key === "Enter" && panel.form === "several" && !isButton(document.activeElement)) panel.finish();
  else if (key === "PageDown" || key === "PageUp") panel.turnPage(key === "PageDown" ? 1 : -1);
  else if (key === "/" && !panel.pager.hidden) panel.filter.focus();
  else return false;
  return true;
}

/** @param {EventTarget | null} target */
function isTextField(target) {
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && target.type !== "range";
}

/** @param {Element | null} element */
function isButton(element) {
  return element instanceof HTMLButtonElement && !element.classList.contains("kind-button");
}

async function askWho() {
  const name = await askText(words("your-name"), who);
  if (name) storeWho(name);
  if (!who) storeWho(words("someone"));
  await readState();
}

/** @param {CustomEvent<LabelExample | null>} event */
function handleShown(event) {
  document.body.dataset.refused = "false";
  const guess = event.detail?.guess;
  if (guess) findElement("review-words").textContent = words("is-this", { kind: guess.label });
}

/** @param {CustomEvent<{outcome: import("./label_queue.js").Outcome, operation: import("./label_queue.js").Operation}>} event */
function handleGuess(event) {
  const { outcome, operation } = event.detail;
  const line = findElement("last-guess");
  const mine = (operation.labels ?? []).join(", ");
  const same = outcome.guess?.label === mine;
  findElement("last-guess-words").textContent = words(same ? "guess-same" : "guess-other", {
    mine, guess: outcome.guess?.label ?? "",
  }); // prettier-ignore
  line.classList.toggle("is-other", !same);
  line.hidden = false;
}

/**
 * The arrow keys move between the ways to label, as they point.
 * @param {KeyboardEvent} event
 */
function handleTabKey(event) {
  const onward = document.documentElement.dir === "rtl" ? -1 : 1;
  /** @type {Record<string, number>} */
  const steps = { ArrowRight: onward, ArrowLeft: -onward };
  const step = steps[event.key];
  if (!step) return;
  const tabs = listElements("[role=tab]").filter((tab) => !tab.hidden);
  const at = tabs.findIndex((tab) => tab === document.activeElement);
  const next = tabs[(at + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
  event.preventDefault();
}

function listen() {
  document.querySelector("[role=tablist]")?.addEventListener("keydown", (event) =>
    handleTabKey(/** @type {KeyboardEvent} */ (event)),
  );
  document.addEventListener("keydown", handleKey);
  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-action]");
    if (button instanceof HTMLElement) ACTIONS[button.dataset.action ?? ""]?.();
    const tab = /** @type {HTMLElement} */ (event.target).closest("[data-view]");
    const mode = /** @type {HTMLElement} */ (event.target).closest("button[data-mode]");
    if (tab instanceof HTMLElement && !mode) showView(tab.dataset.view ?? "one");
    if (mode instanceof HTMLElement) void chooseMode(/** @type {Mode} */ (mode.dataset.mode));
  });
  document.addEventListener("label-shown", (event) => handleShown(/** @type {CustomEvent} */ (event)));
  document.addEventListener("label-guess", (event) => handleGuess(/** @type {CustomEvent} */ (event)));
  document.addEventListener("label-swipe", (event) => {
    const isLeft = /** @type {CustomEvent} */ (event).detail === "left";
    if (stage.current?.guess) review(isLeft ? "no" : "yes");
    else ACTIONS[isLeft ? "skip" : "back"]();
  });
}

async function begin() {
  listen();
  queue.resume();
  if (who) storeWho(who);
  else await askWho();
  await readState();
  showMode("useful");
  document.body.dataset.ready = "true";
}

void begin();
