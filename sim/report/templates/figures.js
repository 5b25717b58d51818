"use strict";
// Draws the figures of sim.report.shape with Plotly, in the colours of the page: drawFigures(root, figures, strategies).
const drawFigures = (() => {
  const root = document.documentElement;
  let strategies = [];
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const clear = (hex, alpha) => `rgba(${[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",")},${alpha})`;
  const DASHES = ["solid", "dash", "dot", "dashdot"];
  const MARKS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down"];

  const look = (name) => {
    const at = Math.max(0, strategies.indexOf(name));
    return { at, colour: colour(`--c${at % 8}`), dash: DASHES[at % 4], mark: MARKS[at % 8] };
  };

  const layout = (figure, more) => {
    const ink = colour("--ink"), grid = colour("--line");
    const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, tickcolor: grid, automargin: true, fixedrange: true };
    const out = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest",
      font: { color: ink, size: 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 8, r: 12, t: 10, b: 8 },
      hoverlabel: { bgcolor: colour("--card"), bordercolor: grid, font: { color: ink } }, ...more,
    };
    out.xaxis = { ...axis, ...more.xaxis };
    out.yaxis = { ...axis, ...more.yaxis };
    return out;
  };

  const kinds = {
    curves: (figure) => {
      const traces = [];
      for (const line of figure.lines) {
        const own = look(line.name);
        if (line.low.length) {
          const flat = { x: figure.places, mode: "lines", line: { width: 0 }, hoverinfo: "skip", connectgaps: false };
          traces.push({ ...flat, y: line.low }, { ...flat, y: line.high, fill: "tonexty", fillcolor: clear(own.colour, 0.14) });
        }
      }
      for (const line of figure.lines) {
        const own = look(line.name);
        traces.push({ x: figure.places, y: line.mean, mode: figure.places.length < 12 ? "lines+markers" : "lines", name: plain(line.name),
          line: { color: own.colour, dash: own.dash, width: 2 }, marker: { symbol: own.mark, size: 7 },
          hovertemplate: `%{x}: %{y:,.4~g}<extra>${plain(line.name)}</extra>` });
      }
      const few = figure.places.every(Number.isInteger) && figure.places.at(-1) - figure.places[0] < 12;
      return [traces, { height: 320, xaxis: { title: { text: plain(figure.places_are) }, ...(few ? { dtick: 1 } : {}) },
        yaxis: { title: { text: plain(figure.values_are) }, zerolinecolor: figure.zero ? colour("--ink") : colour("--line") } }];
    },
    bars: (figure) => [figure.lines.map((line) => ({
      type: "bar", orientation: "h", y: figure.places.map(plain), x: line.mean, name: plain(line.name),
      marker: { color: look(line.name).colour }, hovertemplate: `%{y}: %{x:,.4~g}<extra>${plain(line.name)}</extra>`,
    })), { height: 70 + figure.places.length * (14 + 12 * figure.lines.length), barmode: "group", bargap: 0.25,
      xaxis: { title: { text: plain(figure.values_are) }, rangemode: "tozero", nticks: 5 },
      yaxis: { type: "category", autorange: "reversed", showgrid: false, ticksuffix: " " } }],
    dots: (figure) => {
      const many = figure.lines.length;
      const traces = figure.lines.map((line, at) => {
        const own = look(line.name), shift = (at - (many - 1) / 2) * Math.min(0.2, 0.7 / many);
        const whole = line.low.length ? { type: "data", symmetric: false, thickness: 1.6, width: 3, color: own.colour,
          array: line.mean.map((mean, i) => mean === null || line.high[i] === null ? 0 : line.high[i] - mean),
          arrayminus: line.mean.map((mean, i) => mean === null || line.low[i] === null ? 0 : mean - line.low[i]) } : undefined;
        return { x: line.mean, y: figure.places.map((_, i) => i + shift), mode: "markers", name: plain(line.name),
          marker: { color: own.colour, symbol: own.mark, size: 8 }, ...(whole ? { error_x: whole } : {}),
          text: figure.places.map(plain), hovertemplate: `%{text}: %{x:+,.4~g}<extra>${plain(line.name)}</extra>` };
      });
      return [traces, { height: 75 + figure.places.length * (18 + 12 * many),
        xaxis: { title: { text: plain(figure.values_are) }, zerolinecolor: colour("--ink"), nticks: 6, rangemode: figure.zero ? "tozero" : "normal" },
        yaxis: { tickvals: figure.places.map((_, i) => i), ticktext: figure.places.map(plain), range: [figure.places.length - 0.5, -0.5], zeroline: false, ticksuffix: " " } }];
    },
    waterfall: (figure, at) => {
      const line = figure.lines[at];
      const total = (i) => figure.totals.includes(i);
      return [[{ type: "waterfall", orientation: "h", y: figure.places.map(plain), x: line.mean,
        measure: figure.places.map((_, i) => i === 0 ? "absolute" : total(i) ? "total" : "relative"),
        increasing: { marker: { color: colour("--c3") } }, decreasing: { marker: { color: colour("--c2") } },
        totals: { marker: { color: colour("--c1") } }, connector: { line: { color: colour("--line"), width: 1 } },
        hovertemplate: "%{y}: %{delta:+,.5~g}<extra></extra>" }],
      { height: 70 + 26 * figure.places.length, xaxis: { title: { text: plain(figure.values_are) }, nticks: 5 },
        yaxis: { type: "category", autorange: "reversed", showgrid: false, ticksuffix: " " } }];
    },
  };

  return (part, figures, names) => {
    strategies = names;
    for (const place of part.querySelectorAll("[data-figure]")) {
      const figure = figures[place.dataset.figure];
      const [traces, more] = kinds[figure.kind](figure, Number(place.dataset.line || 0));
      Plotly.react(place, traces, layout(figure, more), { displayModeBar: false, responsive: true, doubleClick: false });
    }
  };
})();
