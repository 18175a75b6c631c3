// @ts-check
// A grid of very many tiles: only those in sight are on the page, and only their data is fetched.
//
// For screen readers it is a list to choose from (listbox): every tile says its number and how many there are. The keys
// are those of a file manager; in pages from right to left the arrows go the way they point.

import { makeElement } from "./dom.js";

/**
 * What a grid shows, and what it reports.
 * @template Item
 * @typedef {object} GridOptions
 * @property {number} count How many items there are.
 * @property {(offset: number, limit: number) => Promise<Item[]>} fetchPage Return items in order; ids stay the same.
 * @property {(item: Item, index: number) => HTMLElement} renderTile Make the inside of a tile; nothing to click in it.
 * @property {string} label What the grid is called by screen readers.
 * @property {number} [tileWidth] Least width of a tile, in pixels (168).
 * @property {number} [tileHeight] Height of a tile, in pixels (184).
 * @property {boolean} [selectable] Whether tiles can be selected (false).
 * @property {(item: Item) => string | number} [groupOf] Tiles beside each other with the same value form a group.
 * @property {(count: number) => void} [onSelect] The number of selected tiles has changed.
 * @property {(item: Item, index: number) => void} [onOpen] A tile was opened: Enter, double click, or click if nothing
 * can be selected.
 * @property {(event: KeyboardEvent, item: Item | undefined) => void} [onKey] A key that the grid itself has no use for.
 */

/**
 * A grid on a page.
 * @template Item
 * @typedef {object} Grid
 * @property {() => Promise<Item[]>} readSelected Return the selected items in order, fetched if need be.
 * @property {() => number} countSelected
 * @property {() => void} clearSelection
 * @property {() => void} selectAll
 * @property {(indices: Iterable<number>, instead: boolean) => void} select Select tiles, with or instead of the others.
 * @property {() => void} selectGroup Select the group of the tile that has the focus.
 * @property {(count: number) => void} refresh Show other or changed items: everything is fetched again.
 * @property {(index: number) => void} focusTile
 */

const GAP = 12;
const PAGE_ITEMS = 60;
const MOST_PAGES = 60;
/** Browsers cannot scroll much further than this; beyond it a pixel of the bar stands for more. */
const MOST_HEIGHT = 12_000_000;
const FETCH_DELAY = 60;
const SPARE_ROWS = 2;
let nGrids = 0;

/**
 * Make a grid in an element, which becomes its scrolling area (give it a height).
 * @template {{id: string | number}} Item
 * @param {HTMLElement} element
 * @param {GridOptions<Item>} options
 * @returns {Grid<Item>}
 */
export function createGrid(element, options) {
  const grid = new VirtualGrid(element, options);
  return {
    readSelected: () => grid.readSelected(),
    countSelected: () => grid.selected.size,
    clearSelection: () => grid.select([], true),
    select: (indices, instead) => grid.select(indices, instead),
    selectAll: () => grid.select(range(0, grid.count - 1), true),
    selectGroup: () => grid.selectGroup(),
    refresh: (count) => grid.refresh(count),
    focusTile: (index) => grid.moveTo(index),
  };
}

/**
 * @param {number} from
 * @param {number} to Included.
 * @returns {number[]}
 */
function range(from, to) {
  const [low, high] = from <= to ? [from, to] : [to, from];
  return Array.from({ length: high - low + 1 }, (_, position) => low + position);
}

/** @template {{id: string | number}} Item */
class VirtualGrid {
  /**
   * @param {HTMLElement} element
   * @param {GridOptions<Item>} options
   */
  constructor(element, options) {
    this.element = element;
    this.options = options;
    this.count = options.count;
    this.tileWidth = options.tileWidth ?? 168;
    this.rowHeight = (options.tileHeight ?? 184) + GAP;
    this.prefix = `wall-${(nGrids += 1)}`;
    this.columns = 1;
    this.width = 0;
    this.height = 0;
    this.active = 0;
    this.anchor = 0;
    this.version = 0;
    this.timer = 0;
    /** @type {Map<number, Item[]>} Pages by number, the latest used last. */
    this.pages = new Map();
    /** @type {Map<number, Promise<void>>} */
    this.waiting = new Map();
    /** @type {Map<number, HTMLElement>} Tiles on the page by index. */
    this.tiles = new Map();
    /** @type {Set<number>} */
    this.selected = new Set();
    this.space = makeElement("div", "wall-space");
    this.space.setAttribute("role", "none");
    this.prepare();
    this.layOut();
  }

  prepare() {
    const { element } = this;
    element.classList.add("wall");
    element.setAttribute("role", "listbox");
    element.setAttribute("aria-label", this.options.label);
    if (this.options.selectable) element.setAttribute("aria-multiselectable", "true");
    element.tabIndex = 0;
    element.replaceChildren(this.space);
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    element.addEventListener("keydown", (event) => this.handleKey(event));
    element.addEventListener("click", (event) => this.handleClick(event));
    element.addEventListener("dblclick", (event) => this.open(this.findIndex(event)));
    element.addEventListener("focus", () => this.mark());
    new ResizeObserver(() => this.layOut()).observe(element);
  }

