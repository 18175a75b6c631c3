// @ts-check
// What was understood of what came: shown as it is, and corrected by menus.

import { makeBox, describeReadiness } from "./boxes.js";
import { openLarge } from "./large.js";
import { post } from "./api.js";
import { api, findElement, guard, language, makeElement, words } from "./dom.js";

/** @typedef {{ name: string, role: string, n_values: number, can_be_text: boolean, can_be_label: boolean, values: Record<string, number> }} Column */
/** @typedef {{ name: string, is_read: boolean, is_hidden: boolean, header: number, n_columns: number, rows: [number, string[]][] }} Sheet */
/** @typedef {{ code: string, n: number, of: number, names: string[], option: string }} Doubt */
/** @typedef {{ file: string, sheet: string, text: string[], label: string | null, compare: string[] | null, leave_out: string[], kind: string }} Corrections */

/** What the examples of a modality are called. @type {Record<string, string>} */
export const NOUNS = { image: "photos", text: "messages", series: "series" };
const PLACE = "\u{FFFC}";
const KNOWN_DOUBTS = ["personal-columns", "few-examples"];
const BOX_ITEMS = 8;
const MOST_BOXES = 24;

/**
 * @param {string} code
 * @returns {string | undefined} Its name in the language of the page.
 */
function nameLanguage(code) {
  return new Intl.DisplayNames([language()], { type: "language", fallback: "none" }).of(code);
}

/** The part of the page that shows a look. */
export class Look {
  /** @param {{ add: (corrections: Corrections) => unknown, forget: () => unknown }} actions */
  constructor(actions) {
    /** @type {any} */
    this.view = undefined;
    /** @type {Corrections | undefined} */
    this.corrections = undefined;
    /** @type {Record<string, import("./drawing.js").DrawnExample>} */
    this.examples = {};
    /** @type {string} Sheet that is looked at. */
    this.tab = "";
    findElement("use-these").addEventListener("click", () => this.corrections && actions.add(this.corrections));
    findElement("throw-away").addEventListener("click", () => actions.forget());
  }

  /** @param {{ view: any, examples: Record<string, any>, corrections: Corrections }} answer */
  draw(answer) {
    const { view } = answer;
    this.view = view;
    this.examples = answer.examples;
    /** @type {Column[]} */
    const columns = view.columns;
    const compared = columns.filter((column) => column.role === "compare").map((column) => column.name);
    const personal = columns.filter((column) => column.role === "personal").map((column) => column.name);
    this.corrections = { ...answer.corrections, compare: compared, leave_out: personal };
    this.tab = view.sheets.find((/** @type {Sheet} */ sheet) => sheet.is_read)?.name ?? view.sheets[0]?.name ?? "";
    this.drawSummary();
    this.drawProblem();
    findElement("look-doubts").replaceChildren(...this.makeDoubts());
    this.drawSheet();
    findElement("look-columns").replaceChildren(...this.makeColumns());
    findElement("look-kinds").replaceChildren(...this.makeKinds());
    findElement("use-these").hidden = !view.n_examples;
  }

  drawSummary() {
    const { view } = this;
    const parts = [];
    if (view.n_examples) {
      parts.push(words(NOUNS[view.modality] ?? "examples", { n: view.n_examples }));
      const kinds = view.kinds.length ? words("in_kinds", { n: view.kinds.length }) : words("no_kinds");
      parts.push(view.is_number ? words("with_amount") : kinds);
    }
    const sentences = parts.length ? [`${parts.join(" ")}.`] : [];
    if (view.n_channels) {
      const steps = view.fewest_steps === view.most_steps ? view.most_steps : `${view.fewest_steps}–${view.most_steps}`;
      sentences.push(`${words("series_of", { steps, n: view.n_channels })}.`);
    }
    if (view.n_listed) sentences.push(words("names_match", { n: view.n_matched, of: view.n_listed }));
    if (view.language_code) {
      const key = view.needs_other_base ? "mostly_other" : "mostly";
      sentences.push(words(key, { language: nameLanguage(view.language_code) ?? view.main_language }));
    }
    const name = view.name ? `“${view.name}”${sentences.length ? ": " : ""}` : "";
    findElement("look-summary").textContent = name + sentences.join(" ");
  }

  drawProblem() {
    const place = findElement("look-problem");
    const { problem, hint, sheets } = this.view;
    place.hidden = !problem;
    const advice = sheets.length ? words("choose_column") : hint;
    place.replaceChildren(makeElement("strong", "", problem), makeElement("span", "", advice));
  }

