// @ts-check
/** What the report can do where scripts run: filter the gallery, open the examples of a cell, save a table.
 * The page is complete without it. */
(() => {
  const gallery = document.getElementById("gallery");
  const form = gallery?.querySelector("form");
  if (!gallery || !form) return;
  const rows = [.../** @type {NodeListOf<HTMLElement>} */ (gallery.querySelectorAll("[data-row]"))];
  const selects = [...form.querySelectorAll("select")];
  const output = /** @type {HTMLOutputElement} */ (form.querySelector("output"));

  /** Show the rows that every list agrees to, and unfold what has any. */
  function filterRows() {
    const chosen = selects.filter((select) => select.value);
    for (const row of rows) {
      row.hidden = !chosen.every((select) => row.dataset[select.dataset.field ?? ""] === select.value);
    }
    for (const part of /** @type {NodeListOf<HTMLDetailsElement>} */ (gallery?.querySelectorAll(".part"))) {
      const any = part.querySelector("[data-row]:not([hidden])") !== null;
      part.hidden = !any;
      if (chosen.length > 0) part.open = any;
    }
    const shown = rows.filter((row) => !row.hidden).length;
    output.value = (output.dataset.text ?? "").replace("%n", String(shown)).replace("%all", String(rows.length));
  }

  /** Show only one class with one answer. @param {string} pair */
  function showPair(pair) {
    const [label, answer] = pair.split(",");
    for (const select of selects) {
      select.value = { true: label, answer }[select.dataset.field ?? ""] ?? "";
    }
    filterRows();
    const title = document.getElementById("gallery-title");
    for (let at = title?.closest("details"); at; at = at.parentElement?.closest("details")) at.open = true;
    title?.focus({ preventScroll: true });
    title?.scrollIntoView();
  }

  /** Write one cell; what a spreadsheet would take for a formula is made a text. @param {string} text */
  function quote(text) {
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  }

  /** Save the wrong rows that are shown now as a table; all of them where none is shown, all rows where none is wrong. */
  function saveTable() {
    const wrong = rows.filter((row) => row.dataset.outcome === "wrong");
    const all = wrong.length > 0 ? wrong : rows;
    const visible = all.filter((row) => !row.hidden);
    const lines = (visible.length > 0 ? visible : all).map((row) => {
      const text = row.querySelector(".message")?.textContent ?? "";
      return [.../** @type {string[]} */ (JSON.parse(row.dataset.row ?? "[]")), row.dataset.outcome ?? "", text];
    });
    const header = ["id", "label", "predicted", "probability", "second", "outcome", "text"];
    const separator = gallery?.dataset.separator ?? ",";
    const table = [header, ...lines].map((cells) => cells.map(quote).join(separator)).join("\r\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", table, "\r\n"], { type: "text/csv" }));
    link.download = wrong.length > 0 ? "wrong.csv" : "rows.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", filterRows);
  form.addEventListener("reset", () => setTimeout(filterRows));
  form.querySelector("[data-save]")?.addEventListener("click", saveTable);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-pair]") : null;
    if (!(link instanceof HTMLElement) || selects.every((select) => select.dataset.field !== "true")) return;
    event.preventDefault();
    showPair(link.dataset.pair ?? "");
  });
  filterRows();
})();
