// @ts-check
// Answers on their way to the server: in order, once each, and kept in the browser until they have arrived.
//
// Each operation is a key of its own in localStorage, so that two tabs never overwrite each other. An operation has the
// name of its tab and a number; the server takes a number once, so that sending again after a lost connection, or from
// another tab after a crash, does no harm.

import { post } from "./api.js";
import { api, projectId } from "./dom.js";

/**
 * @typedef {object} Operation
 * @property {"label" | "undo" | "redo"} action
 * @property {string} who
 * @property {number[]} [examples]
 * @property {string} [answer] "label", "not_sure", "none" or "skip".
 * @property {string[]} [labels]
 * @property {string} [purpose] "", "second" or "human_reference".
 * @property {string} [note]
 * @property {string} [chosen] How the examples came to be asked about.
 *
 * @typedef {object} Outcome
 * @property {number} number
 * @property {number[]} examples Whose answer changed.
 * @property {{label: string, probability: number} | null} [guess]
 * @property {string} [problem] Why it could not be stored; it is not sent again.
 * @property {string} [hint]
 *
 * @typedef {{client: string, number: number, operation: Operation}} Sent
 */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;
const MOST_AT_ONCE = 50;

export class LabelQueue {
  /**
   * @param {(outcome: Outcome, operation: Operation) => void} onDone
   * @param {(waiting: number, error: unknown) => void} onChange
   */
  constructor(onDone, onChange) {
    this.prefix = `headstart-label:${projectId()}:`;
    this.onDone = onDone;
    this.onChange = onChange;
    /** @type {Sent[]} */
    this.waiting = [];
    this.client = makeClientName();
    this.number = 0;
    this.wait = FIRST_WAIT;
    this.isSending = false;
  }

  /** Take up what an earlier page, or a tab that crashed, has left behind. */
  resume() {
    /** @type {Map<string, Sent[]>} */
    const left = new Map();
    for (const key of listKeys(this.prefix)) {
      const sent = readStored(key);
      if (sent) left.set(sent.client, [...(left.get(sent.client) ?? []), sent]);
    }
    for (const sent of left.values()) this.waiting.push(...sent.sort((a, b) => a.number - b.number));
    this.report(null);
    void this.send();
    window.addEventListener("online", () => void this.send());
  }

  /**
   * @param {Operation} operation
   * @returns {number} Its number on this page.
   */
  add(operation) {
    this.number += 1;
    const sent = { client: this.client, number: this.number, operation };
    this.waiting.push(sent);
    store(this.nameOf(sent), sent);
    this.report(null);
    void this.send();
    return this.number;
  }

  /** @param {Sent} sent */
  nameOf(sent) {
    return `${this.prefix}${sent.client}:${sent.number}`;
  }

  /** @param {unknown} error */
  report(error) {
    this.onChange(this.waiting.length, error);
  }

  /** Send what waits, oldest first; try again, ever more slowly, until it has arrived. */
  async send() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.waiting.length) {
      const client = this.waiting[0].client;
      const batch = this.waiting.filter((sent) => sent.client === client).slice(0, MOST_AT_ONCE);
      const operations = batch.map((sent) => ({ number: sent.number, ...sent.operation }));
      try {
        const reply = await post(api("label/operations"), { client, operations });
        this.settle(batch, reply.outcomes);
        this.wait = FIRST_WAIT;
        this.report(null);
      } catch (error) {
        this.report(error);
        await new Promise((resolve) => setTimeout(resolve, this.wait));
        this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
      }
    }
    this.isSending = false;
  }

  /**
   * @param {Sent[]} batch
   * @param {Outcome[]} outcomes
   */
  settle(batch, outcomes) {
    for (const outcome of outcomes) {
      const sent = batch.find((one) => one.number === outcome.number);
      if (!sent) continue;
      this.waiting = this.waiting.filter((one) => one !== sent);
      forget(this.nameOf(sent));
      if (sent.client === this.client) this.onDone(outcome, sent.operation);
    }
  }
}

/** A name for the operations of this page: no two pages have the same. */
function makeClientName() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} prefix */
function listKeys(prefix) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return []; // The browser keeps nothing: the queue lives as long as the page.
  }
}

/**
 * @param {string} key
 * @returns {Sent | null}
 */
function readStored(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {Sent} sent
 */
function store(key, sent) {
  try {
    localStorage.setItem(key, JSON.stringify(sent));
  } catch {
    // Full or forbidden: it is still in the memory of the page.
  }
}

/** @param {string} key */
function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}
