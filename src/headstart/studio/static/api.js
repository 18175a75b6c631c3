// @ts-check
// Requests to Studio. Every function throws a Problem.

import { words } from "./dom.js";

/** @typedef {{ status: number, problem: string, hint: string, [more: string]: unknown }} Problem */

const HEADER = { "X-Headstart": "1" };

/**
 * Return what Studio answers at an address.
 * @param {string} path
 * @returns {Promise<any>}
 */
export function get(path) {
  return send(path, { headers: HEADER });
}

/**
 * Send a JSON document and return the answer.
 * @param {string} path
 * @param {unknown} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export function post(path, body = {}, headers = {}) {
  const all = { ...HEADER, "Content-Type": "application/json", ...headers };
  return send(path, { method: "POST", headers: all, body: JSON.stringify(body) });
}

/**
 * @param {string} path
 * @param {RequestInit} request
 * @returns {Promise<any>}
 */
async function send(path, request) {
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw unreachable();
  }
  return readAnswer(response.status, await response.text());
}

/** @returns {Problem} */
function unreachable() {
  return { status: 0, problem: words("unreachable"), hint: "" };
}

/**
 * @param {number} status
 * @param {string} text
 * @returns {any}
 */
function readAnswer(status, text) {
  let document = /** @type {any} */ ({});
  try {
    document = text ? JSON.parse(text) : {};
  } catch {
    document = {};
  }
  if (status >= 200 && status < 300) return document;
  const error = document.error ?? {};
  const problem = status === 401 ? words("access_missing") : (error.problem ?? words("failed"));
  throw { ...error, status, problem, hint: error.hint ?? "" };
}

/**
 * Wait until a task of the server is done, and return its result.
 * @param {string} task
 * @param {(share: number | null) => void} [onProgress]
 * @returns {Promise<any>}
 */
export async function follow(task, onProgress) {
  for (;;) {
    const state = await get(`/api/tasks/${task}`);
    if (state.error) throw { status: 422, ...state.error };
    if (state.is_done) return state.result;
    onProgress?.(state.share);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/**
 * Send one file and return the answer.
 * @param {string} path
 * @param {NamedFile} item
 * @param {(share: number) => void} [onProgress]
 * @returns {Promise<any>}
 */
export function uploadOne(path, item, onProgress) {
  return sendFile(path, item, (n) => onProgress?.(n / Math.max(1, item.file.size)));
}

/**
 * A file to send, and the path that its folder gave it ("rust/img1.jpg").
 * @typedef {{ file: Blob, name: string }} NamedFile
 */

/**
 * Send files, each in a request of its own so that it goes to the disk as it comes; a few at a time.
 * @param {string} path Of a route that reads with `receive_upload`.
 * @param {NamedFile[]} files
 * @param {{ onProgress?: (share: number, n: number) => void, signal?: AbortSignal, parallel?: number }} [options]
 * @returns {Promise<{ answers: any[], failed: { name: string, problem: Problem }[] }>} In no fixed order.
 */
export async function upload(path, files, options = {}) {
  const total = Math.max(1, files.reduce((sum, item) => sum + item.file.size, 0));
  /** @type {any[]} */ const answers = [];
  /** @type {{ name: string, problem: Problem }[]} */ const failed = [];
  /** @type {Map<number, number>} */ const sent = new Map();
  let n_sent = 0;
  /** @type {(at: number, bytes: number) => void} */
  const report = (at, bytes) => {
    n_sent += bytes - (sent.get(at) ?? 0);
    sent.set(at, bytes);
    options.onProgress?.(n_sent / total, answers.length);
  };
  const queue = files.entries();
  const work = async () => {
    for (const [at, item] of queue) {
      if (options.signal?.aborted) return;
      try {
        answers.push(await sendFile(path, item, (n) => report(at, n), options.signal));
      } catch (error) {
        const problem = /** @type {Problem} */ (error);
        if (problem.status === 0) throw problem;
        failed.push({ name: item.name, problem });
      }
      report(at, item.file.size);
    }
  };
  await Promise.all(Array.from({ length: options.parallel ?? 4 }, work));
  return { answers, failed };
}

/**
 * @param {string} path
 * @param {NamedFile} item
 * @param {(n: number) => void} onBytes
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
function sendFile(path, item, onBytes, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("X-Headstart", "1");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(item.name));
    request.upload.addEventListener("progress", (event) => onBytes(event.loaded));
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("abort", () => reject(unreachable()));
    request.addEventListener("load", () => {
      try {
        resolve(readAnswer(request.status, request.responseText));
      } catch (problem) {
        reject(problem);
      }
    });
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(item.file);
  });
}

/**
 * One event of a job, as `headstart.studio.jobs` writes it, or the job itself (event "job").
 * @typedef {{ event: string, at?: number, step?: string, bar?: string, words?: string, share?: number, seconds_left?: number,
 *   state?: string, [more: string]: unknown }} JobEvent
 * `step` and `bar` are codes; `words` are for people.
 */

/**
 * Whether an event says that the job has ended.
 * @param {JobEvent} event
 */
export function isOver(event) {
  return event.event === "job" && ["done", "failed", "cancelled"].includes(String(event.state));
}

/**
 * Follow the events of a job until it ends; a lost connection is taken up where it was, and a hidden tab holds none.
 * @param {string} path Such as api(`jobs/${id}/events`).
 * @param {(event: JobEvent) => void} handler
 * @returns {{ close: () => void }}
 */
export function stream(path, handler) {
  let last = "0";
  let ended = false;
  /** @type {EventSource | undefined} */ let source;
  const open = () => {
    if (ended || source || document.hidden) return;
    source = new EventSource(`${path}?after=${last}`);
    source.onmessage = (message) => {
      if (message.lastEventId) last = message.lastEventId;
      const event = /** @type {JobEvent} */ (JSON.parse(message.data));
      if (isOver(event)) close();
      handler(event);
    };
  };
  const pause = () => {
    source?.close();
    source = undefined;
  };
  const turn = () => (document.hidden ? pause() : open());
  const close = () => {
    ended = true;
    pause();
    document.removeEventListener("visibilitychange", turn);
  };
  document.addEventListener("visibilitychange", turn);
  open();
  return { close };
}