  /** Find how many columns fit, and draw. */
  layOut() {
    const width = this.space.clientWidth || this.tileWidth;
    this.columns = Math.max(1, Math.floor((width + GAP) / (this.tileWidth + GAP)));
    this.width = (width - GAP * (this.columns - 1)) / this.columns;
    const rows = Math.ceil(this.count / this.columns);
    this.height = Math.max(0, rows * this.rowHeight - GAP);
    this.space.style.height = `${Math.min(this.height, MOST_HEIGHT)}px`;
    this.removeTiles();
    this.draw();
  }

  /** Return how many pixels of the grid a pixel of the scroll bar stands for, minus what is the same. */
  get stretch() {
    const visible = this.element.clientHeight;
    return this.height > MOST_HEIGHT ? (this.height - visible) / Math.max(1, MOST_HEIGHT - visible) : 1;
  }

  /** Put the tiles in sight on the page, and take the others away. */
  draw() {
    const shown = this.element.scrollTop;
    const start = shown * this.stretch;
    const first = Math.max(0, Math.floor(start / this.rowHeight) - SPARE_ROWS) * this.columns;
    const lastRow = Math.ceil((start + this.element.clientHeight) / this.rowHeight) + SPARE_ROWS;
    const end = Math.min(this.count, lastRow * this.columns);
    for (const [index, tile] of this.tiles) {
      if (index < first || index >= end) {
        tile.remove();
        this.tiles.delete(index);
      }
    }
    for (let index = first; index < end; index += 1) {
      const tile = this.tiles.get(index) ?? this.addTile(index);
      const row = Math.floor(index / this.columns);
      tile.style.top = `${row * this.rowHeight - start + shown}px`;
    }
    this.mark();
    this.requestPages(first, end);
  }

  /**
   * @param {number} index
   * @returns {HTMLElement}
   */
  addTile(index) {
    const tile = makeElement("div", "wall-tile");
    tile.id = `${this.prefix}-${index}`;
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-posinset", String(index + 1));
    tile.setAttribute("aria-setsize", String(this.count));
    tile.dataset.index = String(index);
    tile.style.insetInlineStart = `${(index % this.columns) * (this.width + GAP)}px`;
    tile.style.width = `${this.width}px`;
    tile.style.height = `${this.rowHeight - GAP}px`;
    this.tiles.set(index, tile);
    const after = [...this.tiles.keys()].filter((other) => other > index);
    this.space.insertBefore(tile, after.length ? this.tiles.get(Math.min(...after)) ?? null : null);
    this.fill(tile, index);
    return tile;
  }

  /**
   * @param {HTMLElement} tile
   * @param {number} index
   */
  fill(tile, index) {
    const item = this.getItem(index);
    tile.classList.toggle("wall-waiting", item === undefined);
    tile.setAttribute("aria-busy", String(item === undefined));
    if (item === undefined) tile.setAttribute("aria-label", String(index + 1)); // A name until its words are there.
    else tile.removeAttribute("aria-label");
    if (item !== undefined) tile.replaceChildren(this.options.renderTile(item, index));
  }

  removeTiles() {
    this.tiles.clear();
    this.space.replaceChildren();
  }

  /**
   * @param {number} index
   * @returns {Item | undefined}
   */
  getItem(index) {
    return this.pages.get(Math.floor(index / PAGE_ITEMS))?.[index % PAGE_ITEMS];
  }

  /**
   * Fetch what is in sight once scrolling rests: who drags the bar through 100,000 tiles asks for one page.
   * @param {number} first
   * @param {number} end
   */
  requestPages(first, end) {
    window.clearTimeout(this.timer);
    const numbers = range(Math.floor(first / PAGE_ITEMS), Math.floor(Math.max(first, end - 1) / PAGE_ITEMS));
    if (end <= first || numbers.every((number) => this.pages.has(number))) return;
    this.timer = window.setTimeout(() => numbers.forEach((number) => void this.load(number)), FETCH_DELAY);
  }

  /**
   * @param {number} number
   * @returns {Promise<void>}
   */
  load(number) {
    const known = this.waiting.get(number);
    if (known || this.pages.has(number)) return known ?? Promise.resolve();
    const version = this.version;
    const fetching = this.options
      .fetchPage(number * PAGE_ITEMS, PAGE_ITEMS)
      .then((items) => {
        if (version === this.version) this.store(number, items);
      })
      .catch(() => {}) // The page of who asked shows the error; the next scroll asks again.
      .finally(() => {
        if (version === this.version) this.waiting.delete(number);
      });
    this.waiting.set(number, fetching);
    return fetching;
  }

  /**
   * @param {number} number
   * @param {Item[]} items
   */
  store(number, items) {
    this.pages.set(number, items);
    for (const [index, tile] of this.tiles) {
      if (Math.floor(index / PAGE_ITEMS) === number) this.fill(tile, index);
    }
    for (const old of this.pages.keys()) {
      if (this.pages.size <= MOST_PAGES) break;
      this.pages.delete(old);
    }
  }

