// @ts-check
// Many: what was dropped, how it was understood, the answers as a file, and those that are left to a person.

import { get, isOver, post, stream, upload } from "./api.js";
import { api, findElement, findField, guard, listElements, makeElement, projectId, setMeter, words } from "./dom.js";
import { acceptDrops, chosenModel, takeFiles } from "./use_state.js";

/** @typedef {{ n: number, name: string, is_photos: boolean, columns: Record<string, string>, counts: Record<string, number>, n_rows: number, n_to_person: number, n_reviewed: number, n_people: number, source: number | null, job: number | null, has_file: boolean }} Run */
/** @typedef {{ sheets: string[], sheet?: string, columns: string[] }} Choices */

const PARTS = /** @type {const} */ ([["label", "n_answered", "label"], ["not_sure", "n_to_you", "person"],
  ["none_of_these", "n_none", "none"], ["unusable", "n_unusable", "unusable"]]);
const PLACE = "\u{FFFC}";
/** @type {{ n: number, columns: Record<string, string> }} */
const current = { n: 0, columns: {} };

/** @param {string} text */
function setStatus(text) {
  findElement("many-status").textContent = text;
}

/** @param {import("./api.js").NamedFile[]} files */
async function take(files) {
  showLook(false);
  await guard(async () => {
    current.n = (await post(`${api("answers")}?model=${chosenModel()}`)).n;
    current.columns = {};
    const { failed } = await upload(api(`answers/${current.n}/files`), files, {
      onProgress: (_, done) => setStatus(words("sending", { done, all: files.length })),
    });
    if (failed.length) throw failed[0].problem;
    await look();
  }, { place: findElement("many-problem") });
  setStatus("");
}

async function look() {
  setStatus(words("looking"));
  const answer = await post(api(`answers/${current.n}/look`), { columns: current.columns });
  setStatus("");
  drawLook(answer);
}

/**
 * Show what was dropped, or where to drop it.
 * @param {boolean} isShown
 */
function showLook(isShown) {
  findElement("many-look").hidden = !isShown;
  findElement("many-drop").hidden = isShown;
  findElement("many-runs").hidden = isShown;
}

/** @param {any} answer */
function drawLook(answer) {
  showLook(true);
  findElement("many-title").textContent = answer.run.name;
  const problem = findElement("many-problem");
  problem.hidden = !answer.problem;
  if (answer.problem) {
    problem.className = "notice error";
    problem.setAttribute("role", "alert");
    problem.replaceChildren(makeElement("strong", "", answer.problem), makeElement("span", "", answer.hint));
  }
  findElement("many-columns").replaceChildren(...makeMenus(answer));
  const parts = answer.problem ? [] : [words("n_inputs", { n: answer.n })];
  if (answer.n_unreadable) parts.push(words("n_unreadable", { n: answer.n_unreadable }));
  findElement("many-understood").textContent = parts.join(" ");
  findElement("many-preview").replaceChildren(...(answer.rows ?? []).map(makePreviewRow));
  findField("many-start").disabled = Boolean(answer.problem);
  (answer.problem ? findElement("many-columns") : findElement("many-start")).scrollIntoView({ block: "nearest" });
}

/** @param {{ choices: Choices, columns?: Record<string, string>, run: Run }} answer */
function makeMenus({ choices, columns = {}, run }) {
  const menus = [];
  if (choices.sheets.length > 1) {
    menus.push(makeSentence("sheet_is", "sheet", choices.sheets, run.columns.sheet ?? choices.sheet ?? ""));
  }
  if (choices.columns.length > 1 && (columns.text || !Object.keys(columns).length)) {
    menus.push(makeSentence("text_is_in", "text", choices.columns, run.columns.text ?? columns.text ?? ""));
  }
  return menus.flatMap((menu) => [menu, " "]);
}

/**
 * Return a sentence with a menu in it.
 * @param {string} key
 * @param {string} option
 * @param {string[]} names
 * @param {string} chosen
 */
function makeSentence(key, option, names, chosen) {
  const menu = makeElement("select", "inline");
  menu.setAttribute("aria-label", words(key, { menu: "" }));
  const list = names.includes(chosen) ? names : ["", ...names];
  for (const name of list) {
    menu.append(Object.assign(makeElement("option", "", name || words("choose")), { value: name, selected: name === chosen }));
  }
  menu.addEventListener("change", () => {
    current.columns = option === "sheet" ? { sheet: menu.value } : { ...current.columns, [option]: menu.value };
    guard(look, { place: findElement("many-problem") });
  });
  const [before, after] = words(key, { menu: PLACE }).split(PLACE);
  return makeElement("span", "", before, menu, after ?? "");
}

/** @param {{ name: string, text: string, answer: import("./use_state.js").ShownAnswer }} row */
function makePreviewRow(row) {
  const item = makeElement("li", "use-preview");
  const input = makeElement("span", "", row.text || row.name.split("/").at(-1) || row.name);
  input.dir = "auto";
  item.append(input, makeElement("strong", row.answer.kind, makeElement("bdi", "", row.answer.headline)));
  return item;
}

async function start() {
  const started = await guard(() => post(api(`answers/${current.n}/start`)), {
    busy: findElement("many-start"), place: findElement("many-problem"),
  });
  if (!started) return;
  showLook(false);
  await showRuns();
}

