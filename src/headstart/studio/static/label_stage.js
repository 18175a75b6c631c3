// @ts-check
// One example at a time: what is shown, what comes next, and the way back.

import { post } from "./api.js";
import { api, findElement, guard, words } from "./dom.js";
import { drawExample } from "./drawing.js";
import { PhotoViewer } from "./label_viewer.js";

/**
 * @typedef {import("./label_queue.js").LabelQueue} LabelQueue
 * @typedef {import("./label_queue.js").Operation} Operation
 * @typedef {import("./label_queue.js").Outcome} Outcome
 * @typedef {import("./label_answers.js").AnswerPanel} AnswerPanel
 * @typedef {{label: string, probability: number}} Guess
 *
 * What the screen needs of an example beside how it is drawn.
 * @typedef {object} Answered
 * @property {string} [answer] What this person said so far: "label", "not_sure", "none" or "skip".
 * @property {string[]} [labels]
 * @property {string} [note]
 * @property {Guess | null} [guess] In Review mode only.
 * @property {string} [chosen] How it came to be asked about.
 *
 * @typedef {import("./drawing.js").DrawnExample & Answered} LabelExample
 *
 * Something to take back; without an example where it concerned many, or a kind.
 * @typedef {{example: LabelExample | null, operation: Operation | null}} Step
 * @typedef {"useful" | "random" | "review" | "second" | "human_reference"} Mode
 */

const N_AHEAD = 5; // So many are there at least, with their photos, unless the server is slower than the person.
const SWIPE_PIXELS = 70;

export class Stage {
  /**
   * @param {LabelQueue} queue
   * @param {AnswerPanel} panel
   * @param {() => string} readWho
   */
  constructor(queue, panel, readWho) {
    this.queue = queue;
    this.panel = panel;
    this.readWho = readWho;
    /** @type {Mode} */
    this.mode = "useful";
    /** @type {LabelExample | null} */
    this.current = null;
    /** @type {LabelExample[]} */
    this.ahead = [];
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
    /** @type {Map<number, number>} Example that an undo should concern, by the number of the undo; 0: unknown. */
    this.expected = new Map();
    this.isFetching = false;
    this.isAtEnd = false;
    this.isStale = false;
    /** What was left to a person of one file: see the Use screen. */
    this.source = Number(findElement("stage").dataset.source) || null;
    /** Of what more is wanted: a kind, or a value of a column. */
    this.focus = JSON.parse(findElement("stage").dataset.focus ?? "{}");
    this.box = findElement("example");
    this.frame = findElement("photo");
    this.note = /** @type {HTMLInputElement} */ (findElement("note"));
    const brightness = /** @type {HTMLInputElement} */ (findElement("brightness"));
    this.viewer = new PhotoViewer(this.frame, brightness);
    this.listenToSwipes();
  }

  /** @param {Mode} mode */
  async begin(mode) {
    this.mode = mode;
    this.ahead = [];
    this.current = null;
    this.isAtEnd = false;
    this.show(null);
    await this.fetchAhead();
    if (!this.current) this.showNext();
  }

  /** Fetch the next examples, and their photos, before they are looked at. */
  async fetchAhead() {
    if (this.isFetching || this.isAtEnd) return;
    this.isFetching = true;
    const mode = this.mode;
    const except = this.listBusy();
    const { source, focus } = this;
    const body = { who: this.readWho(), client: this.queue.client, mode, n: 2 * N_AHEAD, except, source, focus };
    const reply = await guard(() => post(api("label/next"), body));
    this.isFetching = false;
    if (mode !== this.mode) await this.fetchAhead();
    else if (reply) this.takeAhead(reply.examples);
  }

  /**
   * @param {LabelExample[]} examples
   */
  takeAhead(examples) {
    if (this.isStale) this.ahead = this.ahead.slice(0, 1);
    this.isStale = false;
    const busy = new Set(this.listBusy());
    const fresh = examples.filter((example) => !busy.has(example.id));
    this.isAtEnd = fresh.length === 0;
    this.ahead = [...this.ahead, ...fresh].slice(0, 3 * N_AHEAD);
    for (const example of this.ahead) loadPhoto(example);
    if (!this.current) this.show(this.ahead.shift() ?? null);
  }

  /** A new round was learnt: what lies ahead is replaced, but for the very next one, once the new ones are here. */
  refresh() {
    this.isStale = true;
    this.isAtEnd = false;
    void this.fetchAhead();
  }

  /** Examples that must not come again: shown, fetched, or answered on the way to the server. */
  listBusy() {
    const sent = this.queue.waiting.flatMap(({ operation }) => operation.examples ?? []);
    const ahead = this.ahead.slice(0, this.isStale ? 1 : undefined).map(({ id }) => id);
    return [...new Set([...sent, ...ahead, ...(this.current ? [this.current.id] : [])])];
  }

  showNext() {
    this.show(this.ahead.shift() ?? null);
    if (this.ahead.length < N_AHEAD) void this.fetchAhead();
  }

