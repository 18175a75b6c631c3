// @ts-check
// What there is: how many of each kind, what is worth a look, what is put away, and the next step.

import { describeReadiness, makeBox, makePictures, nameLevel } from "./boxes.js";
import { drawExample } from "./drawing.js";
import { createGrid } from "./grid.js";
import { openLarge } from "./large.js";
import { NOUNS } from "./look.js";
import { get, post } from "./api.js";
import { api, findElement, formatNumber, guard, listElements, makeElement, projectId, words } from "./dom.js";

/** @typedef {import("./drawing.js").DrawnExample} DrawnExample */
/** @typedef {{ name: string, n: number, n_test: number, code: string, items: DrawnExample[] }} KindSummary */

const BOX_ITEMS = 12;
const TALL_ITEMS = 4;

/** The part of the page that shows the examples. */
export class Overview {
  /** @param {{ addFiles: (kind: string) => void, takePhotos: (kind: string) => void }} actions */
  constructor(actions) {
    this.actions = actions;
    /** @type {import("./grid.js").Grid<DrawnExample> | undefined} */
    this.wall = undefined;
    /** @type {Record<string, string>} What the wall shows. */
    this.shown = {};
    this.isPhotos = true;
    this.openDrawer = "";
    findElement("all-close").addEventListener("click", () => this.dialog.close());
    findElement("all-out").addEventListener("click", () => void guard(() => this.leaveSelectedOut(), { busy: findElement("all-out") }));
    findElement("doubtful-drawer").addEventListener("toggle", () => void guard(() => this.drawDoubtful()));
  }

  get dialog() {
    return /** @type {HTMLDialogElement} */ (findElement("all"));
  }

  /** @param {any} summary */
  draw(summary) {
    this.isPhotos = summary.modality === "image" || !summary.modality;
    const noun = NOUNS[summary.modality] ?? "examples";
    const answers = words("have_answers", { n: summary.n_labelled, of: summary.n_examples });
    findElement("overview-summary").hidden = !summary.n_examples;
    findElement("overview-summary").textContent = `${words(noun, { n: summary.n_examples })}. ${summary.n_labelled < summary.n_examples ? answers : ""}`;
    /** @type {KindSummary[]} */
    const kinds = summary.kinds;
    const nothing = summary.n_examples && !summary.n_labelled ? words("doubt_no-answer") : "";
    findElement("readiness").replaceChildren((summary.n_examples && describeReadiness(kinds)) || nothing);
    findElement("bars").replaceChildren(...this.makeBars(summary.n_examples ? kinds : []));
    const away = summary.n_test ? words("put_away", { n: summary.n_test }) : summary.n_to_put_away ? words("will_put_away", { n: summary.n_to_put_away }) : "";
    findElement("put-away").textContent = away;
    this.drawNext(summary);
    this.drawDrawerLine(summary);
    const boxes = kinds.map((kind) => this.makeKind(kind));
    if (summary.n_open) {
      const open = { name: words("no_answer_yet"), n: summary.n_open, n_test: 0, code: "", items: summary.open_items };
      boxes.push(this.makeKind(open, { labelled: "false", state: "in" }));
    }
    findElement("boxes").replaceChildren(...boxes);
  }

  /**
   * @param {KindSummary[]} kinds
   * @returns {HTMLElement[]}
   */
  makeBars(kinds) {
    const most = Math.max(1, ...kinds.map((kind) => kind.n));
    return kinds.map((kind) => {
      const name = makeElement("span", "name", kind.name);
      name.dir = "auto";
      const bar = makeElement("span");
      bar.style.inlineSize = `${(100 * kind.n) / most}%`;
      const meter = makeElement("span", "meter", bar);
      meter.setAttribute("aria-hidden", "true"); // The number stands beside it.
      const level = makeElement("span", `level ${nameLevel(kind.code)}`, words(`code_${kind.code}`));
      return makeElement("li", nameLevel(kind.code), name, meter, makeElement("span", "count", formatNumber(kind.n), level));
    });
  }

