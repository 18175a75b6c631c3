// Says why the page is blank where it was opened as a file: browsers load no modules then. It is no module itself, and has
// its words in it, since no other file can be read.

/** @type {Record<string, string>} */
const OPENED_AS_FILE = {
  en: "This page cannot work when it is opened as a file: browsers do not allow it. Put the whole folder on a web server, or start one in this folder (python -m http.server) and open http://localhost:8000. After the first visit it works without network.",
  fr: "Cette page ne peut pas marcher ouverte comme un fichier : les navigateurs l’interdisent. Mettez tout le dossier sur un serveur web, ou lancez-en un dans ce dossier (python -m http.server) et ouvrez http://localhost:8000. Après la première visite, elle marche sans réseau.",
  es: "Esta página no puede funcionar abierta como archivo: los navegadores no lo permiten. Ponga toda la carpeta en un servidor web, o inicie uno en esta carpeta (python -m http.server) y abra http://localhost:8000. Después de la primera visita funciona sin red.",
  sw: "Ukurasa huu hauwezi kufanya kazi ukifunguliwa kama faili: vivinjari haviruhusu. Weka folda nzima kwenye seva ya wavuti, au anzisha seva ndani ya folda hii (python -m http.server) na ufungue http://localhost:8000. Baada ya kufunguliwa mara ya kwanza, unafanya kazi bila mtandao.",
  ar: "لا تعمل هذه الصفحة إذا فُتحت كملف: المتصفحات لا تسمح بذلك. ضع المجلد كله على خادم ويب، أو شغّل خادمًا في هذا المجلد (python -m http.server) وافتح http://localhost:8000. بعد الزيارة الأولى تعمل دون شبكة.",
};

if (location.protocol === "file:") {
  const code = navigator.language.slice(0, 2);
  const language = code in OPENED_AS_FILE ? code : "en";
  const box = /** @type {HTMLElement} */ (document.getElementById("problem"));
  Object.assign(box, { textContent: OPENED_AS_FILE[language], lang: language, dir: language === "ar" ? "rtl" : "ltr", hidden: false });
  /** @type {HTMLElement} */ (document.querySelector(".language")).hidden = true;
}
