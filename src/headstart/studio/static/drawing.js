// @ts-check
// How one example looks, the same on every screen: a picture, a text, or the values of a series with its axes.

import { formatNumber, makeElement, words } from "./dom.js";

/**
 * The values of a series, thinned out (see headstart.modalities.preview_records.SeriesPreview).
 * @typedef {object} SeriesValues
 * @property {(number | null)[][]} channels
 * @property {number} n_steps
 * @property {number} n_channels
 */

/**
 * An example as the server describes it (headstart.studio.example_json); one of picture, text and series is there.
 * @typedef {object} DrawnExample
 * @property {number} id
 * @property {string} name
 * @property {string | null} [kind]
 * @property {string} [picture] Address of the thumbnail.
 * @property {string} [large] Address of the large picture.
 * @property {string} [text]
 * @property {boolean} [is_cut] Whether the text goes on.
 * @property {string} [lang] Language of the text (BCP 47), where it is known.
 * @property {SeriesValues} [series]
 */

const SVG = "http://www.w3.org/2000/svg";
/** @type {Record<DrawnSize, {width: number, height: number, ticks: number}>} */
const SERIES_SIZES = {
  tile: { width: 240, height: 150, ticks: 3 },
  card: { width: 420, height: 220, ticks: 4 },
  large: { width: 960, height: 420, ticks: 6 },
};
const MOST_CHANNELS = 6;

/** @typedef {"tile" | "card" | "large"} DrawnSize Within a grid, in a list, or alone on the screen. */

/**
 * Return an element that shows an example. A tile holds nothing to click; a card folds a long text open; large shows
 * everything there is.
 * @param {DrawnExample} example
 * @param {DrawnSize} [size]
 * @returns {HTMLElement}
 */
export function drawExample(example, size = "card") {
  const figure = makeElement("figure", `example example-${size}`);
  if (example.picture) figure.append(drawPicture(example, size));
  else if (example.series) figure.append(drawSeries(example.series, size, example.name));
  else figure.append(...drawText(example, size));
  return figure;
}

/**
 * @param {DrawnExample} example
 * @param {DrawnSize} size
 * @returns {HTMLElement}
 */
function drawPicture(example, size) {
  const image = makeElement("img", "example-picture");
  image.alt = example.name;
  image.decoding = "async";
  if (size !== "large") image.loading = "lazy";
  image.addEventListener("error", () => image.replaceWith(makeElement("p", "example-broken", words("cannot_show"))));
  image.src = (size === "large" ? example.large : "") || example.picture || "";
  return image;
}

/**
 * @param {DrawnExample} example
 * @param {DrawnSize} size
 * @returns {HTMLElement[]}
 */
function drawText(example, size) {
  const text = makeElement("p", "example-text", example.text || words("empty_text"));
  text.dir = "auto";
  if (example.lang) text.lang = example.lang;
  if (!example.text) text.classList.add("quiet");
  if (size !== "card") return [text];
  const button = makeElement("button", "button quiet small", words("more"));
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.hidden = true;
  button.addEventListener("click", () => {
    const isOpen = text.classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(isOpen));
    button.textContent = words(isOpen ? "less" : "more");
  });
  // Whether lines are cut is known only once the text has a place on the page.
  new ResizeObserver((_, observer) => {
    if (text.clientHeight === 0) return;
    button.hidden = text.scrollHeight <= text.clientHeight + 1 && !text.classList.contains("is-open");
    if (!button.hidden) observer.disconnect();
  }).observe(text);
  return [text, button];
}

/**
 * Draw a series with both axes; time runs in the direction of reading.
 * @param {SeriesValues} series
 * @param {DrawnSize} size
 * @param {string} name
 * @returns {SVGElement}
 */