  /** @param {any} summary */
  drawNext(summary) {
    const canLearn = summary.kinds.filter((/** @type {KindSummary} */ kind) => kind.n > 1).length > 1;
    const next = /** @type {HTMLAnchorElement} */ (findElement("next"));
    next.textContent = words(canLearn ? "learn" : "label");
    next.href = `/p/${encodeURIComponent(projectId())}/${canLearn ? "learn" : "label"}`;
    listElements(".next-card").forEach((card) => (card.hidden = !summary.n_examples));
    const also = canLearn && summary.n_open ? makeElement("a", "", words("label")) : undefined;
    if (also) also.href = `/p/${encodeURIComponent(projectId())}/label`;
    findElement("next-words").replaceChildren(...(also ? [`${words("doubt_unsorted", { n: summary.n_open })} `, also] : []));
  }

  /** @param {any} summary */
  drawDrawerLine(summary) {
    const n = /** @type {number[]} */ (Object.values(summary.doubtful)).reduce((a, b) => a + b, 0);
    const drawer = /** @type {HTMLDetailsElement} */ (findElement("doubtful-drawer"));
    drawer.hidden = n === 0;
    findElement("doubtful-summary").textContent = words("doubtful_n", { n });
    const left = findElement("left-out-words");
    left.hidden = !summary.n_left_out;
    left.replaceChildren(words("left_out_n", { n: summary.n_left_out }), " ", this.makeLink(words("see_all"), () => this.openWall(words("left_out"), { state: "left_out" })));
    if (drawer.open) void guard(() => this.drawDoubtful());
  }

  async drawDoubtful() {
    if (!(/** @type {HTMLDetailsElement} */ (findElement("doubtful-drawer")).open)) return;
    /** @type {{ code: string, n: number, items: (DrawnExample & { state: string })[] }[]} */
    const groups = await get(api("doubtful"));
    findElement("doubtful").replaceChildren(...groups.map((group) => this.makeGroup(group)));
  }

  /**
   * @param {{ code: string, n: number, items: (DrawnExample & { state: string })[] }} group
   * @returns {HTMLElement}
   */
  makeGroup(group) {
    const areOut = group.items.length > 0 && group.items.every((item) => item.state === "left_out");
    const head = makeElement("div", "box-head", makeElement("h2", "box-title", words(`drawer_${group.code}`)), makeElement("span", "number", formatNumber(group.n)));
    const buttons = makeElement("span", "row");
    if (group.code !== "unreadable") {
      const out = this.makeButton("leave_out", () => this.changeGroup(group.code, "left_out"));
      const keep = this.makeButton("keep", () => this.changeGroup(group.code, "in"));
      out.setAttribute("aria-pressed", String(areOut));
      keep.setAttribute("aria-pressed", String(!areOut));
      (areOut ? out : keep).classList.add("chosen");
      if (areOut) buttons.append(makeElement("span", "chip", words("left_out")));
      buttons.append(areOut ? keep : out);
      if (!areOut) buttons.append(this.makeButton("keep", () => this.dismiss(group.code)));
    }
    head.append(buttons);
    return makeElement("section", "doubtful-group", head, makePictures(group.items.slice(0, 24), (item) => openLarge(item)));
  }

  /**
   * @param {string} code
   * @param {string} state
   */
  async changeGroup(code, state) {
    this.draw(await post(api("doubtful/state"), { code, state, who: readName() }));
  }

  /** @param {string} code */
  async dismiss(code) {
    this.draw(await post(api("doubtful/dismiss"), { code }));
  }

  /**
   * @param {string} key
   * @param {() => Promise<unknown>} run
   * @returns {HTMLButtonElement}
   */
  makeButton(key, run) {
    const button = makeElement("button", "button second small", words(key));
    button.type = "button";
    button.addEventListener("click", () => void guard(run, { busy: button }));
    return button;
  }

  /**
   * @param {string} text
   * @param {() => unknown} run
   * @returns {HTMLElement}
   */
  makeLink(text, run) {
    const button = makeElement("button", "button quiet small", text);
    button.type = "button";
    button.addEventListener("click", () => run());
    return button;
  }

