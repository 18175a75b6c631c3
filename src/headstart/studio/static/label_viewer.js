// @ts-check
// One photo, large: zoom with + and -, the wheel or two fingers; move by dragging; brighter or darker.

const STEP = 1.25;
const LARGEST = 12;

export class PhotoViewer {
  /**
   * @param {HTMLElement} frame Holds one img.
   * @param {HTMLInputElement} brightness A slider of percents.
   */
  constructor(frame, brightness) {
    this.frame = frame;
    this.image = /** @type {HTMLImageElement} */ (frame.querySelector("img"));
    this.brightness = brightness;
    /** @type {Map<number, {x: number, y: number}>} */
    this.fingers = new Map();
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.draw();
    brightness.addEventListener("input", () => this.draw());
    frame.addEventListener("wheel", (event) => this.turnWheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.press(event));
    frame.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      frame.addEventListener(end, (event) => this.fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
    }
    frame.addEventListener("dblclick", () => (this.scale > 1 ? this.reset() : this.zoom(STEP ** 4)));
  }

  /** Whether a drag moves the photo; otherwise it may be a swipe. */
  get isZoomed() {
    return this.scale > 1;
  }

  reset() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.brightness.value = "100";
    this.draw();
  }

  /**
   * @param {number} factor
   * @param {number} [atX] Point that stays where it is, from the middle of the frame.
   * @param {number} [atY]
   */
  zoom(factor, atX = 0, atY = 0) {
    const scale = Math.min(LARGEST, Math.max(1, this.scale * factor));
    const change = scale / this.scale;
    this.x = atX - (atX - this.x) * change;
    this.y = atY - (atY - this.y) * change;
    this.scale = scale;
    this.draw();
  }

  zoomIn() {
    this.zoom(STEP);
  }

  zoomOut() {
    this.zoom(1 / STEP);
  }

  draw() {
    const [width, height] = [this.frame.clientWidth, this.frame.clientHeight];
    const [farX, farY] = [(width * (this.scale - 1)) / 2, (height * (this.scale - 1)) / 2];
    this.x = Math.min(farX, Math.max(-farX, this.x));
    this.y = Math.min(farY, Math.max(-farY, this.y));
    this.image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.image.style.filter = `brightness(${this.brightness.value}%)`;
    this.frame.classList.toggle("is-zoomed", this.isZoomed);
  }

  /** @param {WheelEvent} event */
  turnWheel(event) {
    if (!event.ctrlKey && !this.isZoomed) return; // The page scrolls, as people expect.
    event.preventDefault();
    const [x, y] = this.measureFromMiddle(event.clientX, event.clientY);
    this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, x, y);
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.isZoomed) this.frame.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const after = { x: event.clientX, y: event.clientY };
    if (this.fingers.size === 2) this.pinch(event.pointerId, after);
    else if (this.isZoomed) {
      this.x += after.x - before.x;
      this.y += after.y - before.y;
      this.draw();
    }
    this.fingers.set(event.pointerId, after);
  }

  /**
   * @param {number} moved
   * @param {{x: number, y: number}} after
   */
  pinch(moved, after) {
    const before = /** @type {{x: number, y: number}} */ (this.fingers.get(moved));
    const [, still] = [...this.fingers].find(([finger]) => finger !== moved) ?? [0, before];
    const distance = Math.hypot(before.x - still.x, before.y - still.y);
    const [x, y] = this.measureFromMiddle((after.x + still.x) / 2, (after.y + still.y) / 2);
    if (distance) this.zoom(Math.hypot(after.x - still.x, after.y - still.y) / distance, x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  measureFromMiddle(x, y) {
    const box = this.frame.getBoundingClientRect();
    return [x - box.left - box.width / 2, y - box.top - box.height / 2];
  }
}
