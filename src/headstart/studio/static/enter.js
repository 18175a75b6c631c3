// @ts-check
// Enter with the access code of the address; what follows # never leaves the browser but in the header.

import { post } from "./api.js";
import { findElement, findField, guard } from "./dom.js";

/** @param {string} token Empty: this browser may have entered before. */
async function send(token) {
  await post("/api/enter", {}, token ? { Authorization: `Bearer ${token}` } : {});
  location.replace("/");
}

const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname);
if (token) guard(() => send(token));
else send("").catch(() => findField("token").focus());
findElement("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  guard(() => send(findField("token").value.trim()));
});