  /** @returns {HTMLElement[]} */
  makeDoubts() {
    /** @type {Doubt[]} */
    const doubts = this.view.doubts;
    return doubts.filter((doubt) => !KNOWN_DOUBTS.includes(doubt.code)).map((doubt) => this.makeDoubt(doubt));
  }

  /**
   * @param {Doubt} doubt
   * @returns {HTMLElement}
   */
  makeDoubt(doubt) {
    const text = words(`doubt_${doubt.code}`, { n: doubt.n, of: doubt.of, names: doubt.names.join(", ") });
    const notice = makeElement("div", "notice", makeElement("span", "", text));
    if (!doubt.option) {
      if (doubt.code === "left-out") notice.append(makeElement("small", "quiet", doubt.names.join(" · ")));
      return notice;
    }
    for (const name of doubt.names) {
      const button = makeElement("button", "button second small", words("use_it", { name: `“${name}”` }));
      button.type = "button";
      const value = doubt.option === "text" ? [name] : name;
      button.addEventListener("click", () => this.correct({ [doubt.option]: value }, button));
      notice.append(button);
    }
    return notice;
  }

  /**
   * Look again with something said otherwise.
   * @param {Partial<Corrections>} change
   * @param {HTMLElement} busy
   */
  correct(change, busy) {
    const isOther = "sheet" in change || "file" in change;
    const base = isOther ? { file: this.corrections?.file ?? "" } : this.corrections;
    void guard(async () => this.draw(await post(api("look"), { ...base, ...change })), { busy });
  }

  drawSheet() {
    /** @type {Sheet[]} */
    const sheets = this.view.sheets;
    const place = findElement("look-sheet");
    const sheet = sheets.find((item) => item.name === this.tab);
    place.replaceChildren();
    if (!sheet || !sheet.rows.length) return;
    if (sheets.length > 1) place.append(this.makeTabs(sheets));
    place.append(this.makeSheet(sheet));
    if (!sheet.is_read && sheets.length > 1) place.append(this.makeSheetButton(sheet.name));
    const hidden = sheet.n_columns - Math.max(...sheet.rows.map(([, cells]) => cells.length));
    if (hidden > 0) place.append(makeElement("p", "quiet sheet-note", words("more_columns", { n: hidden })));
  }

