// Repeats made-up inputs and compares the answers with those of the machine that made this page (?check=1).

import { about, predict } from "./api.js";

const INPUTS = {
  image: (input) => ({ blob: new Blob([Uint8Array.from(atob(input), (mark) => mark.charCodeAt(0))], { type: "image/png" }) }),
  text: (input) => ({ text: input }),
  series: (input) => ({ series: input }),
};

/** The largest difference of two documents' numbers; infinite where words differ. `reason` repeats numbers: left out. */
export function difference(one, other) {
  if (typeof one === "number" && typeof other === "number") return Math.abs(one - other);
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other ? 0 : Infinity;
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => !["reason", "input", "top"].includes(name));
  return Math.max(0, ...names.map((name) => (name in one && name in other ? difference(one[name], other[name]) : Infinity)));
}

/** Compare, and write the outcome above the answers. */
export async function check() {
  const { modality, rows } = await (await fetch(new URL("check.json", import.meta.url))).json();
  const [model] = await about();
  const times = [];
  const apart = [];
  for (const { input, expected } of rows) {
    const start = performance.now();
    const [found] = await predict(model, [{ ...INPUTS[modality](input), name: "" }]);
    times.push(performance.now() - start);
    apart.push(difference(found, expected));
  }
  const same = apart.filter((one) => one <= 1e-3).length;
  const outcome = { n_rows: rows.length, same, largest: Math.max(...apart), first_ms: times[0], next_ms: Math.max(...times.slice(1)) };
  document.documentElement.dataset.check = JSON.stringify(outcome, (_, value) => (value === Infinity ? "other words" : value));
  document.getElementById("status").textContent =
    `Check: ${same} of ${rows.length} answers are those of the machine that made this page; largest difference ` +
    `${outcome.largest.toPrecision(2)}; first answer ${Math.round(times[0])} ms, next at most ${Math.round(outcome.next_ms)} ms.`;
}
