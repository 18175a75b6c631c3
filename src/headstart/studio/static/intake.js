// @ts-check
// Files as people hand them over: dropped folders, and photos taken with the camera.

import { findElement, words } from "./dom.js";

/** @typedef {import("./api.js").NamedFile} NamedFile */

const MOST_FILES = 1_000_000;

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
