"use strict";
// What the page of `wxsim serve` does in the browser: its theme, pieces of HTML with figures, and where to look.
const wxsim = (() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const shown = new Map();
  let chosen = null;

  const scales = (part) => {
    for (const each of part.querySelectorAll("[data-at]")) {
      each.style.left = `${each.dataset.at}%`;
      if (each.dataset.to) each.style.width = `${each.dataset.to - each.dataset.at}%`;
    }
  };
  const draw = () => {
    for (const [place, content] of shown) {
      const part = document.getElementById(place);
      if (part && part.childElementCount) drawFigures(part, content.figures, content.strategies);
    }
  };
  const theme = () => {
    const name = chosen || (dark.matches ? "dark" : "light");
    root.dataset.theme = name;
    if (window.Quasar) Quasar.Dark.set(name === "dark");
    const frame = document.getElementById("wx-frame");
    const button = frame && frame.contentDocument && frame.contentDocument.querySelector(".theme");
    if (button && frame.contentDocument.documentElement.dataset.theme !== name) button.click();
    draw();
  };
  const open = (part) => [...part.querySelectorAll("details")].map((each) => each.querySelector("summary").textContent);

  const show = (place, content) => {
    const part = document.getElementById(place);
    if (!part) return;
    const known = shown.has(place) ? new Set([...part.querySelectorAll("details[open]")].map((each) => each.querySelector("summary").textContent)) : null;
    const before = new Set(known ? open(part) : []);
    part.querySelectorAll("[data-figure]").forEach((each) => Plotly.purge(each));
    part.innerHTML = content.html;
    shown.set(place, content);
    if (known) part.querySelectorAll("details").forEach((each) => {
      const name = each.querySelector("summary").textContent;
      if (before.has(name)) each.open = known.has(name);
    });
    part.querySelectorAll("a[href^='#']").forEach((each) => each.addEventListener("click", () => {
      for (let at = document.getElementById(each.hash.slice(1)); at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    }));
    scales(part);
    drawFigures(part, content.figures, content.strategies);
  };

  // Quasar names the frame of a slider or select, and focuses something inside: who listens hears of that one.
  const NAMES = ["aria-label", "aria-valuemin", "aria-valuemax", "aria-valuenow", "aria-orientation"];
  const hear = (event) => {
    const field = event.target.closest(".q-slider, .q-field");
    if (!field || field === event.target) return;
    const copy = () => NAMES.forEach((name) => {
      if (field.hasAttribute(name)) event.target.setAttribute(name, field.getAttribute(name));
    });
    copy();
    if (!field.classList.contains("q-slider") || event.target.getAttribute("role") === "slider") return;
    event.target.setAttribute("role", "slider");
    field.removeAttribute("role");
    new MutationObserver(copy).observe(field, { attributes: true });
  };
  document.addEventListener("focusin", hear);
  dark.addEventListener("change", theme);
  root.dataset.theme = dark.matches ? "dark" : "light";
  return {
    show,
    turn: () => { chosen = root.dataset.theme === "dark" ? "light" : "dark"; theme(); },
    begin: (language) => {
      root.lang = language;
      shown.clear();
      theme();
      const levers = document.getElementById("wx-levers");
      if (levers && window.innerWidth < 900) levers.open = false;
    },
    framed: theme,
    toResult: () => {
      const main = document.getElementById("wx-main"), { top } = main.getBoundingClientRect();
      if (top < 0 || top > window.innerHeight * 0.6) main.scrollIntoView({ behavior: "smooth" });
    },
  };
})();
