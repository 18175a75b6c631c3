// @ts-check
// The page Check: slider, wall, map, and labels that were wrong.

import { get, isOver, post, stream } from "./api.js";
import { api, findElement, findField, guard, listElements, words } from "./dom.js";
import { showDetail } from "./check-detail.js";
import { startMap } from "./check-map.js";
import { startSlider } from "./check-slider.js";
import { renderTested } from "./tested.js";
import { createGrid } from "./grid.js";

/** @typedef {import("./tested.js").Tested} Tested */

const state = JSON.parse(findElement("state").textContent || "{}");
const filters = /** @type {HTMLFormElement} */ (findElement("filters"));
const selects = /** @type {HTMLSelectElement[]} */ (listElements("select", filters));

/** Return the filters as the address has them. */
function readFilters() {
  const query = new URLSearchParams();
  for (const select of selects) {
    if (!select.value) continue;
    if (select.dataset.column) {
      query.set("column", select.dataset.column);
      query.set("value", select.value);
    } else query.set(select.name, select.value);
  }
  return query;
}

/** @param {URLSearchParams} query */
function setFilters(query) {
  for (const select of selects) {
    const column = select.dataset.column;
    const value = column ? (query.get("column") === column ? query.get("value") : "") : query.get(select.name);
    select.value = value ?? "";
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }
}

/**
 * @param {number} offset
 * @param {number} limit
 */
function fetchTested(offset, limit) {
  const query = readFilters();
  query.set("offset", String(offset));
  query.set("limit", String(limit));
  return get(api(`models/${state.model}/tested?${query}`));
}

const grid = createGrid(findElement("wall-grid"), {
  count: 0,
  label: words("wall"),
  tileWidth: 168,
  tileHeight: 200,
  fetchPage: async (offset, limit) => (await fetchTested(offset, limit)).items,
  renderTile: renderTested,
  onOpen: (item) => open(item),
});

async function refresh() {
  await guard(async () => {
    const { count } = await fetchTested(0, 1);
    findElement("wall-count").textContent = count ? words("shown", { n: count }) : words("no_such");
    findElement("wall-grid").hidden = !count;
    grid.refresh(count);
  });
}

/** @param {Tested} item */
function open(item) {
  showDetail(item, { model: state.model, isNumber: state.isNumber, onChange: refresh });
}

for (const select of selects) {
  select.addEventListener("change", () => {
    if (select.dataset.column) {
      for (const other of selects) if (other !== select && other.dataset.column) other.value = "";
    }
    const query = readFilters();
    query.set("model", state.model);
    history.replaceState(null, "", `?${query}`);
    refresh();
  });
}

for (const link of listElements("[data-filter]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    setFilters(new URLSearchParams(link.dataset.filter));
    history.replaceState(null, "", `?model=${state.model}&${link.dataset.filter}`);
    refresh();
    findElement("wall").scrollIntoView({ behavior: "smooth" });
    findElement("wall-grid").focus({ preventScroll: true });
  });
}

/**
 * Start a job of learning and go to the page that shows it.
 * @param {HTMLElement} button
 * @param {Record<string, string>} options
 */
async function learn(button, options) {
  const answer = await guard(() => post(api("learn"), options), { busy: button });
  if (answer) location.href = "learn";
}

const next = document.getElementById("learn-next");
next?.addEventListener("click", () => {
  const option = String(next.dataset.option).replace("--", "");
  learn(next, { [option]: String(next.dataset.value) });
});
const again = findElement("learn-again");
again.addEventListener("click", () => learn(again, {}));

for (const button of listElements("[data-undo]")) {
  button.addEventListener("click", async () => {
    const body = { example: Number(button.dataset.undo), who: localStorage.getItem("headstart-who") ?? "" };
    if (await guard(() => post(api("corrections/undo"), body), { busy: button })) location.reload();
  });
}

const take = document.getElementById("take");
take?.addEventListener("click", async () => {
  if (await guard(() => post(api(`models/${state.model}/current`)), { busy: take })) location.reload();
});

const compare = document.getElementById("compare");
compare?.addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = `check/compare?old=${findField("compare-with").value}&new=${compare.dataset.new}`;
});

/**
 * Follow a job until it ends.
 * @param {number} job
 * @returns {Promise<import("./api.js").JobEvent>}
 */
function follow(job) {
  return new Promise((resolve) => {
    stream(api(`jobs/${job}/events`), (event) => {
      if (isOver(event)) resolve(event);
    });
  });
}

const levels = document.getElementById("slider-levels");
if (levels) startSlider(JSON.parse(levels.textContent || "{}"), state.model, follow);
startMap(state.model, open);
setFilters(new URLSearchParams(location.search));
refresh();
