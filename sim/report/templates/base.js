"use strict";
// What every page does: its data in the language shown, dark or light, and the switch of languages.
const page = (() => {
  const root = document.documentElement, body = document.getElementById("page"), dark = matchMedia("(prefers-color-scheme: dark)");
  const told = JSON.parse(document.getElementById("data").textContent), first = root.lang;
  const texts = new Map([[first, [...body.childNodes].map((each) => each.cloneNode(true))]]);
  for (const other of document.querySelectorAll("template[data-language]")) texts.set(other.dataset.language, [...other.content.childNodes]);
  const shown = [], left = [];
  let picked = null;

  const plain = (value) => value === null || typeof value !== "object" || Array.isArray(value);
  const merged = (one, other) => plain(other) ? other : { ...one, ...Object.fromEntries(Object.entries(other).map(([name, value]) => [name, merged(one[name], value)])) };
  const data = () => root.lang === first ? told[first] : merged(told[first], told[root.lang]);

  const show = (fresh, light = false) => {
    root.dataset.theme = light ? "light" : picked || (dark.matches ? "dark" : "light");
    for (const button of body.querySelectorAll(".tools button")) button.hidden = false;
    body.querySelector(".theme").setAttribute("aria-pressed", String(root.dataset.theme === "dark"));
    for (const each of shown) each(fresh);
  };
  const speak = (language) => {
    const open = [...body.querySelectorAll("details")].map((each) => each.open);
    const here = [...body.querySelectorAll("[id]")].find((each) => each.getBoundingClientRect().bottom > 0);
    const above = here ? here.getBoundingClientRect().top : 0;
    for (const each of left) each();
    body.replaceChildren(...texts.get(language).map((each) => document.importNode(each, true)));
    root.lang = language;
    document.title = body.querySelector("h1").textContent;
    body.querySelectorAll("details").forEach((each, at) => { each.open = Boolean(open[at]); });
    show(true);
    const there = here && document.getElementById(here.id);
    if (there) window.scrollBy({ top: there.getBoundingClientRect().top - above, behavior: "instant" });
    body.querySelector(".language").focus({ preventScroll: true });
  };

  body.addEventListener("click", (event) => {
    const button = event.target.closest(".tools button");
    if (!button) return;
    if (button.dataset.language) return speak(button.dataset.language);
    picked = root.dataset.theme === "dark" ? "light" : "dark";
    show(false);
  });
  dark.addEventListener("change", () => show(false));
  window.addEventListener("beforeprint", () => show(false, true));
  window.addEventListener("afterprint", () => show(false));
  return { data, start: (draw, leave = () => {}) => { shown.push(draw); left.push(leave); show(true); } };
})();
