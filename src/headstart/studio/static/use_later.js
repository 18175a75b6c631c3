// @ts-check
// Still good? New examples beside the check of the model.

import { get, post, upload } from "./api.js";
import { api, findElement, guard, makeElement, words } from "./dom.js";
import { acceptDrops, chosenModel, takeFiles } from "./use_state.js";
import { followJob } from "./use_many.js";

const current = { key: "" };

/** @param {import("./api.js").NamedFile[]} files */
async function take(files) {
  const place = findElement("later-problem");
  findElement("later-result").hidden = true;
  findElement("later-added").textContent = "";
  await guard(async () => {
    current.key = (await post(api("later"))).key;
    const { failed } = await upload(api(`later/${current.key}/files`), files);
    if (failed.length) throw failed[0].problem;
    const started = await post(api(`later/${current.key}/start`), { model: chosenModel() });
    findElement("later-command").textContent = started.command;
    findElement("later-progress").hidden = false;
    followJob(started.job, { line: findElement("later-words"), meter: findElement("later-meter"), place, done: show });
  }, { place });
}

async function show() {
  const result = await guard(() => get(api(`later/${current.key}`)), { place: findElement("later-problem") });
  findElement("later-progress").hidden = true;
  if (!result?.done) return;
  findElement("later-result").hidden = false;
  const level = result.level ? [makeElement("span", `level ${result.level}`, result.level_name), " "] : [];
  findElement("later-verdict").replaceChildren(...level, makeElement("strong", "", result.verdict || result.counted));
  const notes = result.is_labelled ? [] : [words("no_answers_inside")];
  const lines = [...result.new, result.right, ...notes, ...result.sentences, result.advice].filter(Boolean);
  findElement("later-sentences").replaceChildren(...lines.map((line) => makeElement("li", "", line)));
  findElement("later-places").replaceChildren(...(result.places.length ? [makePlaces(result.places)] : []));
}

/** @param {{ column: string, value: string, n: number, right: string }[]} places */
function makePlaces(places) {
  const table = makeElement("table", "table");
  const head = makeElement("tr", "", ...["place", "how_many", "right_column"].map((key) => makeElement("th", "", words(key))));
  table.append(makeElement("thead", "", head));
  const body = makeElement("tbody");
  for (const { column, value, n, right } of places) {
    body.append(makeElement("tr", "", makeElement("td", "", makeElement("bdi", "", `${column}: ${value}`)),
      makeElement("td", "", String(n)), makeElement("td", "", right || words("too_few_to_say"))));
  }
  table.append(body);
  return table;
}

async function add() {
  const button = findElement("later-add");
  const answer = await guard(() => post(api(`later/${current.key}/add`)), { busy: button, place: findElement("later-problem") });
  if (answer) findElement("later-added").textContent = answer.words;
}

/** Make the part of the screen work. */
export function startLater() {
  acceptDrops(findElement("later-drop"), take);
  const field = /** @type {HTMLInputElement} */ (findElement("later-files"));
  field.addEventListener("change", () => {
    const files = takeFiles(field);
    if (files.length) take(files);
  });
  findElement("later-add").addEventListener("click", add);
}