  /** @param {LabelExample | null} example */
  show(example) {
    this.current = example;
    findElement("redo").hidden = this.undone.length === 0;
    findElement("stage").hidden = example === null;
    findElement("nothing-left").hidden = example !== null || !this.isAtEnd;
    findElement("review-question").hidden = !example?.guess;
    this.panel.start(example?.labels ?? []);
    document.dispatchEvent(new CustomEvent("label-shown", { detail: example }));
    if (!example) return;
    this.note.value = example.note ?? "";
    const isPhoto = Boolean(example.picture);
    this.frame.hidden = !isPhoto;
    findElement("photo-tools").hidden = !isPhoto;
    this.box.hidden = isPhoto;
    if (isPhoto) {
      this.viewer.image.src = example.large ?? example.picture ?? "";
      this.viewer.image.alt = example.name;
      this.viewer.reset();
    } else this.box.replaceChildren(drawExample(example, "large"));
    findElement("example-name").textContent = example.name;
    findElement("example-before").textContent = this.describeAnswer(example);
    this.announce(example);
  }

  /** @param {LabelExample} example */
  describeAnswer(example) {
    if (!example.answer) return "";
    const answer = example.answer === "label" ? (example.labels ?? []).join(", ") : words(example.answer);
    return words("you-answered", { answer });
  }

  /** @param {LabelExample} example */
  announce(example) {
    const shown = example.text ? example.text.slice(0, 300) : example.name;
    const guess = example.guess ? words("is-this", { kind: example.guess.label }) : "";
    findElement("announcement").textContent = [words("new-example", { example: shown }), guess].join(" ").trim();
  }

  /**
   * Take an answer; the next example is there at once, the answer travels by itself.
   * @param {string} answer
   * @param {string[]} [labels]
   */
  answer(answer, labels = []) {
    const example = this.current;
    if (!example) return;
    const purpose = this.mode === "human_reference" || this.mode === "second" ? this.mode : "";
    const note = this.note.value.trim();
    const operation = /** @type {Operation} */ ({
      action: "label", who: this.readWho(), examples: [example.id], answer, labels, purpose, note,
      chosen: example.chosen ?? "",
    });
    this.done.push({ example: { ...example, answer, labels, note, guess: null }, operation });
    this.undone = [];
    this.queue.add(operation);
    this.flash(answer === "label" ? labels.join(", ") : words(answer));
    this.showNext();
  }

  /** @param {string} text What was answered, for a moment. */
  flash(text) {
    const toast = findElement("toast");
    toast.textContent = text;
    toast.classList.remove("is-new");
    void toast.offsetWidth; // Starts the animation again.
    toast.classList.add("is-new");
  }

  /**
   * Note what was done elsewhere on this screen, so that Back takes things back in their order.
   * @param {Operation | null} operation
   */
  noteStep(operation) {
    this.done.push({ example: null, operation });
    this.undone = [];
  }

  /** Take back what was done last, and what was before, without an end. */
  back() {
    const step = this.done.pop();
    const number = this.queue.add({ action: "undo", who: this.readWho() });
    if (!step || step.example) this.expected.set(number, step?.example?.id ?? 0);
    if (!step) return; // From an earlier visit: the server says which.
    this.undone.push(step);
    findElement("redo").hidden = false;
    this.flash(words("taken-back"));
    if (!step.example) return;
    if (this.current) this.ahead.unshift(this.current);
    this.show(step.example);
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return;
    this.done.push(step);
    findElement("redo").hidden = this.undone.length === 0;
    this.queue.add({ action: "redo", who: this.readWho() });
    const id = step.example?.id;
    this.ahead = this.ahead.filter((example) => example.id !== id);
    if (id !== undefined && this.current?.id === id) this.showNext();
  }

  /**
   * The server has it.
   * @param {Outcome} outcome
   * @param {Operation} operation
   */
  async confirm(outcome, operation) {
    if (!this.current && !this.isAtEnd) void this.fetchAhead(); // The connection is back.
    if (operation.action === "undo") {
      const expected = this.expected.get(outcome.number);
      this.expected.delete(outcome.number);
      const [id, another] = outcome.examples;
      // Another tab, or an earlier visit, did last what was taken back.
      if (id !== undefined && another === undefined && expected !== undefined && expected !== id) await this.open(id);
      return;
    }
    if (outcome.guess && operation.action === "label" && operation.answer === "label" && !operation.purpose) {
      document.dispatchEvent(new CustomEvent("label-guess", { detail: { outcome, operation } }));
    }
  }

  /**
   * Show one example again.
   * @param {number} id
   */
  async open(id) {
    const body = { who: this.readWho(), ids: [id] };
    const reply = await guard(() => post(api("label/examples"), body));
    if (!reply?.examples.length) return;
    if (this.current) this.ahead.unshift(this.current);
    this.show(reply.examples[0]);
  }

  /** On a phone: to the left passes an example over, to the right goes back; in Review mode they are No and Yes. */
  listenToSwipes() {
    /** @type {{x: number, y: number} | null} */
    let start = null;
    const area = findElement("stage-example");
    area.addEventListener("touchstart", (event) => {
      const { clientX: x, clientY: y } = event.touches[0];
      start = event.touches.length === 1 && !this.viewer.isZoomed ? { x, y } : null;
    }, { passive: true }); // prettier-ignore
    area.addEventListener("touchend", (event) => {
      if (!start) return;
      const { clientX, clientY } = event.changedTouches[0];
      const [alongX, alongY] = [clientX - start.x, clientY - start.y];
      start = null;
      if (Math.abs(alongX) < SWIPE_PIXELS || Math.abs(alongX) < 2 * Math.abs(alongY)) return;
      document.dispatchEvent(new CustomEvent("label-swipe", { detail: alongX < 0 ? "left" : "right" }));
    }); // prettier-ignore
  }
}

/** @param {LabelExample} example */
function loadPhoto(example) {
  const address = example.large ?? example.picture;
  if (address) new Image().src = address;
}
