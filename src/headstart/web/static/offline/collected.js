// What people correct, and what the model leaves to a person: kept on this device until it is saved as a file for Studio.

/** @typedef {import("./api.js").Input} Input */
/** @typedef {{time: string, label?: string, text?: string, series?: (number | null)[][], picture?: Blob}} Entry */

const DATABASE = "headstart-collected";
const STORE = "entries";
const KIND = "headstart-collected";
const FORMAT = 1;
const MAX_ENTRIES = 500;
const MAX_SIDE = 1600;
const QUALITY = 0.9;
/** @type {WeakMap<Input, string>} Key of the entry of an input. */
const keys = new WeakMap();

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(`${DATABASE} ${new URL(".", import.meta.url).pathname}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template Result
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<Result>} ask
 * @returns {Promise<Result>}
 */
async function askStore(mode, ask) {
  const database = await openDatabase();
  try {
    return await new Promise((resolve, reject) => {
      const request = ask(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } finally {
    database.close();
  }
}

/**
 * Return a picture of at most 1,600 pixels a side; what the camera wrote into it (place, time) is gone.
 * @param {Blob} blob
 * @returns {Promise<Blob>}
 */
async function shrink(blob) {
  const image = await createImageBitmap(blob, { imageOrientation: "from-image" });
  const scale = Math.min(1, MAX_SIDE / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((small) => (small ? resolve(small) : reject(new Error("no picture"))), "image/jpeg", QUALITY);
  });
}

/**
 * Keep an input, with the right answer where a person gave one; a device without room keeps no more.
 * @param {Input} input
 * @param {string} [label]
 * @returns {Promise<boolean>}
 */
export async function keepInput(input, label) {
  try {
    const known = keys.get(input);
    if (!known && (await countCollected()) >= MAX_ENTRIES) return false;
    const time = known ?? `${new Date().toISOString()} ${Math.random().toString(36).slice(2, 6)}`;
    /** @type {Entry} */
    const entry = { time };
    if (label) entry.label = label;
    if (input.text !== undefined) entry.text = input.text;
    if (input.series) entry.series = input.series;
    if (input.blob) entry.picture = await shrink(input.blob);
    await askStore("readwrite", (store) => store.put(entry, time));
    keys.set(input, time);
    dispatchEvent(new Event("headstart-collected"));
    return true;
  } catch {
    return false;
  }
}

/** Return how many inputs wait to be taken home. */
export async function countCollected() {
  try {
    return await askStore("readonly", (store) => store.count());
  } catch {
    return 0;
  }
}

/** @param {Blob} blob @returns {Promise<string>} An address that holds the content. */
function readAddress(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/**
 * Save what waits as a file; it stays here as well, for the file may be lost on its way. Studio takes none twice.
 * @param {string} modality
 */
export async function saveCollected(modality) {
  /** @type {Entry[]} */
  const entries = await askStore("readonly", (store) => store.getAll());
  const written = await Promise.all(entries.map(async ({ picture, ...entry }) => ({
    ...entry, ...(picture ? { picture: await readAddress(picture) } : {}),
  })));
  const content = JSON.stringify({ kind: KIND, format: FORMAT, modality, entries: written });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  link.download = `for-studio-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
