"use strict";
(() => {
  const DAY = 86400, TRAIL = DAY / 2, SECONDS_PER_DAY = 4;
  const root = document.documentElement, by = (id) => document.getElementById(id);
  const { start, days, people, places, ties, moves } = page.data();
  const end = Math.max(days * DAY, moves.length ? moves[moves.length - 1][0] : 0) + TRAIL;
  const position = new Map(people.map((user, at) => [user, at]));
  let now = 0, playing = false, cascade = -1, chosen = -1, last = 0, scale = 1, ground = null, colours = {}, stage, slider;

  const value = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const resolved = (name) => { const found = value(name).match(/^var\((.*)\)$/); return found ? value(found[1]) : value(name); };
  const x = (at) => 12 + places[at][0] * (stage.width / scale - 24), y = (at) => 12 + places[at][1] * (stage.height / scale - 24);

  const prepare = () => {
    const box = stage.getBoundingClientRect();
    scale = window.devicePixelRatio || 1;
    stage.width = Math.max(1, Math.round(box.width * scale));
    stage.height = Math.max(1, Math.round(box.height * scale));
    colours = { ink: value("--ink"), line: value("--line"), soft: value("--soft"), kinds: [0, 1, 2, 3, 4, 5].map((k) => resolved(`--k${k}`)) };
    ground = document.createElement("canvas");
    ground.width = stage.width; ground.height = stage.height;
    const pen = ground.getContext("2d");
    pen.scale(scale, scale);
    pen.strokeStyle = colours.line; pen.lineWidth = 0.6;
    pen.globalAlpha = Math.min(0.8, Math.max(0.12, 1500 / (ties.length / 2 + 1)));
    pen.beginPath();
    for (let i = 0; i < ties.length; i += 2) { pen.moveTo(x(ties[i]), y(ties[i])); pen.lineTo(x(ties[i + 1]), y(ties[i + 1])); }
    pen.stroke();
  };

  const size = () => Math.max(1.6, Math.min(5, 60 / Math.sqrt(people.length)));
  const draw = () => {
    const pen = stage.getContext("2d"), radius = size(), state = new Map();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, stage.width, stage.height);
    pen.globalAlpha = cascade < 0 ? 1 : 0.35;
    pen.drawImage(ground, 0, 0);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const flying = [];
    for (const [time, kind, from, to, of] of moves) {
      if (time > now) break;
      const own = cascade < 0 || of === cascade;
      const faint = own ? 1 : 0.12;
      if (own) { state.set(to, kind); if (!state.has(from)) state.set(from, kind); }
      const age = (now - time) / TRAIL;
      const kept = cascade >= 0 && own;
      if (from !== to && (age < 1 || kept)) {
        pen.globalAlpha = faint * (kept ? Math.max(0.7, 1 - age) : 1 - age);
        pen.strokeStyle = colours.kinds[kind]; pen.lineWidth = kept ? 2 : 1.5;
        pen.beginPath(); pen.moveTo(x(from), y(from)); pen.lineTo(x(to), y(to)); pen.stroke();
      }
      if (age < 1 && faint === 1) flying.push([age, kind, from, to]);
    }
    for (let at = 0; at < people.length; at++) {
      const kind = state.get(at);
      pen.globalAlpha = kind === undefined ? (cascade < 0 ? 0.55 : 0.25) : 1;
      pen.fillStyle = kind === undefined ? colours.soft : colours.kinds[kind];
      pen.beginPath(); pen.arc(x(at), y(at), kind === undefined ? radius * 0.7 : radius, 0, 7); pen.fill();
    }
    for (const [age, kind, from, to] of flying) {
      const way = Math.min(1, age * 3);
      pen.globalAlpha = 1 - age; pen.strokeStyle = colours.kinds[kind]; pen.fillStyle = colours.kinds[kind]; pen.lineWidth = 1.5;
      pen.beginPath(); pen.arc(x(to), y(to), radius + 2 + 10 * age, 0, 7); pen.stroke();
      if (from !== to && way < 1) { pen.beginPath(); pen.arc(x(from) + (x(to) - x(from)) * way, y(from) + (y(to) - y(from)) * way, radius + 1, 0, 7); pen.fill(); }
    }
    if (chosen >= 0) { pen.globalAlpha = 1; pen.strokeStyle = colours.ink; pen.lineWidth = 2; pen.beginPath(); pen.arc(x(chosen), y(chosen), radius + 4, 0, 7); pen.stroke(); }
    const begin = start ? Date.parse(`${start}T00:00:00Z`) : NaN;
    by("clock").textContent = Number.isNaN(begin) ? `${Math.floor(now / DAY)} d ${Math.floor(now % DAY / 3600)} h` : new Date(begin + now * 1000).toISOString().slice(0, 16).replace("T", " ");
  };

  const set = (time) => { now = Math.max(0, Math.min(end, time)); slider.value = String(Math.round(now / end * 1000)); draw(); };
  const run = (on) => { playing = on; by("play").setAttribute("aria-pressed", String(on)); last = 0; if (on) { if (now >= end) set(0); requestAnimationFrame(frame); } };
  const frame = (moment) => {
    if (!playing) return;
    if (last) set(now + (moment - last) / 1000 * DAY / SECONDS_PER_DAY * Number(by("speed").value));
    last = moment;
    if (now >= end) run(false); else requestAnimationFrame(frame);
  };
  const tell = (at) => {
    chosen = at === undefined ? -1 : at;
    by("told").hidden = at === undefined; by("nobody").hidden = at !== undefined; by("unknown").hidden = at !== undefined;
    if (at !== undefined) {
      for (const place of document.querySelectorAll(".who")) place.textContent = String(people[at]);
      by("person").value = String(people[at]);
      by("life").replaceChildren(...page.data().stories[at].map((said) => { const item = document.createElement("li"); item.textContent = said; return item; }));
    }
    draw();
  };

  const bind = () => {
    stage = by("stage"); slider = by("time");
    by("play").addEventListener("click", () => run(!playing));
    slider.addEventListener("input", () => { run(false); now = Number(slider.value) / 1000 * end; draw(); });
    by("cascade").addEventListener("change", (event) => { cascade = Number(event.target.value); draw(); });
    by("tell").addEventListener("click", () => tell(position.get(Number(by("person").value))));
    by("person").addEventListener("keydown", (event) => { if (event.key === "Enter") by("tell").click(); });
    stage.addEventListener("click", (event) => {
      const box = stage.getBoundingClientRect(), mx = event.clientX - box.left, my = event.clientY - box.top;
      let near = -1, least = 15 * 15;
      for (let at = 0; at < people.length; at++) {
        const far = (x(at) - mx) ** 2 + (y(at) - my) ** 2;
        if (far < least) { least = far; near = at; }
      }
      if (near >= 0) tell(near);
    });
    stage.addEventListener("keydown", (event) => {
      const step = { ArrowRight: DAY / 8, ArrowLeft: -DAY / 8, PageDown: DAY, PageUp: -DAY }[event.key];
      if (step) { event.preventDefault(); run(false); set(now + step); }
      if (event.key === " ") { event.preventDefault(); run(!playing); }
    });
  };
  const restore = () => {  // what was chosen in the other language
    by("speed").value = speed; by("cascade").value = String(cascade);
    by("play").setAttribute("aria-pressed", String(playing));
    if (chosen >= 0) tell(chosen);
  };
  let speed = "4";
  const show = (fresh) => {
    if (fresh) bind();
    prepare();
    if (fresh) restore();
    set(now);
    root.dataset.drawn = root.lang;
  };
  window.addEventListener("resize", () => show(false));
  now = moves.length ? Math.min(moves[0][0] + TRAIL / 4, end) : 0;
  page.start(show, () => { speed = by("speed").value; });
})();
