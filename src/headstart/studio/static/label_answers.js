// @ts-check
// The kinds as buttons with keys: 1 to 9, further pages, a box to find one of many; or a box for a number.

import { makeElement, words } from "./dom.js";

/**
 * @typedef {{name: string, n: number}} Kind
 * @typedef {"one" | "several" | "ordered" | "number"} Form How an example is answered.
 */

const KINDS_A_PAGE = 9;

export class AnswerPanel {
  /**
   * @param {HTMLElement} root With .kind-buttons, .kind-pages, .kind-filter, .number-answer.
   * @param {(labels: string[]) => void} onAnswer
   */
  constructor(root, onAnswer) {
    this.buttons = /** @type {HTMLElement} */ (root.querySelector(".kind-buttons"));
    this.pager = /** @type {HTMLElement} */ (root.querySelector(".kind-pages"));
    this.filter = /** @type {HTMLInputElement} */ (root.querySelector(".kind-filter input"));
    this.numberForm = /** @type {HTMLFormElement} */ (root.querySelector(".number-answer"));
    this.number = /** @type {HTMLInputElement} */ (this.numberForm.querySelector("input"));
    this.onAnswer = onAnswer;
    /** @type {Kind[]} */
    this.kinds = [];
    /** @type {Form} */
    this.form = "one";
    /** @type {Set<string>} */
    this.chosen = new Set();
    /** @type {Set<string>} Not offered, as the person has just refused it. */
    this.refused = new Set();
    this.page = 0;
    this.listen(root);
  }

  /** @param {HTMLElement} root */
  listen(root) {
    this.buttons.addEventListener("click", (event) => {
      const button = /** @type {HTMLElement} */ (event.target).closest("button");
      if (button) this.choose(button.dataset.kind ?? "");
    });
    this.filter.addEventListener("input", () => {
      this.page = 0;
      this.draw();
    });
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        const [first] = this.listMatches();
        if (first) this.choose(first.name); // What matches nothing is never made a kind.
        this.clearFilter();
      }
      if (event.key === "Escape") this.clearFilter();
    });
    this.numberForm.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.number.value.trim() && this.number.checkValidity()) this.onAnswer([String(this.number.valueAsNumber)]);
    });
    root.querySelector(".page-before")?.addEventListener("click", () => this.turnPage(-1));
    root.querySelector(".page-after")?.addEventListener("click", () => this.turnPage(1));
    root.querySelector(".several-done")?.addEventListener("click", () => this.finish());
  }

  clearFilter() {
    this.filter.value = "";
    this.filter.blur();
    this.draw();
  }

  /**
   * @param {Kind[]} kinds
   * @param {Form} form
   */
  update(kinds, form) {
    this.kinds = kinds;
    this.form = form;
    this.numberForm.hidden = form !== "number";
    this.buttons.hidden = form === "number";
    document.body.dataset.answerForm = form;
    this.draw();
  }

  /**
   * Begin a new example.
   * @param {string[]} [labels] Of its answer so far.
   */
  start(labels = []) {
    this.chosen = new Set(labels);
    this.refused = new Set();
    this.number.value = this.form === "number" ? (labels[0] ?? "") : "";
    this.page = 0;
    this.draw();
    if (this.form === "number") this.number.focus({ preventScroll: true });
  }

  listMatches() {
    const part = this.filter.value.trim().toLocaleLowerCase();
    const offered = this.kinds.filter((kind) => !this.refused.has(kind.name));
    return part ? offered.filter((kind) => kind.name.toLocaleLowerCase().includes(part)) : offered;
  }

  draw() {
    const matches = this.listMatches();
    const nPages = Math.max(1, Math.ceil(matches.length / KINDS_A_PAGE));
    this.page = Math.min(this.page, nPages - 1);
    const onPage = matches.slice(this.page * KINDS_A_PAGE, (this.page + 1) * KINDS_A_PAGE);
    while (this.buttons.children.length > onPage.length) this.buttons.lastElementChild?.remove();
    onPage.forEach((kind, position) => this.drawButton(kind, position));
    this.pager.hidden = this.kinds.length <= KINDS_A_PAGE || this.form === "number";
    const number = /** @type {HTMLElement} */ (this.pager.querySelector(".page-number"));
    number.textContent = words("page-of", { page: this.page + 1, pages: nPages });
    const filter = /** @type {HTMLElement} */ (this.filter.closest(".kind-filter"));
    filter.hidden = this.pager.hidden;
  }

  /**
   * Buttons are changed in place, so that the one with the focus keeps it.
   * @param {Kind} kind
   * @param {number} position
   */
  drawButton(kind, position) {
    let button = /** @type {HTMLButtonElement | undefined} */ (this.buttons.children[position]);
    if (!button) {
      button = makeElement("button", "kind-button");
      button.type = "button";
      button.append(makeElement("kbd", "key"), makeElement("span", "kind-name"), makeElement("span", "kind-count"));
      this.buttons.append(button);
    }
    const [key, name, count] = /** @type {HTMLElement[]} */ ([...button.children]);
    const digit = String(position + 1);
    [key.textContent, name.textContent, count.textContent] = [digit, kind.name, String(kind.n)];
    name.dir = "auto";
    count.hidden = !kind.n;
    count.setAttribute("aria-hidden", "true"); // The button is called by its key and its kind.
    button.dataset.kind = kind.name;
    button.setAttribute("aria-keyshortcuts", digit);
    const isChosen = this.chosen.has(kind.name);
    button.classList.toggle("is-chosen", isChosen);
    if (this.form === "several") button.setAttribute("aria-pressed", String(isChosen));
    else button.removeAttribute("aria-pressed");
  }

  /** @param {number} digit 1 to 9. */
  chooseByKey(digit) {
    const button = /** @type {HTMLElement | undefined} */ (this.buttons.children[digit - 1]);
    if (button && this.form !== "number") this.choose(button.dataset.kind ?? "");
  }

  /** @param {string} kind */
  choose(kind) {
    if (this.form !== "several") {
      this.onAnswer([kind]);
      return;
    }
    if (!this.chosen.delete(kind)) this.chosen.add(kind);
    this.draw();
  }

  /** Take the kinds that were toggled; none of them is an answer, too. */
  finish() {
    if (this.form === "several") this.onAnswer(this.kinds.map(({ name }) => name).filter((name) => this.chosen.has(name)));
    if (this.form === "number") this.numberForm.requestSubmit();
  }

  /** @param {number} step */
  turnPage(step) {
    this.page = Math.max(0, this.page + step);
    this.draw();
  }
}