  /** Say which tile has the focus and which are selected. */
  mark() {
    for (const [index, tile] of this.tiles) {
      tile.classList.toggle("wall-active", index === this.active);
      if (this.options.selectable) tile.setAttribute("aria-selected", String(this.selected.has(index)));
    }
    if (this.tiles.has(this.active)) {
      this.element.setAttribute("aria-activedescendant", `${this.prefix}-${this.active}`);
    } else {
      this.element.removeAttribute("aria-activedescendant");
    }
  }

  /**
   * @param {Iterable<number>} indices
   * @param {boolean} instead Whether what was selected before no longer is.
   */
  select(indices, instead) {
    if (!this.options.selectable) return;
    if (instead) this.selected.clear();
    for (const index of indices) this.selected.add(index);
    this.mark();
    this.options.onSelect?.(this.selected.size);
  }

  /** @param {number} index */
  toggle(index) {
    if (!this.options.selectable) return;
    if (!this.selected.delete(index)) this.selected.add(index);
    this.anchor = index;
    this.mark();
    this.options.onSelect?.(this.selected.size);
  }

  selectGroup() {
    const { groupOf } = this.options;
    const item = this.getItem(this.active);
    if (!groupOf || item === undefined) return;
    const group = groupOf(item);
    const isSame = (/** @type {number} */ index) => {
      const other = this.getItem(index);
      return other !== undefined && groupOf(other) === group;
    };
    let [low, high] = [this.active, this.active];
    while (isSame(low - 1)) low -= 1;
    while (isSame(high + 1)) high += 1;
    this.select(range(low, high), true);
  }

  /** @returns {Promise<Item[]>} */
  async readSelected() {
    const indices = [...this.selected].sort((a, b) => a - b);
    /** @type {Item[]} */
    const items = [];
    for (const index of indices) {
      if (this.getItem(index) === undefined) await this.load(Math.floor(index / PAGE_ITEMS));
      const item = this.getItem(index);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  /** @param {number} count */
  refresh(count) {
    this.version += 1;
    this.count = count;
    this.pages.clear();
    this.waiting.clear();
    this.active = Math.max(0, Math.min(this.active, count - 1));
    this.select([], true);
    this.layOut();
  }

  /**
   * Give a tile the focus and bring it into sight.
   * @param {number} index
   * @param {boolean} [extend] Select everything from the tile where the selection began.
   */
  moveTo(index, extend = false) {
    if (this.count === 0) return;
    this.active = Math.max(0, Math.min(index, this.count - 1));
    const top = Math.floor(this.active / this.columns) * this.rowHeight;
    const { clientHeight, scrollTop } = this.element;
    const start = scrollTop * this.stretch;
    if (top < start) this.element.scrollTop = top / this.stretch;
    else if (top + this.rowHeight > start + clientHeight) {
      this.element.scrollTop = Math.ceil((top + this.rowHeight - GAP - clientHeight) / this.stretch);
    }
    this.draw();
    if (extend) this.select(range(this.anchor, this.active), true);
    else this.anchor = this.active;
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    const steps = this.listSteps();
    const step = steps[event.key];
    const withControl = event.ctrlKey || event.metaKey;
    if (step !== undefined && !event.altKey) {
      this.moveTo(step, event.shiftKey && Boolean(this.options.selectable));
    } else if (event.key === "Enter") {
      this.open(this.active);
    } else if (event.key === " " && this.options.selectable) {
      this.toggle(this.active);
    } else if (event.key === "Escape" && this.selected.size) {
      this.select([], true);
    } else if (event.key.toLowerCase() === "a" && withControl && this.options.selectable) {
      this.select(range(0, this.count - 1), true);
    } else if (event.key.toLowerCase() === "g" && !withControl && this.options.groupOf) {
      this.selectGroup();
    } else {
      this.options.onKey?.(event, this.getItem(this.active));
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @returns {Record<string, number>} */
  listSteps() {
    const onward = getComputedStyle(this.element).direction === "rtl" ? -1 : 1;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight)) * this.columns;
    return {
      ArrowRight: this.active + onward,
      ArrowLeft: this.active - onward,
      ArrowDown: this.active + this.columns,
      ArrowUp: this.active - this.columns,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: this.count - 1,
    };
  }

  /**
   * @param {MouseEvent} event
   * @returns {number} -1 beside the tiles.
   */
  findIndex(event) {
    const tile = event.target instanceof Element ? event.target.closest(".wall-tile") : null;
    return tile instanceof HTMLElement ? Number(tile.dataset.index) : -1;
  }

  /** @param {MouseEvent} event */
  handleClick(event) {
    const index = this.findIndex(event);
    if (index < 0) return;
    if (!this.options.selectable) {
      this.moveTo(index);
      this.open(index);
    } else if (event.shiftKey) {
      this.moveTo(index, true);
    } else {
      this.active = index;
      this.toggle(index);
    }
  }

  /** @param {number} index */
  open(index) {
    const item = this.getItem(index);
    if (item !== undefined) this.options.onOpen?.(item, index);
  }
}
