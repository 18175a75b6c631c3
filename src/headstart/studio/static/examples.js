// @ts-check
// The Examples screen: what comes in, what was understood of it, and what there is.

import { get, isOver, post, stream } from "./api.js";
import { api, findElement, findField, guard, listElements, setMeter, showError, words } from "./dom.js";
import { listDropped, sendSet, takePhotos } from "./intake.js";
import { Look } from "./look.js";
import { Overview } from "./overview.js";

/** @typedef {import("./api.js").NamedFile} NamedFile */
/** @typedef {import("./api.js").JobEvent} JobEvent */

const state = JSON.parse(findElement("state").textContent || "{}");
/** The first of the two bars of `headstart project add`; the second looks for copies and the like. */
const ADDING = "adding";
const SECTIONS = ["intake", "waiting", "look", "overview"];
/** @type {(() => void) | undefined} What the button Stop does. */
let stop;

const look = new Look({
  add: (corrections) => guard(() => addExamples(corrections), { busy: findElement("use-these") }),
  forget: () => guard(forgetLook, { busy: findElement("throw-away") }),
});
const overview = new Overview({
  addFiles: (kind) => chooseFiles(kind),
  takePhotos: (kind) => void shoot(kind),
});
/** The kind whose files are being chosen; "" for whatever comes. */
let chosenKind = "";

/**
 * Show some parts of the page and hide the others.
 * @param {...string} names
 */
function show(...names) {
  for (const name of SECTIONS) findElement(name).hidden = !names.includes(name);
}

/** Show what there is: something to look at first, else the examples, else where to begin. */
async function showState() {
  const answer = await get(api("look"));
  if (answer.view) {
    look.draw(answer);
    show("look");
    return;
  }
  const summary = await get(api("overview"));
  if (summary.job) followJob(summary.job);
  else await showOverview(summary);
}

/** @param {any} [known] The summary, where it came with the page. */
async function showOverview(known) {
  const summary = known ?? (await get(api("overview")));
  overview.draw(summary);
  const hasSome = summary.n_examples + summary.n_left_out + summary.kinds.length > 0;
  findElement("intake-lead").hidden = hasSome;
  findElement("add-more").hidden = !hasSome;
  findElement("drop").classList.toggle("small-drop", hasSome);
  findElement("choose-files").classList.toggle("big", !hasSome);
  findElement("choose-files").classList.toggle("second", hasSome);
  if (hasSome) show("overview", "intake");
  else show("intake");
}

/**
 * Show that something takes a while.
 * @param {string} text
 * @param {number | undefined} share 0 to 1; undefined where nobody knows.
 */
function wait(text, share) {
  show("waiting");
  findElement("waiting-words").textContent = text;
  const meter = findElement("waiting-meter");
  meter.classList.toggle("busy", share === undefined);
  if (share !== undefined) setMeter(meter, share, text);
}

/**
 * Send files, and show what was understood of them; files of a known kind are added at once.
 * @param {NamedFile[]} files
 * @param {string} [kind]
 */
async function sendFiles(files, kind = "") {
  if (!files.length) return;
  const { upload: number } = await post(api("uploads"));
  const aborting = new AbortController();
  stop = () => aborting.abort();
  wait(words("sending_one"), 0);
  try {
    const onProgress = (/** @type {number} */ share, /** @type {number} */ n) =>
      wait(files.length > 1 ? words("sending", { done: n, all: files.length }) : words("sending_one"), share);
    const { failed } = await sendSet(number, files, { onProgress, signal: aborting.signal });
    if (aborting.signal.aborted) throw { problem: words("cancelled") };
    stop = undefined;
    wait(words("looking"), undefined);
    const answer = await post(api(`uploads/${number}/finish`), { kind });
    if (failed.length) showFailed(failed);
    if (kind && !failed.length) await addExamples({ kind });
    else showLook(answer);
  } catch (error) {
    stop = undefined;
    await post(api(`uploads/${number}/cancel`)).catch(() => {});
    await showState();
    throw aborting.signal.aborted ? { problem: words("cancelled") } : error;
  }
}

/** @param {{ name: string }[]} failed */
function showFailed(failed) {
  const names = failed.slice(0, 5).map((item) => item.name).join(", ");
  showError({ problem: words("some_failed", { n: failed.length, names }) });
}

/** @param {any} answer */
function showLook(answer) {
  look.draw(answer);
  show("look");
  findElement("title").scrollIntoView({ block: "start" });
}

/** @param {object} corrections */
async function addExamples(corrections) {
  const { job } = await post(api("add"), corrections);
  followJob(job);
}

/** @param {number | string} job */
function followJob(job) {
  wait(words("adding"), undefined);
  stop = () => void guard(() => post(api(`jobs/${job}/cancel`)));
  stream(api(`jobs/${job}/events`), (event) => void guard(() => handleEvent(event)));
}

/** @param {JobEvent} event */
async function handleEvent(event) {
  if (event.event === "progress" && event.bar === ADDING) {
    wait(words("adding_of", { done: event.n, all: event.total }), event.share);
  } else if (event.event === "progress" || event.event === "step") {
    wait(words("comparing"), event.share);
  }
  if (isOver(event)) {
    stop = undefined;
    await showState();
    const { problem, hint } = /** @type {any} */ (event.facts ?? event);
    if (event.state === "failed") showError({ problem, hint });
  }
}

async function forgetLook() {
  await post(api("look/forget"));
  await showOverview();
}

/** @param {string} kind */
function chooseFiles(kind) {
  chosenKind = kind;
  findField("files").click();
}

/** @param {string} kind */
async function shoot(kind) {
  chosenKind = kind;
  const photos = await takePhotos(() => findField("capture").click());
  await guard(() => sendFiles(photos, kind));
}

for (const id of ["files", "folder", "capture"]) {
  findField(id).addEventListener("change", () => {
    const chosen = [...(findField(id).files ?? [])];
    const named = chosen.map((file) => ({ file, name: file.webkitRelativePath || file.name }));
    findField(id).value = "";
    void guard(() => sendFiles(named, chosenKind));
  });
}
findElement("choose-files").addEventListener("click", () => chooseFiles(""));
findElement("choose-folder").addEventListener("click", () => {
  chosenKind = "";
  findField("folder").click();
});
findElement("choose-folder").hidden = !("webkitdirectory" in HTMLInputElement.prototype);
findElement("take-photos").addEventListener("click", () => void shoot(""));
findElement("waiting-stop").addEventListener("click", () => stop?.());

const drop = findElement("drop");
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const dropped = listDropped(event.dataTransfer);
  if (!findElement("waiting").hidden) return;
  void guard(async () => sendFiles(await dropped));
});

/**
 * Let a form send what was typed, and show the answer.
 * @param {string} form
 * @param {string} field
 * @param {(value: string) => Promise<void>} send
 */
function connectForm(form, field, send) {
  findElement(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const [button] = listElements("button", findElement(form));
    void guard(async () => {
      await send(findField(field).value);
      findField(field).value = "";
    }, { busy: button });
  });
}

connectForm("paste-form", "paste", async (text) => showLook(await post(api("paste"), { text })));
if (document.getElementById("local-form")) {
  connectForm("local-form", "local-path", async (path) => showLook(await post(api("folder"), { path })));
}
connectForm("box-form", "box-name", async (name) => {
  await post(api("boxes"), { name });
  await showOverview();
});

if (state.overview.job) followJob(state.overview.job);
else if (state.is_pending) void guard(showState);
else void guard(() => showOverview(state.overview));
document.addEventListener("studio:examples-changed", () => void guard(showOverview));
