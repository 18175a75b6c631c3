// @ts-check
// Many examples at once: a grid ordered by likeness or by a search, and groups that the last round proposes.

import { get, post } from "./api.js";
import { api, findElement, guard, makeElement, words } from "./dom.js";
import { drawExample } from "./drawing.js";
import { createGrid } from "./grid.js";
import { Lasso } from "./label_lasso.js";

/**
 * @typedef {import("./label_stage.js").LabelExample} LabelExample
 * @typedef {import("./label_queue.js").Operation} Operation
 * @typedef {{add: (operation: Operation) => void, back: () => void}} LabelStore Sends, and takes back.
 * @typedef {{kind: string, probability: number, examples: LabelExample[], title: string}} Cohort
 */

const TILE_WIDTH = 144; // Two beside each other on the narrowest phone.

export class ManyView {
  /**
   * @param {LabelStore} store
   * @param {() => string} readWho
   */
  constructor(store, readWho) {
    this.store = store;
    this.readWho = readWho;
    /** @type {string[]} */
    this.kinds = [];
    /** @type {number[]} Ids in the order of the grid. */
    this.order = [];
    this.chosen = "likeness";
    this.area = findElement("many-grid");
    this.buttons = findElement("many-kinds");
    this.search = /** @type {HTMLInputElement} */ (findElement("search-words"));
    this.grid = createGrid(this.area, {
      count: 0,
      fetchPage: (offset, limit) => this.fetchPage(offset, limit),
      renderTile: (item) => renderTile(item),
      label: words("grid-label"),
      tileWidth: TILE_WIDTH,
      selectable: true,
      onSelect: (count) => this.showSelected(count),
      onKey: (event) => this.handleKey(event),
    });
    new Lasso(this.area, this.grid);
    this.listen();
  }

