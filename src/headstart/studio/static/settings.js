// @ts-check
// The settings: every switch is stored as soon as it is turned.

import { post, stream } from "./api.js";
import { findElement, formatNumber, formatTimeLeft, guard, listElements, makeElement, setMeter, showError, words } from "./dom.js";

for (const field of /** @type {HTMLInputElement[]} */ (listElements("[data-switch]"))) {
  field.addEventListener("change", async () => {
    const stored = await guard(() => post("/api/settings", { [String(field.dataset.switch)]: field.checked }));
    if (!stored) field.checked = !field.checked;
    else document.body.classList.toggle("expert", stored.is_expert);
  });
}

const folder = /** @type {HTMLSelectElement | null} */ (document.getElementById("folder"));
folder?.addEventListener("change", () =>
  guard(async () => {
    await post("/api/settings/folder", { number: Number(folder.value) });
    location.reload();
  }),
);

const clear = findElement("clear");
clear.addEventListener("click", () =>
  guard(async () => {
    const { removed_bytes: bytes } = await post("/api/settings/cache");
    findElement("cleared").textContent = words("cleared", { mb: formatNumber(Math.round(bytes / 1e6)) });
    findElement("cleared").hidden = false;
  }, { busy: clear }),
);

/**
 * Show how far a model is fetched.
 * @param {HTMLElement} item
 * @param {number} job
 */
function followFetch(item, job) {
  const place = /** @type {HTMLElement} */ (item.querySelector(".fetching"));
  const meter = /** @type {HTMLElement} */ (item.querySelector(".meter"));
  const line = /** @type {HTMLElement} */ (place.querySelector("p"));
  const button = item.querySelector("button");
  if (button) button.hidden = true;
  place.hidden = false;
  line.textContent = words("fetching");
  stream(`/api/machine/jobs/${job}/events`, (event) => {
    if (event.event === "wait") line.textContent = words("waiting");
    if (event.event === "progress" && event.share !== undefined) {
      meter.classList.remove("busy");
      setMeter(meter, event.share);
      line.textContent = event.seconds_left ? formatTimeLeft(event.seconds_left) : words("fetching");
    }
    if (event.event !== "job" || event.state === "queued" || event.state === "running") return;
    place.hidden = true;
    if (event.state === "done") button?.replaceWith(makeElement("span", "chip good", words("here")));
    else showFailure(item, button);
  });
}

/**
 * Say in place that a model could not be fetched; the button that was pressed tries again.
 * @param {HTMLElement} item
 * @param {HTMLElement | null} button
 */
function showFailure(item, button) {
  const place = item.querySelector(".failure") ?? item.appendChild(makeElement("div", "failure"));
  const repair = { label: words("try_again"), run: () => button?.click() };
  showError({ problem: words("not_fetched"), hint: words("not_fetched_hint") }, {
    place: /** @type {HTMLElement} */ (place), repair,
  });
}

for (const item of listElements("[data-model]")) {
  if (item.dataset.job) followFetch(item, Number(item.dataset.job));
  const button = /** @type {HTMLElement | null} */ (item.querySelector("[data-fetch]"));
  button?.addEventListener("click", () =>
    guard(async () => followFetch(item, (await post("/api/settings/fetch", { name: item.dataset.model })).job), {
      busy: button,
    }),
  );
}
