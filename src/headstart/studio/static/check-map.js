// @ts-check
// The map of all examples: rub over a part of it to see what lies there; without a pointer choose a kind.

import { get, post } from "./api.js";
import { api, findElement, findField, guard, makeElement, words } from "./dom.js";
import { renderTested } from "./tested.js";

/**
 * A point: id, place from left and from below (0 to 1), whether it was tested, its kind, what came of it.
 * @typedef {[string, number, number, number, string, string]} Point
 */

const MOST_LISTED = 60;
const COLOURS = 8;
const MARGIN = 14;

/**
 * Start the map; its points are fetched when it is opened.
 * @param {number} model
 * @param {(item: import("./tested.js").Tested) => void} open
 */
export function startMap(model, open) {
  const drawer = findElement("map-drawer");
  let isLoaded = false;
  drawer.addEventListener("toggle", async () => {
    if (isLoaded) return;
    isLoaded = true;
    const answer = await guard(() => get(api(`models/${model}/map`)));
    if (answer) new ExampleMap(model, answer.points, open);
  });
}

class ExampleMap {
  /**
   * @param {number} model
   * @param {Point[]} points
   * @param {(item: import("./tested.js").Tested) => void} open
   */
  constructor(model, points, open) {
    this.model = model;
    this.points = points;
    this.open = open;
    this.canvas = /** @type {HTMLCanvasElement} */ (findElement("map"));
    this.isMirrored = document.documentElement.dir === "rtl";
    this.kinds = [...new Set(points.map((point) => point[4]))];
    /** @type {[number, number][]} */ this.path = [];
    if (!points.length) {
      this.canvas.hidden = true;
      findElement("map-count").textContent = words("map_empty");
      return;
    }
    this.addLegend();
    this.draw();
    this.listen();
  }

  addLegend() {
    const legend = findElement("map-legend");
    legend.append(makeElement("span", "", words("map_signs")));
    const menu = findField("map-kind");
    menu.append(makeElement("option", "", ""));
    for (const [at, kind] of this.kinds.entries()) {
      if (at < COLOURS) legend.append(makeElement("span", `key c${at}`), makeElement("span", "", kind));
      const option = makeElement("option", "", kind);
      option.value = kind;
      menu.append(option);
    }
    menu.addEventListener("change", () => {
      this.path = [];
      this.draw();
      this.list(this.points.filter((point) => point[4] === menu.value));
    });
  }

  /** @param {Point} point */
  place(point) {
    const width = this.canvas.width - 2 * MARGIN;
    const x = this.isMirrored ? 1 - point[1] : point[1];
    return /** @type {[number, number]} */ ([MARGIN + x * width, MARGIN + (1 - point[2]) * (this.canvas.height - 2 * MARGIN)]);
  }

  draw() {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(document.documentElement);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const point of this.points) {
      const [x, y] = this.place(point);
      const at = this.kinds.indexOf(point[4]);
      const colour = style.getPropertyValue(at < COLOURS ? `--c${at}` : "--other");
      context.beginPath();
      context.fillStyle = context.strokeStyle = colour;
      context.lineWidth = 2;
      if (point[5] === "wrong") {
        context.moveTo(x - 5, y - 5);
        context.lineTo(x + 5, y + 5);
        context.moveTo(x + 5, y - 5);
        context.lineTo(x - 5, y + 5);
        context.stroke();
      } else {
        context.arc(x, y, point[3] ? 5 : 3, 0, 2 * Math.PI);
        if (point[3]) context.fill();
        else context.stroke();
      }
    }
    if (this.path.length > 1) {
      context.beginPath();
      for (const [x, y] of this.path) context.lineTo(x, y);
      context.closePath();
      context.strokeStyle = style.getPropertyValue("--ink");
      context.setLineDash([6, 4]);
      context.stroke();
      context.setLineDash([]);
    }
  }

  listen() {
    let isRubbing = false;
    /** @param {PointerEvent} event */
    const read = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const scale = this.canvas.width / box.width;
      this.path.push([(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      isRubbing = true;
      this.path = [];
      read(event);
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!isRubbing) return;
      read(event);
      this.draw();
    });
    this.canvas.addEventListener("pointerup", () => {
      isRubbing = false;
      this.list(this.points.filter((point) => isInside(this.place(point), this.path)));
    });
  }

  /** @param {Point[]} points */
  async list(points) {
    findElement("map-count").textContent = words("rubbed", { n: points.length });
    const list = findElement("map-list");
    list.replaceChildren();
    if (!points.length) return;
    const ids = points.slice(0, MOST_LISTED).map((point) => point[0]);
    const answer = await guard(() => post(api(`models/${this.model}/rows`), ids));
    for (const item of answer?.items ?? []) {
      const tile = makeElement("button", "tile", renderTested(item));
      tile.type = "button";
      tile.addEventListener("click", () => this.open(item));
      list.append(makeElement("li", "", tile));
    }
  }
}

/**
 * Return whether a point lies in a closed line (even-odd rule).
 * @param {[number, number]} point
 * @param {[number, number][]} path
 */
export function isInside([x, y], path) {
  let inside = false;
  for (let at = 0, before = path.length - 1; at < path.length; before = at++) {
    const [x1, y1] = path[at];
    const [x2, y2] = path[before];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
