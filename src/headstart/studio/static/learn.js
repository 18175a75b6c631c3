// @ts-check
// The page Learn: what is shown follows the job and the files of its run, never this page.

import { get, post, stream } from "./api.js";
import { api, findElement, findField, formatTimeLeft, guard, LEARN_AT_ONCE, listElements, makeElement, projectId, setMeter, words } from "./dom.js";
import { renderTested } from "./tested.js";

/**
 * @typedef {{ value: string, meaning: string, ends: string, n: number }} Figure
 * @typedef {{ name: string, best: number, words: string, n_rows: number }} Way
 * @typedef {{ missing: object[], job: { id: number, state: string, command: string } | null, model: number | null,
 *   last: { state: string, problem: string, hint: string } | null, previous: number | null, command: string,
 *   curve: Way[], figure: Figure | null, right: import("./tested.js").Tested[],
 *   wrong: import("./tested.js").Tested[] }} State
 */

/** @type {Record<string, string>} What the steps of a run do, by their codes, in the language of the page. */
const STEPS = JSON.parse(findElement("steps").textContent || "{}");
const REFRESH_MILLISECONDS = 1500;
const SPACE = "http://www.w3.org/2000/svg";
/** @type {number | null} */ let followed = null;
let isDue = false;
let wasLearning = false;

/** @param {State} state */
function show(state) {
  const isLearning = state.job !== null;
  wasLearning ||= isLearning;
  findElement("before").hidden = isLearning || state.model !== null || state.last !== null;
  findElement("during").hidden = !findElement("before").hidden;
  findElement("progress").hidden = !isLearning;
  findElement("end").hidden = isLearning;
  findElement("command").textContent = state.job?.command || state.command || findElement("command").textContent;
  showFigure(state, isLearning);
  showCurve(state.curve);
  if (!isLearning) showEnd(state);
  if (state.job && followed !== state.job.id) follow(state.job);
}

/**
 * @param {State} state
 * @param {boolean} isLearning
 */
function showFigure(state, isLearning) {
  const { figure } = state;
  findElement("sides").hidden = !figure || state.right.length + state.wrong.length === 0;
  if (!figure) {
    findElement("figure-value").replaceChildren(...(isLearning ? [makeElement("span", "skeleton")] : []));
    return;
  }
  const value = isLearning ? words("so_far", { value: figure.value }) : figure.value;
  if (findElement("figure-value").textContent !== value) findElement("figure-value").textContent = value;
  findElement("figure-meaning").textContent = figure.meaning;
  const tested = words("tested", { n: figure.n });
  findElement("figure-ends").textContent = figure.ends ? `${figure.ends}; ${tested}` : tested;
  for (const side of /** @type {const} */ (["right", "wrong"])) {
    const tiles = state[side].map((item) => makeElement("li", "", renderTested({ ...item, outcome: side })));
    findElement(side).replaceChildren(...tiles);
    /** @type {HTMLElement} */ (findElement(side).closest("section")).hidden = !tiles.length;
  }
}

/** @param {Way[]} ways */
function showCurve(ways) {
  findElement("curve-card").hidden = ways.length < 2;
  findElement("ways").replaceChildren(...ways.map((way) => makeElement("li", "", words("way", { name: way.name, words: way.words }))));
  if (ways.length < 2) return;
  const best = ways.reduce((one, two) => (two.best > one.best ? two : one));
  findElement("curve-words").textContent = words("best", { best: best.words });
  const place = /** @type {(way: Way, at: number) => string} */ ((way, at) => `${(100 * at) / (ways.length - 1)} ${48 - 46 * way.best}`);
  const path = document.createElementNS(SPACE, "path");
  path.setAttribute("d", `M${ways.map(place).join("L")}`);
  findElement("curve").replaceChildren(path);
}

/** @param {State} state */
function showEnd(state) {
  const line = findElement("end-words");
  const isGood = !state.last;
  line.hidden = isGood && !wasLearning;
  line.className = `notice ${isGood ? "good" : state.last?.state === "cancelled" ? "" : "error"}`;
  if (isGood) line.textContent = words("done");
  else if (state.last?.state === "cancelled") line.textContent = words("stopped");
  else line.replaceChildren(makeElement("strong", "", state.last?.problem || words("failed_end")), " ", state.last?.hint ?? "");
  const link = /** @type {HTMLAnchorElement} */ (findElement("before-after"));
  link.hidden = state.model === null || state.previous === null || state.previous === state.model;
  link.href = `check/compare?old=${state.previous}&new=${state.model}`;
  for (const anchor of listElements("#end a.big")) anchor.hidden = state.model === null;
}

/** @param {{ id: number, state: string }} job */
function follow(job) {
  followed = job.id;
  findElement("step").textContent = words(job.state === "queued" ? "waiting" : "starting");
  stream(api(`jobs/${job.id}/events`), (event) => {
    if (event.event === "wait") findElement("step").textContent = words("waiting");
    if (event.event === "begin") findElement("step").textContent = words("starting");
    if (event.step && event.event === "step") findElement("step").textContent = STEPS[event.step] ?? event.words;
    if (["say", "warn"].includes(event.event) && event.words) findElement("log").append(`${event.words}\n`);
    if (typeof event.share === "number") {
      findElement("meter").classList.remove("busy");
      setMeter(findElement("meter"), event.share, findElement("step").textContent ?? "");
    }
    if (typeof event.seconds_left === "number") findElement("left").textContent = formatTimeLeft(event.seconds_left);
    refreshSoon();
  });
}

/** Ask how far it is, not more often than needed. */
function refreshSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(async () => {
    isDue = false;
    const state = await guard(() => get(api("learn")));
    if (state) show(state);
  }, REFRESH_MILLISECONDS);
}

/**
 * @param {HTMLElement} button
 * @param {Record<string, string>} options
 */
async function learn(button, options) {
  const answer = await guard(() => post(api("learn"), options), { busy: button });
  if (answer) show(await get(api("learn")));
}

for (const id of ["learn", "again"]) {
  const button = document.getElementById(id);
  button?.addEventListener("click", () => learn(button, {}));
}
const stop = findElement("stop");
stop.addEventListener("click", async () => {
  if (await guard(() => post(api("learn/stop")), { busy: stop })) findElement("step").textContent = words("stopping");
});
const options = /** @type {HTMLFormElement} */ (findElement("options"));
options.addEventListener("submit", (event) => {
  event.preventDefault();
  const values = Object.fromEntries(["base", "strategy", "time", "require"].map((name) => [name, findField(name).value]));
  learn(/** @type {HTMLElement} */ (options.querySelector("button")), values);
});
setInterval(() => findElement("progress").hidden || document.hidden || refreshSoon(), 4 * REFRESH_MILLISECONDS);
/** Begin where a button Learn led here; the address alone begins nothing. @param {State} state */
function beginWhereAsked(state) {
  const isAsked = sessionStorage.getItem(LEARN_AT_ONCE) === projectId();
  sessionStorage.removeItem(LEARN_AT_ONCE);
  if (isAsked && !state.job && !state.missing.length) void learn(findElement("learn"), {});
}

/** @type {State} */
const state = JSON.parse(findElement("state").textContent || "{}");
show(state);
beginWhereAsked(state);
