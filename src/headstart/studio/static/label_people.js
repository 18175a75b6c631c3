// @ts-check
// What persons say beside each other, and beside the model: agreement, examples to settle, the human reference.

import { get } from "./api.js";
import { api, findElement, guard, makeElement, words } from "./dom.js";
import { drawExample } from "./drawing.js";

/**
 * @typedef {import("./label_stage.js").LabelExample} LabelExample
 * @typedef {import("./label_many.js").LabelStore} LabelStore
 * @typedef {{title: string, words: string, share: number | null, low: number | null, high: number | null}} Bar
 * @typedef {{example: LabelExample, answers: {who: string, words: string, labels: string[], answer: string}[]}} Differing
 */

export class PeopleView {
  /**
   * @param {LabelStore} store
   * @param {() => string} readWho
   */
  constructor(store, readWho) {
    this.store = store;
    this.readWho = readWho;
    this.canBeSecond = true;
  }

  async load() {
    const reply = await guard(() => get(api(`label/people?who=${encodeURIComponent(this.readWho())}`)));
    if (!reply) return;
    findElement("agreement-words").textContent = reply.agreement.words;
    findElement("agreement-bar").replaceChildren(...drawBars(reply.agreement.bars));
    findElement("start-reference").hidden = reply.reference.n_waiting === 0;
    this.canBeSecond = reply.can_be_second;
    findElement("reference-words").textContent = reply.reference.words;
    findElement("reference-bars").replaceChildren(...drawBars(reply.reference.bars));
    /** @type {Differing[]} */
    const differing = reply.agreement.differing;
    findElement("differing-title").hidden = differing.length === 0;
    const list = findElement("differing");
    const hadFocus = list.contains(document.activeElement);
    list.replaceChildren(...differing.map((one) => this.drawDiffering(one)));
    if (hadFocus) (list.querySelector("button") ?? findElement("agreement-title")).focus();
  }

  /** @param {Differing} differing */
  drawDiffering({ example, answers }) {
    const card = makeElement("li", "differing-card");
    const choices = makeElement("div", "differing-answers");
    for (const { words: text, labels, answer } of answers) {
      const button = makeElement("button", "button second", text);
      button.type = "button";
      button.dir = "auto";
      button.addEventListener("click", () => {
        const operation = /** @type {const} */ ({ action: "label", purpose: "settle" });
        this.store.add({ ...operation, who: this.readWho(), examples: [example.id], answer, labels });
        const next = /** @type {HTMLElement | null} */ (card.nextElementSibling);
        card.remove();
        /** @type {HTMLElement} */ (next?.querySelector("button") ?? findElement("agreement-title")).focus();
      });
      choices.append(button);
    }
    card.append(drawExample(example, "card"), choices);
    return card;
  }
}

/**
 * Return bars with their range: what was counted in words, and ends that have names.
 * @param {Bar[]} bars
 */
export function drawBars(bars) {
  const rows = bars.map(drawBar);
  return bars.some((bar) => bar.low !== null) ? [...rows, drawEnds()] : rows;
}

function drawEnds() {
  const row = makeElement("div", "range-row range-scale");
  const ends = makeElement("span", "ends");
  ends.append(makeElement("span", "", words("range-none")), makeElement("span", "", words("range-all")));
  row.append(makeElement("span"), ends, makeElement("span"));
  return row;
}

/** @param {Bar} bar */
function drawBar(bar) {
  const row = makeElement("div", "range-row");
  const title = makeElement("span", "range-title", bar.title);
  title.dir = "auto";
  row.append(title);
  if (bar.low !== null && bar.high !== null) {
    const track = makeElement("span", "range-track");
    const range = makeElement("span", "range-span");
    range.style.insetInlineStart = `${100 * bar.low}%`;
    range.style.inlineSize = `${100 * (bar.high - bar.low)}%`;
    const mark = makeElement("span", "range-mark");
    mark.style.insetInlineStart = `${100 * (bar.share ?? 0)}%`;
    track.append(range, mark);
    track.setAttribute("aria-hidden", "true");
    row.append(track);
  }
  row.append(makeElement("span", "range-words", bar.words));
  return row;
}
