// @ts-check
// The field card: an example of each kind, and the button that prints.

import { findElement, findField, listElements } from "./dom.js";
import { drawExample } from "./drawing.js";

const items = JSON.parse(findElement("items").textContent || "{}");
for (const place of listElements("[data-kind]")) {
  const example = items[String(place.dataset.kind)];
  if (example) place.append(drawExample(example, "tile"));
  else place.hidden = true;
}
findField("made-by").value = localStorage.getItem("headstart-who") ?? "";
findElement("print").addEventListener("click", () => print());
