"use strict";
(() => {
  const root = document.documentElement;
  const draw = () => {
    const { figures, strategies } = page.data();
    drawFigures(document, figures, strategies);
    root.dataset.drawn = root.lang;
  };
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", open);
  page.start(draw, () => document.querySelectorAll("[data-figure]").forEach((place) => Plotly.purge(place)));
  open();
})();
