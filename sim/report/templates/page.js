"use strict";
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const { figures, strategies } = JSON.parse(document.getElementById("data").textContent);
  const draw = () => drawFigures(document, figures, strategies);
  let chosen = null;
  const theme = (name) => {
    root.dataset.theme = name;
    button.setAttribute("aria-pressed", String(name === "dark"));
    draw();
  };
  const usual = () => chosen || (dark.matches ? "dark" : "light");
  button.hidden = false;
  button.addEventListener("click", () => { chosen = root.dataset.theme === "dark" ? "light" : "dark"; theme(chosen); });
  dark.addEventListener("change", () => theme(usual()));
  window.addEventListener("beforeprint", () => theme("light"));
  window.addEventListener("afterprint", () => theme(usual()));
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", open);
  theme(usual());
  open();
})();
