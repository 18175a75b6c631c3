// @ts-check
// The slider "How careful?": 100 little people, three ranges, and the setting that is written into the model.

import { post } from "./api.js";
import { api, findElement, findField, guard, makeElement, showError, words } from "./dom.js";

/**
 * @typedef {{ words: string, value: number, low: number, high: number }} Part
 * @typedef {{ refer_cost: number, questions: number, sentence: string, people: number[], parts: Part[] }} Level
 * @typedef {{ levels: Level[], present: Level, nearest: number }} Levels
 */

const SPACE = "http://www.w3.org/2000/svg";
const KINDS = ["right", "wrong", "left"];
const MARKS = ["M7 13.5l2.3 2.3 4-4.6", "M7.4 11.2l5.2 5.2M12.6 11.2l-5.2 5.2", "M8 11.6q2-2 3.6-.4t-1.6 3v.6M10 17.2v.1"];

/**
 * Start the slider.
 * @param {Levels} levels
 * @param {number} model
 * @param {(job: number) => Promise<import("./api.js").JobEvent>} follow Wait for a job.
 */
export function startSlider(levels, model, follow) {
  const slider = findField("care-level");
  const use = findField("care-use");
  const problem = findElement("care-problem");
  /** @type {Level} */ let chosen = levels.present;

  /** @param {Level} level */
  const show = (level) => {
    chosen = level;
    const isPresent = level.people.join() === levels.present.people.join();
    findElement("care-sentence").textContent = level.sentence;
    findElement("care-weight").textContent = describeWeight(level);
    findElement("care-note").textContent = words(isPresent ? "now" : "other");
    use.disabled = isPresent;
    slider.setAttribute("aria-valuetext", level.sentence);
    findElement("people").replaceChildren(...drawPeople(level.people));
    findElement("care-ranges").replaceChildren(...level.parts.map((part, at) => drawRange(part, KINDS[at])));
  };

  /**
   * @param {HTMLElement} button
   * @param {Record<string, unknown>} setting
   */
  const change = async (button, setting) => {
    findElement("care-note").textContent = words("changing");
    const answer = await guard(
      async () => {
        const { job } = await post(api(`models/${model}/care`), setting);
        return follow(job);
      },
      { busy: button, place: problem },
    );
    if (answer?.state === "done") location.reload();
    else if (answer) showError(answer.error ?? answer, { place: problem });
  };

  slider.addEventListener("input", () => show(levels.levels[Number(slider.value)]));
  use.addEventListener("click", () => change(use, { refer_cost: chosen.refer_cost }));
  const reset = findElement("care-reset");
  reset.addEventListener("click", () => change(reset, { reset: true }));
  document.getElementById("care-choose")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = /** @type {HTMLElement} */ (/** @type {SubmitEvent} */ (event).submitter ?? reset);
    change(button, { at_most_wrong: Number(findField("care-most").value) });
  });
  show(levels.present);
}

/** @param {Level} level */
function describeWeight(level) {
  if (!level.questions) return "";
  if (level.questions <= 1) return words("answers_all");
  return Number.isInteger(level.questions)
    ? words("questions", { n: level.questions })
    : words("questions_part", { n: Math.round(100 * level.questions) / 100 });
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} values
 * @param {...Element} inside
 */
function draw(tag, values, ...inside) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, String(value));
  element.append(...inside);
  return element;
}

/**
 * Draw as many little people as there are of each kind; the sign in them says the same as the colour.
 * @param {number[]} counts
 */
function drawPeople(counts) {
  return counts.flatMap((n, kind) =>
    Array.from({ length: n }, () =>
      draw(
        "svg",
        { viewBox: "0 0 20 24", class: `person ${KINDS[kind]}`, "aria-hidden": "true" },
        draw("circle", { class: "body", cx: 10, cy: 4.5, r: 3.4 }),
        draw("path", { class: "body", d: "M2.5 22v-6.5a6 6 0 016-6h3a6 6 0 016 6V22z" }),
        draw("path", { class: "mark", d: MARKS[kind], transform: "translate(0 2)" }),
      ),
    ),
  );
}

/**
 * Draw a share with its range, from none to all.
 * @param {Part} part
 * @param {string} kind
 */
function drawRange(part, kind) {
  const bar = draw(
    "svg",
    { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "range", "aria-hidden": "true" },
    draw("rect", { class: "ground", width: 100, height: 10, rx: 2 }),
    draw("rect", { class: "value", width: 100 * part.value, height: 10, rx: 2 }),
    draw("rect", { class: "span", x: 100 * part.low, width: Math.max(0.6, 100 * (part.high - part.low)), y: 4.2, height: 1.6 }),
  );
  const name = makeElement("span", "", words(`person_${kind}`));
  return makeElement("div", kind, name, bar, makeElement("small", "", part.words));
}
