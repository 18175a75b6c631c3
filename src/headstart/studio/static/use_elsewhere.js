// @ts-check
// On phones and elsewhere: a code for the phone, a page without network, files and addresses for others.

import { get, post, upload } from "./api.js";
import { api, findElement, formatNumber, guard, listElements, showError, words } from "./dom.js";
import { chosenModel, takeFiles } from "./use_state.js";
import { followJob } from "./use_many.js";

const POLL_MILLISECONDS = 1000;
const MEGABYTE = 1e6;
let isListening = false;

/** @param {number} bytes */
function formatSize(bytes) {
  return words("megabytes", { n: formatNumber(bytes / MEGABYTE, { maximumFractionDigits: bytes < MEGABYTE ? 1 : 0 }) });
}

/** @param {{ running: boolean, ready?: boolean, address?: string, command?: string }} server */
function drawPhone(server) {
  findElement("phone-start").hidden = server.running;
  findElement("phone-code").hidden = !server.running;
  findElement("phone-status").textContent = words(server.ready ? "phone_open" : "phone_opening");
  if (!server.running) return;
  const link = /** @type {HTMLAnchorElement} */ (findElement("phone-address"));
  link.href = server.address ?? "";
  link.textContent = server.address ?? "";
  const image = /** @type {HTMLImageElement} */ (findElement("phone-image"));
  const source = `${api("phones/code.svg")}?at=${encodeURIComponent((server.address ?? "").slice(-8))}`;
  if (!image.src.endsWith(source)) image.src = source;
  if (server.command) {
    findElement("phone-command").textContent = server.command;
    findElement("phone-command").hidden = false;
  }
  if (!server.ready) setTimeout(refreshPhone, POLL_MILLISECONDS);
}

async function refreshPhone() {
  const answer = await guard(() => get(api("phones")), { place: findElement("phone-problem") });
  if (!answer) return;
  drawPhone(answer);
  if (answer.problem) showError({ problem: words("failed_job"), hint: answer.problem }, { place: findElement("phone-problem") });
  drawPage(answer.page);
}

/** @param {{ n_bytes: number } | null} page */
function drawPage(page) {
  findElement("page-done").hidden = !page;
  if (!page) return;
  findElement("page-size").textContent = words("page_ready", { size: formatSize(page.n_bytes) });
  /** @type {HTMLAnchorElement} */ (findElement("page-download")).href = api("phones/page.zip");
}

async function makePage() {
  const place = findElement("page-problem");
  const button = findElement("page-make");
  const started = await guard(() => post(api("phones/page"), { model: chosenModel() }), { busy: button, place });
  if (!started) return;
  findElement("page-progress").hidden = false;
  findElement("page-command").textContent = started.command;
  findElement("page-command").hidden = false;
  followJob(started.job, { line: findElement("page-words"), meter: findElement("page-meter"), place, done: refreshPhone });
}

async function drawElsewhere() {
  const place = findElement("elsewhere-problem");
  const about = await guard(() => get(`${api("elsewhere")}?model=${chosenModel()}`), { place });
  if (!about) return;
  const checked = about.n_checked ? words("checked_on", { n: about.n_checked }) : "";
  findElement("else-size").textContent = [formatSize(about.n_bytes), checked].filter(Boolean).join(". ");
  findElement("else-checked").textContent = checked;
  findElement("else-script-card").hidden = !about.has_script;
  /** @type {HTMLAnchorElement} */ (findElement("else-bundle")).href = `${api("elsewhere/bundle.zip")}?model=${chosenModel()}`;
  for (const name of ["script", "serve", "head", "curl", "python"]) findElement(`else-${name}`).textContent = about[name];
}

/** @param {HTMLButtonElement} button */
async function copy(button) {
  await navigator.clipboard?.writeText(findElement(button.dataset.copy ?? "").textContent ?? "");
  const before = button.textContent;
  button.textContent = words("copied");
  setTimeout(() => { button.textContent = before; }, 1500);
}

function listen() {
  isListening = true;
  findElement("phone-start").addEventListener("click", async () => {
    const place = findElement("phone-problem");
    const body = { model: chosenModel() };
    const server = await guard(() => post(api("phones/start"), body), { busy: findElement("phone-start"), place });
    if (server) drawPhone(server);
  });
  findElement("phone-stop").addEventListener("click", async () => {
    const server = await guard(() => post(api("phones/stop")), { place: findElement("phone-problem") });
    if (server) drawPhone(server);
  });
  findElement("page-make").addEventListener("click", makePage);
  for (const button of /** @type {HTMLButtonElement[]} */ (listElements("[data-copy]"))) {
    button.addEventListener("click", () => copy(button));
  }
  const collected = /** @type {HTMLInputElement} */ (findElement("collected"));
  collected.addEventListener("change", async () => {
    const files = takeFiles(collected);
    const answer = await guard(async () => {
      const { answers, failed } = await upload(api("phones/collected"), files);
      if (failed.length) throw failed[0].problem;
      return answers[0];
    }, { place: findElement("collected-problem") });
    if (answer) findElement("collected-status").textContent = answer.words;
  });
}

/** Make these parts of the screen work, and show the model that is chosen. */
export function startElsewhere() {
  if (!isListening) listen();
  refreshPhone();
  drawElsewhere();
}
