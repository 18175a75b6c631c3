// @ts-check
// One tested example large: what it is, what was answered, why, and its label to correct.

import { post, stream } from "./api.js";
import { api, findElement, guard, makeElement, projectId, showError, words } from "./dom.js";
import { drawExample } from "./drawing.js";
import { nameOutcome } from "./tested.js";

/**
 * @typedef {import("./tested.js").Tested} Tested
 * @typedef {{ model: number, isNumber: boolean, onChange: () => unknown }} DetailOptions
 */

const dialog = /** @type {HTMLDialogElement} */ (findElement("detail"));

/**
 * Show an example large.
 * @param {Tested} item
 * @param {DetailOptions} options
 */
export function showDetail(item, options) {
  const title = makeElement("h2", "", item.example?.name ?? item.id);
  title.id = "detail-title";
  title.dir = "auto";
  const picture = makeElement("div", "large");
  picture.append(item.example ? drawExample(item.example, "large") : makeElement("p", "quiet", words("gone")));
  const close = makeButton(words("close"), "second", () => dialog.close());
  const problem = makeElement("div", "notice error");
  problem.hidden = true;
  /** @type {HTMLElement[]} */
  const inside = [title, picture, listFacts(item), problem];
  if (item.example) {
    inside.push(explainButton(item, options, problem));
    if (!options.isNumber) inside.push(correctionForm(item, options, problem));
  }
  dialog.replaceChildren(makeElement("div", "stack", ...inside, makeElement("div", "row actions", close)));
  dialog.showModal();
}

/**
 * @param {string} label
 * @param {string} look
 * @param {() => unknown} run
 */
function makeButton(label, look, run) {
  const button = makeElement("button", `button ${look} small`, label);
  button.type = "button";
  button.addEventListener("click", run);
  return button;
}

/** @param {Tested} item */
function listFacts(item) {
  const outcome = nameOutcome(item);
  const answer = item.outcome === "not_answered" ? words("left", { guess: item.guess }) : item.guess;
  /** @type {[string, string | null][]} */
  const facts = [
    [words("truth"), item.true],
    [words("relabelled"), item.now],
    [words(outcome === "doubted" ? "suggested" : "answer"), answer],
    [words("second"), item.second],
    [words("sure"), item.sure],
  ];
  const list = makeElement("dl", "facts");
  for (const [name, value] of facts) {
    if (!value) continue;
    const cell = makeElement("dd", "", value);
    cell.dir = "auto";
    list.append(makeElement("dt", "", name), cell);
  }
  return list;
}

/**
 * @param {Tested} item
 * @param {DetailOptions} options
 * @param {HTMLElement} problem
 */
function explainButton(item, options, problem) {
  const number = item.example.id;
  const place = makeElement("div", "");
  const showLink = () => {
    const link = makeElement("a", "button second small", words("explained"));
    link.href = `/p/${encodeURIComponent(projectId())}/models/${options.model}/explained/${number}`;
    link.target = "_blank";
    link.rel = "noopener";
    place.replaceChildren(link);
    link.focus();
  };
  const button = makeButton(words("why"), "second", async () => {
    const answer = await guard(() => post(api(`models/${options.model}/explain/${number}`)), { busy: button, place: problem });
    if (!answer) return;
    if (answer.job === null) return showLink();
    button.textContent = words("looking");
    button.setAttribute("aria-busy", "true");
    stream(api(`jobs/${answer.job}/events`), (event) => {
      if (event.event !== "job") return;
      if (event.state === "done") showLink();
      else if (event.state === "failed") {
        button.removeAttribute("aria-busy");
        button.textContent = words("why");
        showError(event.error ?? event, { place: problem });
      }
    });
  });
  place.append(button);
  return place;
}

/** Ask for the name of who corrects, once in this browser. */
function readWho() {
  return localStorage.getItem("headstart-who") ?? "";
}

/**
 * @param {Tested} item
 * @param {DetailOptions} options
 * @param {HTMLElement} problem
 */
function correctionForm(item, options, problem) {
  const form = makeElement("form", "card stack");
  const menu = makeElement("select", "inline");
  menu.name = "label";
  const choices = /** @type {HTMLTemplateElement} */ (findElement("kind-choices"));
  menu.append(choices.content.cloneNode(true));
  menu.value = item.outcome === "right" ? item.true : item.guess;
  const label = makeElement("label", "row", words("label_wrong"), menu);
  const note = makeElement("p", "quiet");
  note.setAttribute("aria-live", "polite");

  /**
   * @param {string} chosen
   * @param {HTMLElement} button
   * @param {string} text
   */
  const write = async (chosen, button, text) => {
    const body = { example: item.example.id, label: chosen, who: readWho(), is_check_step: item.is_test };
    const answer = await guard(() => post(api("corrections"), body), { busy: button, place: problem });
    if (!answer) return;
    const undo = makeButton(words("undo"), "quiet", async () => {
      const back = { example: item.example.id, who: readWho() };
      if (!(await guard(() => post(api("corrections/undo"), back), { busy: undo, place: problem }))) return;
      note.replaceChildren(words("undone"));
      findElement("corrections").hidden = false;
      options.onChange();
    });
    note.replaceChildren(text, " ", undo);
    findElement("corrections").hidden = false;
    addLine(item, chosen);
    options.onChange();
  };
  const confirm = makeButton(item.outcome === "wrong" ? words("model_wrong") : words("label_right"), "second", () =>
    write(item.now ?? item.true, confirm, words("noted")),
  );
  const change = makeElement("button", "button small", words(item.is_test ? "check_anyway" : "change"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    write(menu.value, change, words("changed", { label: menu.value }));
  });
  form.append(confirm, label);
  if (item.is_test) form.append(makeElement("p", "notice warn", words("check_warning")));
  form.append(change, note);
  return form;
}

/**
 * Show a correction in the list of the page, until the page is loaded again.
 * @param {Tested} item
 * @param {string} label
 */
function addLine(item, label) {
  if (label === item.true) return;
  const name = makeElement("span", "", item.example.name);
  const change = makeElement("span", "", makeElement("s", "", item.true), " ", makeElement("b", "", label));
  const undo = makeButton(words("undo"), "quiet", async () => {
    const body = { example: item.example.id, who: readWho() };
    if (await guard(() => post(api("corrections/undo"), body), { busy: undo })) line.remove();
  });
  const line = makeElement("li", "row", name, change, undo);
  line.dir = "auto";
  line.dataset.example = String(item.example.id);
  findElement("correction-list").querySelector(`[data-example="${item.example.id}"]`)?.remove();
  findElement("correction-list").prepend(line);
}
