// @ts-check
// Files as people hand them over: dropped folders, and photos taken with the camera.

import { upload } from "./api.js";
import { api, findElement, words } from "./dom.js";

/** @typedef {import("./api.js").NamedFile} NamedFile */

const MOST_FILES = 1_000_000;
const SMALL_BYTES = 500_000;
const BATCH_BYTES = 2_000_000;
const BATCH_FILES = 200;

/**
 * Return the files of a drop, those in dropped folders too, with the folders in front of their names.
 * The entries are taken from the event at once: it is empty a moment later.
 * @param {DataTransfer | null} transfer
 * @returns {Promise<NamedFile[]>}
 */
export function listDropped(transfer) {
  const items = [...(transfer?.items ?? [])].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = items.map((item) => item.getAsFile());
  return readEntries(entries, files);
}

/**
 * @param {(FileSystemEntry | null)[]} entries
 * @param {(File | null)[]} files By which an entry that is none can still be read.
 * @returns {Promise<NamedFile[]>}
 */
async function readEntries(entries, files) {
  /** @type {NamedFile[]} */
  const named = [];
  for (const [position, entry] of entries.entries()) {
    const file = files[position];
    if (entry) await walk(entry, named);
    else if (file) named.push({ file, name: file.name });
  }
  return named;
}

/**
 * @param {FileSystemEntry} entry
 * @param {NamedFile[]} named Files are added to it.
 */
async function walk(entry, named) {
  if (named.length >= MOST_FILES) return;
  const name = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    named.push({ file: /** @type {File} */ (file), name });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} Browsers give a hundred at a time. */
    const inside = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!inside.length) return;
    for (const child of inside) await walk(child, named);
  }
}

/**
 * Send the files of a set: many small ones in one request, large ones as they are read from the disk.
 * @param {number} set
 * @param {NamedFile[]} files
 * @param {{ onProgress: (share: number, n: number) => void, signal: AbortSignal }} options
 * @returns {Promise<{ failed: { name: string }[] }>}
 */
export async function sendSet(set, files, { onProgress, signal }) {
  const total = Math.max(1, files.reduce((sum, item) => sum + item.file.size, 0));
  const small = files.filter((item) => item.file.size <= SMALL_BYTES);
  let nBytes = 0;
  let nFiles = 0;
  const queue = makeBatches(small).values();
  const work = async () => {
    for (const batch of queue) {
      if (signal.aborted) return;
      await sendBatch(api(`uploads/${set}/batch`), batch, signal);
      nBytes += batch.reduce((sum, item) => sum + item.file.size, 0);
      nFiles += batch.length;
      onProgress(nBytes / total, nFiles);
    }
  };
  await Promise.all([work(), work()]);
  const large = files.filter((item) => item.file.size > SMALL_BYTES);
  const part = (total - nBytes) / total;
  return upload(api(`uploads/${set}/files`), large, {
    onProgress: (share, n) => onProgress(nBytes / total + part * share, nFiles + n),
    signal,
  });
}

/**
 * @param {NamedFile[]} files
 * @returns {NamedFile[][]}
 */
function makeBatches(files) {
  /** @type {NamedFile[][]} */
  const batches = [];
  let nBytes = BATCH_BYTES;
  for (const item of files) {
    if (nBytes + item.file.size > BATCH_BYTES || batches[batches.length - 1].length >= BATCH_FILES) {
      batches.push([]);
      nBytes = 0;
    }
    batches[batches.length - 1].push(item);
    nBytes += item.file.size;
  }
  return batches;
}

/**
 * @param {string} path
 * @param {NamedFile[]} batch
 * @param {AbortSignal} signal
 */
async function sendBatch(path, batch, signal) {
  const head = JSON.stringify(batch.map((item) => [item.name, item.file.size]));
  const body = new Blob([`${head}\n`, ...batch.map((item) => item.file)]);
  const headers = { "X-Headstart": "1", "Content-Type": "application/octet-stream" };
  let response;
  try {
    response = await fetch(path, { method: "POST", headers, body, signal });
  } catch {
    throw { status: 0, problem: words("unreachable"), hint: "" };
  }
  if (!response.ok) throw { status: response.status, ...(await response.json()).error };
}

/**
 * Let the person take photos on this page; where the browser gives no camera, its own camera button is asked.
 * @param {() => void} askBrowser
 * @returns {Promise<NamedFile[]>} Empty where the person threw them away.
 */
export async function takePhotos(askBrowser) {
  const stream = await openCamera();
  if (!stream) {
    askBrowser();
    return [];
  }
  const dialog = /** @type {HTMLDialogElement} */ (findElement("shooting"));
  const video = /** @type {HTMLVideoElement} */ (findElement("video"));
  video.srcObject = stream;
  await video.play();
  dialog.showModal();
  try {
    return await collectPhotos(dialog, video);
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    dialog.close();
  }
}

/** @returns {Promise<MediaStream | undefined>} */
async function openCamera() {
  try {
    return await navigator.mediaDevices?.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1600 } } });
  } catch {
    return undefined;
  }
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLVideoElement} video
 * @returns {Promise<NamedFile[]>}
 */
function collectPhotos(dialog, video) {
  /** @type {NamedFile[]} */
  const photos = [];
  const controller = new AbortController();
  const { signal } = controller;
  const done = /** @type {HTMLButtonElement} */ (findElement("shooting-done"));
  const tell = () => {
    findElement("shooting-count").textContent = words("photos_taken", { n: photos.length });
    done.disabled = photos.length === 0;
  };
  tell();
  return new Promise((resolve) => {
    const finish = (/** @type {NamedFile[]} */ result) => {
      controller.abort();
      resolve(result);
    };
    findElement("shoot").addEventListener("click", async () => {
      photos.push({ file: await grabFrame(video), name: `${new Date().toISOString().replace(/[:.]/g, "-")}.jpg` });
      tell();
    }, { signal });
    done.addEventListener("click", () => finish(photos), { signal });
    findElement("shooting-cancel").addEventListener("click", () => finish([]), { signal });
    dialog.addEventListener("cancel", () => finish([]), { signal });
  });
}

/**
 * @param {HTMLVideoElement} video
 * @returns {Promise<Blob>}
 */
function grabFrame(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no frame"))), "image/jpeg", 0.92);
  });
}