  listen() {
    this.buttons.addEventListener("click", (event) => {
      const button = /** @type {HTMLElement} */ (event.target).closest("button");
      if (button) void this.label(button.dataset.kind ?? "");
    });
    findElement("search-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.search.value.trim();
      void (text ? this.showOrder({ words: text }, words("found-for", { words: text })) : this.showAll());
    });
    findElement("search-clear").addEventListener("click", () => void this.showAll());
    findElement("more-like-this").addEventListener("click", () => void this.showAlike());
    findElement("select-none").addEventListener("click", () => this.grid.clearSelection());
    findElement("many-back").addEventListener("click", () => this.store.back());
  }

  /** @param {string[]} kinds */
  update(kinds) {
    this.kinds = kinds;
    this.buttons.replaceChildren(...kinds.map((kind, position) => makeKindButton(kind, position)));
    this.showSelected(this.grid.countSelected());
  }

  async showAll() {
    this.search.value = "";
    await this.showOrder({}, "");
  }

  /** Show what is like the first selected example. */
  async showAlike() {
    const [first] = await this.grid.readSelected();
    if (first) await this.showOrder({ example: first.id }, words("like-example", { name: first.name }));
  }

  /**
   * @param {{words?: string, example?: number}} query
   * @param {string} title
   */
  async showOrder(query, title) {
    const reply = await guard(() => post(api("label/order"), { who: this.readWho(), ...query }));
    if (!reply) return;
    this.order = reply.ids;
    this.chosen = title ? "search" : "likeness";
    this.grid.refresh(this.order.length);
    findElement("many-title").textContent = [title, reply.title].filter(Boolean).join(" ");
    findElement("search-clear").hidden = !title;
  }

  /**
   * @param {number} offset
   * @param {number} limit
   * @returns {Promise<LabelExample[]>}
   */
  async fetchPage(offset, limit) {
    const ids = this.order.slice(offset, offset + limit);
    const reply = await post(api("label/examples"), { who: this.readWho(), ids });
    return reply.examples;
  }

  /** @param {number} count */
  showSelected(count) {
    findElement("many-selected").textContent = words("n-selected", { n: count });
    findElement("more-like-this").toggleAttribute("disabled", count === 0);
    findElement("select-none").toggleAttribute("disabled", count === 0);
    for (const button of this.buttons.querySelectorAll("button")) button.disabled = count === 0;
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const kind = this.kinds[Number(event.key) - 1];
    if (!kind || !/^[1-9]$/.test(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    void this.label(kind);
  }

  /** @param {string} kind */
  async label(kind) {
    const chosen = await this.grid.readSelected();
    if (!chosen.length) return;
    const examples = chosen.map(({ id }) => id);
    this.store.add({ action: "label", who: this.readWho(), examples, answer: "label", labels: [kind], chosen: this.chosen });
    const gone = new Set(examples);
    this.order = this.order.filter((id) => !gone.has(id));
    this.grid.refresh(this.order.length);
    findElement("announcement").textContent = words("n-labelled-as", { n: examples.length, kind });
    this.area.focus();
  }

  /** @param {number[]} examples Whose answer was taken back. */
  putBack(examples) {
    const back = examples.filter((id) => !this.order.includes(id));
    if (!back.length) return;
    this.order = [...back, ...this.order];
    this.grid.refresh(this.order.length);
  }
}

/** @param {LabelExample} item */
function renderTile(item) {
  const tile = makeElement("div", "many-tile");
  tile.append(drawExample(item, "tile"));
  if (item.answer) {
    const answer = item.answer === "label" ? (item.labels ?? []).join(", ") : words(item.answer);
    tile.append(makeElement("span", "tile-answer", answer));
  }
  return tile;
}

/**
 * @param {string} kind
 * @param {number} position
 */
function makeKindButton(kind, position) {
  const button = makeElement("button", "kind-button");
  button.type = "button";
  button.dataset.kind = kind;
  const name = makeElement("span", "kind-name", kind);
  name.dir = "auto";
  if (position < 9) button.append(makeElement("kbd", "key", String(position + 1)));
  button.append(name);
  return button;
}

export class CohortView {
  /**
   * @param {LabelStore} store
   * @param {() => string} readWho
   */
  constructor(store, readWho) {
    this.store = store;
    this.readWho = readWho;
    this.list = findElement("cohort-list");
    this.empty = findElement("no-cohorts");
  }

  get isEmpty() {
    return this.list.children.length === 0;
  }

  async load() {
    const reply = await guard(() => get(api(`label/cohorts?who=${encodeURIComponent(this.readWho())}`)));
    if (!reply) return;
    /** @type {Cohort[]} */
    const cohorts = reply.cohorts;
    this.list.replaceChildren(...cohorts.map((cohort) => this.drawCohort(cohort)));
    this.empty.hidden = cohorts.length > 0;
  }

  /** @param {Cohort} cohort */
  drawCohort(cohort) {
    const card = makeElement("section", "cohort");
    const title = makeElement("h2", "cohort-title", cohort.title);
    const left = new Map(cohort.examples.map((example) => [example.id, example]));
    const accept = makeElement("button", "button");
    accept.type = "button";
    const write = () => {
      accept.textContent = words("accept-n", { n: left.size, kind: cohort.kind });
      accept.disabled = left.size === 0;
    };
    const examples = makeElement("div", "cohort-examples");
    for (const example of cohort.examples) {
      const button = makeElement("button", "cohort-example");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.setAttribute("aria-label", words("keep-example", { name: example.text ?? example.name }));
      button.append(drawExample(example, "tile"));
      button.addEventListener("click", () => {
        if (!left.delete(example.id)) left.set(example.id, example);
        button.setAttribute("aria-pressed", String(left.has(example.id)));
        write();
      });
      examples.append(button);
    }
    accept.addEventListener("click", () => this.accept(card, cohort.kind, [...left.keys()]));
    write();
    card.append(title, examples, accept);
    return card;
  }

  /**
   * @param {HTMLElement} card
   * @param {string} kind
   * @param {number[]} examples
   */
  accept(card, kind, examples) {
    this.store.add({ action: "label", who: this.readWho(), examples, answer: "label", labels: [kind], chosen: "cohort" });
    const next = /** @type {HTMLElement | null} */ (card.nextElementSibling ?? card.previousElementSibling);
    card.remove();
    this.empty.hidden = !this.isEmpty;
    findElement("announcement").textContent = words("n-labelled-as", { n: examples.length, kind });
    /** @type {HTMLElement} */ (next?.querySelector(".button") ?? findElement("cohorts-back")).focus();
  }
}
