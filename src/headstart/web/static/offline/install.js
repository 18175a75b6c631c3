// Keeps the page for when there is no network, and repeats the check if the address asks for it.

import { waitForModel } from "./api.js";

/** Return the size in bytes of the files that are kept. */
async function measureKept() {
  const scope = new URL(".", import.meta.url).href;
  let bytes = 0;
  for (const name of (await caches.keys()).filter((one) => one.includes(` ${scope} `))) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) bytes += (await (await cache.match(request))?.blob())?.size ?? 0;
  }
  return bytes;
}

if (new URLSearchParams(location.search).has("check")) {
  const { checkAnswers } = await import("./check.js");
  await checkAnswers();
}
await waitForModel(); // Whoever waits for a first answer goes first.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.ready.then(async () => { // Every file is kept by then.
    const unit = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "megabyte", maximumFractionDigits: 0 });
    /** @type {HTMLElement} */ (document.getElementById("ready-size")).textContent = `(${unit.format(await measureKept() / 1e6)})`;
    /** @type {HTMLElement} */ (document.getElementById("ready")).hidden = false;
  });
  navigator.serviceWorker.register(new URL("service-worker.js", import.meta.url)).catch((error) => {
    console.warn("This page is not kept for later:", error.message);
  });
}
