// Keeps every file of the page on the device, each checked against its hash; afterwards no network is needed.

importScripts("files.js");

const worker = /** @type {ServiceWorkerGlobalScope & {FILES: Record<string, string>}} */ (/** @type {unknown} */ (self));

const PREFIX = `headstart ${worker.registration.scope} `;

/** @param {BufferSource} content @returns {Promise<string>} SHA-256 in hex. */
async function computeHash(content) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function computeCacheName() {
  return PREFIX + (await computeHash(new TextEncoder().encode(JSON.stringify(worker.FILES)))).slice(0, 16);
}

/**
 * Fetch one file into the cache; a file of another hash is of another version, and the whole is tried again later.
 * @param {Cache} cache
 * @param {string} name
 * @param {string} hash
 */
async function storeFile(cache, name, hash) {
  const reply = await fetch(name, { cache: "no-cache" });
  const content = await reply.clone().arrayBuffer();
  if (!reply.ok || (await computeHash(content)) !== hash) throw new Error(`${name} is not the file that was listed`);
  const headers = { "Content-Type": reply.headers.get("Content-Type") || "application/octet-stream" };
  await cache.put(name, new Response(content, { headers }));
}

async function install() {
  const cache = await caches.open(await computeCacheName());
  for (const [name, hash] of Object.entries(worker.FILES)) {
    if (!(await cache.match(name))) await storeFile(cache, name, hash);
  }
  await worker.skipWaiting();
}

async function activate() {
  const current = await computeCacheName();
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== current);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** @param {Request} request */
async function answerRequest(request) {
  const cache = await caches.open(await computeCacheName());
  const { origin, pathname } = new URL(request.url);
  const name = pathname.endsWith("/") ? "index.html" : pathname;
  const stored = await cache.match(new URL(name, origin + pathname), { ignoreSearch: true });
  return stored || fetch(request);
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(worker.registration.scope)) {
    event.respondWith(answerRequest(event.request));
  }
});