async function showRuns() {
  const { runs } = await get(api("answers"));
  const shown = runs.filter((/** @type {Run} */ run) => run.has_file || run.job !== null);
  findElement("many-runs").replaceChildren(...shown.map(makeRun));
  enlargeFirst();
  const [choose] = listElements("#many-drop label[for=many-files]");
  choose.classList.toggle("big", !shown.length);
  choose.classList.toggle("second", shown.length > 0);
  for (const run of shown) {
    if (run.n_people > run.n_reviewed && run.job === null) await save(run);
  }
}

/**
 * Write the answers of people into the file of a run.
 * @param {Run} run
 */
async function save(run) {
  const saved = await guard(() => post(api(`answers/${run.n}/save`)), { place: findElement("many-problem") });
  if (saved) document.getElementById(`run-${run.n}`)?.replaceWith(makeRun(saved.run));
  enlargeFirst();
}

/** Make the button of the newest answers the big one. */
function enlargeFirst() {
  listElements("#many-runs a.button")[0]?.classList.add("big");
}

/** @param {Run} run */
function makeRun(run) {
  const card = makeElement("article", "card");
  card.id = `run-${run.n}`;
  card.append(makeElement("h2", "", makeElement("bdi", "", run.name)));
  if (run.job !== null) {
    card.append(...followRun(run.job));
    return card;
  }
  const counts = PARTS.filter(([kind]) => run.counts[kind]).map(([kind, key]) => words(key, { n: run.counts[kind] }));
  card.append(makeElement("p", "use-summary", words("summary", { all: run.n_rows, parts: counts.join(", ") })), makeShare(run));
  if (run.n_reviewed) card.append(makeElement("p", "", words("n_people", { n: run.n_reviewed })));
  const row = makeElement("div", "row");
  row.append(makeDownload(run, "download", "download"));
  if (run.is_photos) row.append(makeDownload(run, "sorted.zip", "download_sorted"));
  const left = run.n_to_person - run.n_people;
  if (left > 0) row.append(makeReview(run, left));
  card.append(row);
  if (!run.is_photos) card.append(makeElement("p", "quiet", words("same_workbook")));
  return card;
}

/** @param {Run} run */
function makeShare(run) {
  const bar = makeElement("div", "use-share");
  bar.setAttribute("aria-hidden", "true");
  for (const [kind, , name] of PARTS) {
    if (!run.counts[kind]) continue;
    const part = makeElement("span", name);
    part.style.setProperty("--n", String(run.counts[kind]));
    bar.append(part);
  }
  return bar;
}

/**
 * @param {Run} run
 * @param {string} path
 * @param {string} key
 */
function makeDownload(run, path, key) {
  const link = makeElement("a", key === "download" ? "button" : "button second", words(key));
  link.href = api(`answers/${run.n}/${path}`);
  link.download = "";
  return link;
}

/**
 * @param {Run} run
 * @param {number} left
 */
function makeReview(run, left) {
  const button = makeElement("button", "button second", words("review", { n: left }));
  button.type = "button";
  button.addEventListener("click", async () => {
    const answer = await guard(() => post(api(`answers/${run.n}/review`)), { busy: button, place: findElement("many-problem") });
    if (answer) location.href = `/p/${encodeURIComponent(projectId())}/label?source=${answer.source}`;
  });
  return button;
}

/**
 * Show how far a job is, and the runs once it ends.
 * @param {number} job
 */
function followRun(job) {
  const line = makeElement("p", "", words("starting"));
  line.setAttribute("role", "status");
  const meter = makeElement("span", "meter busy", makeElement("span"));
  followJob(job, { line, meter, done: showRuns, place: findElement("many-problem") });
  return [line, meter];
}

/**
 * Follow a job: a line in words, a meter, and what is to be done at the end.
 * @param {number} job
 * @param {{ line: HTMLElement, meter: HTMLElement, done: () => unknown, place: HTMLElement }} parts
 */
export function followJob(job, { line, meter, done, place }) {
  stream(api(`jobs/${job}/events`), (event) => {
    if (typeof event.share === "number") {
      meter.classList.remove("busy");
      setMeter(meter, event.share);
    }
    if (event.event === "progress" && event.total) line.textContent = words("n_of", { n: event.n, of: event.total });
    if (event.event === "error") {
      place.className = "notice error";
      place.replaceChildren(makeElement("strong", "", String(event.problem ?? words("failed_job"))), String(event.hint ?? ""));
      place.hidden = false;
    }
    if (isOver(event)) {
      line.textContent = event.state === "done" ? "" : words(event.state === "failed" ? "failed_job" : "cancelled_job");
      meter.hidden = true;
      done();
    }
  });
}

/** Make the part of the screen work. */
export function startMany() {
  acceptDrops(findElement("many-drop"), take);
  for (const id of ["many-files", "many-folder"]) {
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById(id));
    field?.addEventListener("change", () => {
      const files = takeFiles(field);
      if (files.length) take(files);
    });
  }
  findElement("many-start").addEventListener("click", start);
  findElement("many-forget").addEventListener("click", () => {
    showLook(false);
    findElement("many-problem").hidden = true;
  });
  guard(showRuns, { place: findElement("many-problem") });
}
