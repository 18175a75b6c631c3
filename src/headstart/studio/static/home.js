// @ts-check
// The first page and the bin: make, name, copy, save, delete and take back projects.

import { follow, post, uploadOne } from "./api.js";
import { findElement, findField, formatDate, guard, listElements, makeElement, setMeter, showError, words } from "./dom.js";
import { drawExample } from "./drawing.js";

/** @param {string} id @param {string} act */
const act = (id, act) => `/api/p/${encodeURIComponent(id)}/${act}`;

/**
 * Wait for a task; a card shows how far it is.
 * @param {string} task
 * @param {ParentNode} card
 */
async function waitFor(task, card) {
  const meter = /** @type {HTMLElement | null} */ (card.querySelector(".meter"));
  if (meter) meter.hidden = false;
  try {
    return await follow(task, (share) => {
      if (!meter || share === null) return;
      meter.classList.remove("busy");
      setMeter(meter, share);
    });
  } finally {
    if (meter) meter.hidden = true;
  }
}

/** @param {string} id @param {string} [step] */
const openProject = (id, step = "examples") => location.assign(`/p/${encodeURIComponent(id)}/${step}`);

// Pictures and dates
/** @type {any[]} */
const pictures = JSON.parse(document.getElementById("pictures")?.textContent ?? "[]");
for (const place of listElements("[data-picture]")) {
  const example = pictures[Number(place.dataset.picture)];
  if (example) place.replaceChildren(drawExample(example, "tile"));
}
for (const time of listElements("time")) {
  const date = /** @type {HTMLTimeElement} */ (time).dateTime;
  if (date) time.textContent = formatDate(date);
}

// Our examples
for (const button of listElements("[data-demo]")) {
  const card = /** @type {HTMLElement} */ (button.closest("li"));
  button.addEventListener("click", () => {
    guard(async () => {
      const { task } = await post("/api/demo", { modality: button.dataset.demo });
      const { id } = await waitFor(task, card);
      openProject(id);
    });
  });
}

// Naming
let renamed = "";
/** @param {string} id Empty: a new project. @param {string} name */
function askName(id, name) {
  renamed = id;
  findField("name").value = name;
  for (const element of listElements("[data-when]")) element.hidden = (element.dataset.when === "new") !== (id === "");
  findElement("naming-problem").hidden = true;
  /** @type {HTMLDialogElement} */ (findElement("naming")).showModal();
  findField("name").select();
}

function prepareNaming() {
  const dialog = /** @type {HTMLDialogElement} */ (findElement("naming"));
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    const options = { place: findElement("naming-problem"), busy: findElement("naming-send") };
    const name = findField("name").value.trim();
    if (!name) {
      showError({ problem: words("name_empty") }, options);
      return;
    }
    guard(async () => {
      if (renamed) {
        await post(act(renamed, "rename"), { name });
        location.reload();
      } else {
        openProject((await post("/api/projects", { name })).id);
      }
    }, options);
  });
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  for (const button of listElements("[data-new]")) button.addEventListener("click", () => askName("", ""));
}

// Acts on one project
/** @type {Record<string, (id: string, card: HTMLElement) => Promise<void>>} */
const ACTS = {
  rename: async (id, card) => askName(id, card.dataset.name ?? ""),
  copy: async (id, card) => {
    await waitFor((await post(act(id, "copy"))).task, card);
    location.reload();
  },
  export: async (id, card) => {
    const { file } = await waitFor((await post(act(id, "export"))).task, card);
    location.assign(act(id, `export/${file}`));
  },
  delete: async (id, card) => {
    const deleted = await post(act(id, "delete"));
    card.remove();
    offerUndo(String(card.dataset.name), deleted.id);
  },
  restore: async (id) => {
    await post("/api/bin/restore", { id });
    location.assign("/");
  },
  erase: async (id, card) => {
    await post("/api/bin/erase", { id });
    card.remove();
  },
};

/** @param {string} name @param {string} id In the bin. */
function offerUndo(name, id) {
  const button = makeElement("button", "button small second", words("take_back"));
  button.addEventListener("click", () => guard(() => ACTS.restore(id, button)));
  findElement("undone").replaceChildren(words("deleted", { name }), button);
  findElement("undone").hidden = false;
  button.focus();
}

for (const button of listElements("[data-act]")) {
  const card = /** @type {HTMLElement} */ (button.closest("[data-project-card], [data-bin]"));
  const id = card.dataset.projectCard ?? card.dataset.bin ?? "";
  button.addEventListener("click", () => {
    button.closest("details")?.removeAttribute("open");
    guard(() => ACTS[button.dataset.act ?? ""](id, card), { busy: button });
  });
}

// A menu closes when something else is clicked, or with Escape.
const closeMenus = (/** @type {EventTarget | null} */ but) => {
  for (const menu of listElements(".menu[open]")) if (!menu.contains(/** @type {Node} */ (but))) menu.removeAttribute("open");
};
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenus(null));

// A project from a zip
function prepareImport() {
  const field = findField("zip");
  for (const button of listElements("[data-import]")) {
    button.addEventListener("click", () => field.click());
    field.addEventListener("change", () => {
      const file = field.files?.[0];
      if (!file) return;
      field.value = "";
      guard(async () => {
        const { task } = await uploadOne("/api/import", { file, name: file.name });
        openProject((await waitFor(task, document)).id);
      }, { busy: button });
    });
  }
}

if (document.getElementById("naming")) {
  prepareNaming();
  prepareImport();
}