export function drawSeries(series, size, name) {
  const { width, height, ticks } = SERIES_SIZES[size];
  const values = series.channels.flat().filter((value) => value !== null);
  const levels = chooseTicks(Math.min(...values), Math.max(...values), ticks);
  const steps = chooseTicks(0, Math.max(series.n_steps - 1, 1), ticks).filter((step) => Number.isInteger(step) && step < series.n_steps);
  const plot = new Plot(width, height, levels, series.n_steps);
  const svg = makeShape("svg", { viewBox: `0 0 ${width} ${height}`, class: "example-series", role: "img" });
  svg.setAttribute("aria-label", `${name}: ${words("series_size", { n: series.n_steps, lines: series.n_channels })}`);
  for (const level of levels) {
    const y = plot.placeLevel(level);
    svg.append(makeShape("line", { x1: plot.start, x2: plot.end, y1: y, y2: y, class: "series-rule" }));
    const anchor = plot.isMirrored ? "start" : "end";
    svg.append(makeLabel(formatTick(level), plot.isMirrored ? plot.start + 6 : plot.start - 6, y + 4, anchor));
  }
  for (const step of steps) {
    svg.append(makeLabel(formatTick(step), plot.placeStep(step), height - 6, "middle"));
  }
  series.channels.slice(0, MOST_CHANNELS).forEach((channel, number) => {
    svg.append(makeShape("path", { d: plot.trace(channel), class: `series-line series-line-${number + 1}` }));
  });
  return svg;
}

/** Where values lie on a drawing. */
class Plot {
  /**
   * @param {number} width
   * @param {number} height
   * @param {number[]} levels Ticks of the values, which enclose them.
   * @param {number} nSteps
   */
  constructor(width, height, levels, nSteps) {
    this.isMirrored = document.documentElement.dir === "rtl";
    const margin = 12 + 7 * Math.max(...levels.map((level) => formatTick(level).length));
    this.start = this.isMirrored ? width - margin : margin;
    this.end = this.isMirrored ? 18 : width - 18;
    this.top = 10;
    this.bottom = height - 24;
    this.low = levels[0];
    this.high = levels[levels.length - 1];
    this.last = Math.max(1, nSteps - 1);
  }

  /**
   * @param {number} step
   * @returns {number}
   */
  placeStep(step) {
    return this.start + ((this.end - this.start) * step) / this.last;
  }

  /**
   * @param {number} level
   * @returns {number}
   */
  placeLevel(level) {
    return this.bottom - ((this.bottom - this.top) * (level - this.low)) / (this.high - this.low || 1);
  }

  /**
   * Return the path of a channel; missing values leave a gap.
   * @param {(number | null)[]} channel Values spread evenly over all steps.
   * @returns {string}
   */
  trace(channel) {
    const parts = [];
    let isDown = false;
    for (const [position, value] of channel.entries()) {
      if (value === null) {
        isDown = false;
        continue;
      }
      const x = this.placeStep((position * this.last) / Math.max(1, channel.length - 1)).toFixed(1);
      const y = this.placeLevel(value).toFixed(1);
      parts.push(`${isDown ? "L" : "M"}${x} ${y}${isDown ? "" : "h0.1"}`);
      isDown = true;
    }
    return parts.join("");
  }
}

/**
 * Return round numbers that enclose a range.
 * @param {number} low
 * @param {number} high
 * @param {number} most About how many.
 * @returns {number[]}
 */
export function chooseTicks(low, high, most) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) return [low - 1, low, low + 1];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? 10 * power;
  const ticks = [];
  for (let tick = Math.floor(low / step); tick < Math.ceil(high / step) + 0.5; tick += 1) {
    ticks.push(Number((tick * step).toPrecision(10)));
  }
  return ticks;
}

/**
 * @param {number} value
 * @returns {string}
 */
function formatTick(value) {
  return formatNumber(value, { maximumSignificantDigits: 4, notation: "compact" });
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElement}
 */
function makeShape(tag, attributes) {
  const shape = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
  return shape;
}

/**
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {"start" | "middle" | "end"} anchor
 * @returns {SVGElement}
 */
function makeLabel(text, x, y, anchor) {
  const label = makeShape("text", { x, y, "text-anchor": anchor, direction: "ltr", class: "series-tick" });
  label.textContent = text;
  return label;
}
