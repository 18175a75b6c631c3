// @ts-check
// Select tiles of a grid by drawing a box around them with the mouse.

const LEAST_PIXELS = 6;

export class Lasso {
  /**
   * @param {HTMLElement} area The grid, which scrolls.
   * @param {{select: (indices: number[], instead: boolean) => void}} grid
   */
  constructor(area, grid) {
    this.area = area;
    this.grid = grid;
    this.box = document.createElement("div");
    this.box.className = "lasso";
    this.box.hidden = true;
    document.body.append(this.box);
    /** @type {{x: number, y: number} | null} */
    this.start = null;
    this.isDrawn = false;
    area.addEventListener("pointerdown", (event) => this.press(event));
    window.addEventListener("pointermove", (event) => this.move(event));
    window.addEventListener("pointerup", (event) => this.release(event));
    area.addEventListener("click", (event) => this.swallowClick(event), { capture: true });
    area.addEventListener("dragstart", (event) => event.preventDefault()); // Pictures are not dragged away.
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.isDrawn = false;
    const onBar = event.offsetX > this.area.clientWidth && event.target === this.area;
    if (event.pointerType !== "mouse" || event.button !== 0 || onBar) return;
    this.start = { x: event.clientX, y: event.clientY };
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.start) return;
    const box = this.measure(event);
    if (!this.isDrawn && Math.max(box.width, box.height) < LEAST_PIXELS) return;
    this.isDrawn = true;
    event.preventDefault();
    this.box.hidden = false;
    Object.assign(this.box.style, {
      left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px`,
    }); // prettier-ignore
  }

  /** @param {PointerEvent} event */
  release(event) {
    if (!this.start) return;
    const box = this.measure(event);
    this.start = null;
    this.box.hidden = true;
    if (!this.isDrawn) return;
    const indices = [];
    for (const tile of this.area.querySelectorAll(".wall-tile")) {
      const { left, right, top, bottom } = tile.getBoundingClientRect();
      const isInside = left < box.left + box.width && right > box.left && top < box.top + box.height && bottom > box.top;
      if (isInside && tile instanceof HTMLElement) indices.push(Number(tile.dataset.index));
    }
    this.grid.select(indices, !event.ctrlKey && !event.metaKey && !event.shiftKey);
  }

  /**
   * The click that ends a drag selects nothing more.
   * @param {MouseEvent} event
   */
  swallowClick(event) {
    if (!this.isDrawn) return;
    this.isDrawn = false;
    event.stopPropagation();
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  measure(event) {
    const { x, y } = /** @type {{x: number, y: number}} */ (this.start);
    return {
      left: Math.min(x, event.clientX),
      top: Math.min(y, event.clientY),
      width: Math.abs(event.clientX - x),
      height: Math.abs(event.clientY - y),
    };
  }
}
