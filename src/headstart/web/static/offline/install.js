// Keeps the page for when there is no network, and repeats the check if the address asks for it.

import { waitForModel } from "./api.js";

if (new URLSearchParams(location.search).has("check")) {
  const { checkAnswers } = await import("./check.js");
  await checkAnswers();
}
await waitForModel(); // Whoever waits for a first answer goes first.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.ready.then(() => { // Every file is kept by then.
    /** @type {HTMLElement} */ (document.getElementById("ready")).hidden = false;
  });
  navigator.serviceWorker.register(new URL("service-worker.js", import.meta.url)).catch((error) => {
    console.warn("This page is not kept for later:", error.message);
  });
}