  /**
   * @param {KindSummary} kind
   * @param {Record<string, string>} [query] What its wall shows, where that is not the kind.
   * @returns {HTMLElement}
   */
  makeKind(kind, query) {
    const isTall = Boolean(kind.items[0] && !kind.items[0].picture);
    const items = kind.items.slice(0, isTall ? TALL_ITEMS : BOX_ITEMS);
    const box = makeBox({ ...kind, items }, (item) => this.openExample(item));
    const row = makeElement("div", "row box-actions");
    if (this.isPhotos && !query) {
      row.append(this.label(this.makeLink(words("upload"), () => this.actions.addFiles(kind.name)), "upload_to", kind.name));
      row.append(this.label(this.makeLink(words("camera"), () => this.actions.takePhotos(kind.name)), "camera_to", kind.name));
    }
    if (kind.n > items.length) {
      const all = this.makeLink(words("see_all"), () => this.openWall(kind.name, query ?? { kind: kind.name, state: "in" }));
      all.classList.add("push");
      row.append(this.label(all, "see_all_of", kind.name));
    }
    if (row.childElementCount) box.append(row);
    return box;
  }

  /**
   * @param {HTMLElement} element
   * @param {string} key
   * @param {string} kind
   * @returns {HTMLElement}
   */
  label(element, key, kind) {
    element.setAttribute("aria-label", words(key, { kind }));
    return element;
  }

  /** @param {DrawnExample & { state?: string }} item */
  openExample(item) {
    const isOut = item.state === "left_out";
    const change = () => guard(async () => this.draw(await changeState([item.id], isOut ? "in" : "left_out")));
    openLarge(item, { label: words(isOut ? "keep" : "leave_out"), run: change });
  }

  /**
   * Show all examples of a kind as a wall.
   * @param {string} title
   * @param {Record<string, string>} query
   */
  async openWall(title, query) {
    this.shown = query;
    findElement("all-title").textContent = title;
    findElement("all-out").textContent = words(query.state === "left_out" ? "keep" : "leave_out");
    const count = (await this.fetchPage(0, 0, true)).count;
    this.dialog.showModal();
    this.drawSelected(0);
    this.wall = createGrid(findElement("all-wall"), {
      count,
      fetchPage: async (offset, limit) => (await this.fetchPage(offset, limit, false)).items,
      renderTile: (item) => drawExample(item, "tile"),
      label: title,
      tileHeight: this.isPhotos ? 168 : 150,
      tileWidth: this.isPhotos ? 150 : 240,
      selectable: true,
      onSelect: (n) => this.drawSelected(n),
      onOpen: (item) => this.openExample(item),
    });
  }

  /** @param {number} n */
  drawSelected(n) {
    findElement("all-count").textContent = n ? words("examples", { n }) : "";
    /** @type {HTMLButtonElement} */ (findElement("all-out")).disabled = n === 0;
  }

  /**
   * @param {number} offset
   * @param {number} limit
   * @param {boolean} withCount
   * @returns {Promise<any>}
   */
  fetchPage(offset, limit, withCount) {
    const query = new URLSearchParams({ ...this.shown, offset: String(offset), limit: String(limit), with_count: String(withCount) });
    return get(api(`examples?${query}`));
  }

  async leaveSelectedOut() {
    const items = (await this.wall?.readSelected()) ?? [];
    const state = this.shown.state === "left_out" ? "in" : "left_out";
    this.draw(await changeState(items.map((item) => item.id), state));
    this.wall?.refresh((await this.fetchPage(0, 0, true)).count);
  }
}

/** @returns {string} The name that the person gave on the Label screen. */
function readName() {
  return localStorage.getItem("headstart-who") ?? "";
}

/**
 * @param {number[]} ids
 * @param {string} state
 * @returns {Promise<any>}
 */
function changeState(ids, state) {
  return post(api("examples/state"), { ids, state, who: readName() });
}
