// @ts-check
// What every page does: change the language, and let a button Learn begin at once.

import { post } from "./api.js";
import { findField, guard, LEARN_AT_ONCE, listElements, projectId } from "./dom.js";

/** @param {string} code */
async function changeLanguage(code) {
  await guard(async () => {
    await post("/api/language", { language: code });
    const address = new URL(location.href);
    address.searchParams.delete("language");
    location.replace(address);
  });
}

const menu = findField("language");
menu.addEventListener("change", () => changeLanguage(menu.value));
for (const button of listElements("[data-language]")) {
  button.addEventListener("click", () => changeLanguage(String(button.dataset.language)));
}

document.addEventListener("click", (event) => {
  const isLearn = event.target instanceof Element && event.target.closest('a.button[href$="/learn"]');
  if (isLearn) sessionStorage.setItem(LEARN_AT_ONCE, projectId());
});
