// Keeps every file of the page on the device, each checked against its hash; afterwards no network is needed.

importScripts("files.js");

const worker = /** @type {ServiceWorkerGlobalScope & {FILES: Record<string, string>}} */ (/** @type {unknown} */ (self));

const PREFIX = `headstart ${worker.registration.scope} `;

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function digest(text) {
  return hex(await crypto.subtle.digest("SHA-256", text));
}

async function cacheName() {
  return PREFIX + (await digest(new TextEncoder().encode(JSON.stringify(worker.FILES)))).slice(0, 16);
}

/** Fetch one file; a file of another hash is of another version, and the whole is tried again later. */
async function keep(cache, name, hash) {
  const reply = await fetch(name, { cache: "no-cache" });
  const content = await reply.clone().arrayBuffer();
  if (!reply.ok || (await digest(content)) !== hash) throw new Error(`${name} is not the file that was listed`);
  const headers = { "Content-Type": reply.headers.get("Content-Type") || "application/octet-stream" };
  await cache.put(name, new Response(content, { headers }));
}

async function install() {
  const cache = await caches.open(await cacheName());
  for (const [name, hash] of Object.entries(worker.FILES)) {
    if (!(await cache.match(name))) await keep(cache, name, hash);
  }
  await worker.skipWaiting();
}

async function activate() {
  const name = await cacheName();
  const old = (await caches.keys()).filter((one) => one.startsWith(PREFIX) && one !== name);
  await Promise.all(old.map((one) => caches.delete(one)));
  await worker.clients.claim();
}

async function answer(request) {
  const cache = await caches.open(await cacheName());
  const asked = new URL(request.url);
  const name = asked.pathname.endsWith("/") ? "index.html" : asked.pathname;
  const kept = await cache.match(new URL(name, asked.origin + asked.pathname), { ignoreSearch: true });
  return kept || fetch(request);
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(worker.registration.scope)) {
    event.respondWith(answer(event.request));
  }
});