  /**
   * @param {Sheet[]} sheets
   * @returns {HTMLElement}
   */
  makeTabs(sheets) {
    const tabs = makeElement("div", "tabs");
    tabs.setAttribute("role", "tablist");
    for (const sheet of sheets) {
      const tab = makeElement("button", "", sheet.name);
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(sheet.name === this.tab));
      tab.addEventListener("click", () => {
        this.tab = sheet.name;
        this.drawSheet();
        if (this.view.problem) findElement("look-columns").replaceChildren(...this.makeColumns());
      });
      tabs.append(tab);
    }
    return tabs;
  }

  /**
   * @param {string} name
   * @returns {HTMLElement}
   */
  makeSheetButton(name) {
    const button = makeElement("button", "button second small sheet-button", words("use_sheet"));
    button.type = "button";
    button.addEventListener("click", () => this.correct({ sheet: name }, button));
    return button;
  }

  /**
   * @param {Sheet} sheet
   * @returns {HTMLElement}
   */
  makeSheet(sheet) {
    const table = makeElement("table");
    for (const [number, cells] of sheet.rows) {
      const isHeader = number === sheet.header;
      const row = makeElement("tr", isHeader ? "header-row" : number < sheet.header ? "before-header" : "");
      row.append(makeElement("th", "row-number", String(number)));
      for (const [position, cell] of cells.entries()) {
        const name = sheet.is_read ? this.nameColumn(sheet, position) : "";
        const cellElement = makeElement(isHeader ? "th" : "td", this.markColumn(name), makeElement("span", "", cell));
        cellElement.dir = "auto";
        row.append(cellElement);
      }
      table.append(row);
    }
    const frame = makeElement("div", "sheet", table);
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", words("rows_of", { name: sheet.name || this.view.name }));
    return frame;
  }

  /**
   * @param {Sheet} sheet
   * @param {number} position
   * @returns {string}
   */
  nameColumn(sheet, position) {
    const header = sheet.rows.find(([number]) => number === sheet.header);
    return header?.[1][position] ?? "";
  }

  /**
   * @param {string} name
   * @returns {string} The class of a column's cells.
   */
  markColumn(name) {
    if (!name) return "";
    return this.view.text.includes(name) ? "is-text" : this.view.label.includes(name) ? "is-label" : "";
  }

  /**
   * Return the menu that mends a table of which no column was found to be the text.
   * @returns {HTMLElement[]}
   */
  makeRepair() {
    const sheet = this.view.sheets.find((/** @type {Sheet} */ item) => item.name === this.tab);
    const header = sheet?.rows.find((/** @type {[number, string[]]} */ [number]) => number === sheet.header);
    const names = (header?.[1] ?? []).filter(Boolean);
    if (!this.view.problem || !names.length) return [];
    const change = (/** @type {string} */ name) => ({ sheet: this.tab, text: name ? [name] : [] });
    return [makeElement("p", "sentences", ...this.makeSentence("text_is_in", names, "", change))];
  }

  /** @returns {HTMLElement[]} */
  makeColumns() {
    /** @type {Column[]} */
    const columns = this.view.columns;
    if (!columns.length) return this.makeRepair();
    const parts = [];
    const sentences = makeElement("p", "sentences");
    if (this.view.text.length || columns.some((column) => column.can_be_text)) {
      const texts = columns.filter((column) => column.can_be_text).map((column) => column.name);
      sentences.append(...this.makeSentence("text_is_in", texts, this.view.text[0] ?? "", (name) => ({ text: name ? [name] : [] })), " ");
    }
    const answers = columns.filter((column) => column.can_be_label).map((column) => column.name);
    if (this.view.label.length < 2) {
      sentences.append(...this.makeSentence("answer_is_in", answers, this.view.label[0] ?? "", (name) => ({ label: name })));
    }
    parts.push(sentences);
    const few = columns.filter((column) => column.role === "compare" || (column.role === "" && column.can_be_label));
    if (few.length) parts.push(this.makeChoices("compare_these", few, "compare"));
    const personal = columns.filter((column) => column.role === "personal");
    if (personal.length) parts.push(this.makeChoices("leave_these_out", personal, "leave_out"));
    return parts;
  }

  /**
   * Return a sentence with a menu in it.
   * @param {string} key
   * @param {string[]} names
   * @param {string} chosen
   * @param {(name: string) => Partial<Corrections>} change
   * @returns {Node[]}
   */
  makeSentence(key, names, chosen, change) {
    const [before, after = ""] = words(key, { menu: PLACE }).split(PLACE);
    const menu = makeElement("select", "inline");
    menu.setAttribute("aria-label", `${before.trim()} … ${after.trim()}`);
    for (const name of ["", ...new Set([...names, chosen].filter(Boolean))]) {
      const option = makeElement("option", "", name || words("nothing_yet"));
      option.value = name;
      option.selected = name === chosen;
      menu.append(option);
    }
    menu.addEventListener("change", () => this.correct(change(menu.value), menu));
    return [document.createTextNode(before), menu, document.createTextNode(after)];
  }

  /**
   * @param {string} key
   * @param {Column[]} columns
   * @param {"compare" | "leave_out"} field
   * @returns {HTMLElement}
   */
  makeChoices(key, columns, field) {
    const group = makeElement("fieldset", "choices", makeElement("legend", "", words(key)));
    for (const column of columns) {
      const box = makeElement("input");
      box.type = "checkbox";
      box.checked = Boolean(this.corrections?.[field]?.includes(column.name));
      box.addEventListener("change", () => {
        const others = (this.corrections?.[field] ?? []).filter((name) => name !== column.name);
        if (this.corrections) this.corrections[field] = box.checked ? [...others, column.name] : others;
      });
      group.append(makeElement("label", "", box, column.name));
    }
    return group;
  }

  /** @returns {HTMLElement[]} */
  makeKinds() {
    const { view } = this;
    const readiness = describeReadiness(view.kinds);
    const boxes = view.kinds.slice(0, MOST_BOXES).map((/** @type {any} */ kind) => this.makeKind(kind, kind.samples));
    if (view.n_unsorted) {
      const name = words(view.kinds.length ? "unsorted" : "no_answer_yet");
      boxes.push(this.makeKind({ name, n: view.n_unsorted }, view.unsorted_samples));
    }
    if (!readiness) return boxes;
    const line = makeElement("p", "whole-line", readiness);
    return [line, ...boxes];
  }

  /**
   * @param {{ name: string, n: number, code?: string }} kind
   * @param {number[]} samples
   * @returns {HTMLElement}
   */
  makeKind(kind, samples) {
    const items = samples.slice(0, BOX_ITEMS).map((row) => this.examples[row]).filter(Boolean);
    const isTall = Boolean(items[0] && !items[0].picture);
    return makeBox({ ...kind, items: isTall ? items.slice(0, 4) : items }, (item) => openLarge(item));
  }
}
