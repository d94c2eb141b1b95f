// The page of a watch: asks for what is new, and draws it. Text goes in as text, never as markup.
"use strict";

// told apart with any eyes: Okabe and Ito, Color Universal Design, 2008; the same order as in annotated films
const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#d5b60a", "#d55e00", "#cc79a7", "#7d93ff", "#9a9a9a"];
const AGAIN_MS = 1000;
const token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
const $ = (id) => document.getElementById(id);

const seen = { frame: 0, stretch: 0, stretches: [], events: "", over: false };

function clock(seconds) {
  const whole = Math.floor(seconds + 0.5), h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = whole % 60;
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function element(kind, text, more = {}) {
  const one = Object.assign(document.createElement(kind), more);
  if (text !== undefined) one.textContent = text;
  return one;
}

function colour(place) { return COLOURS[place % COLOURS.length]; }

function rows(names) {
  $("scores").replaceChildren(...names.map((name, place) => {
    const row = element("tr");
    row.style.setProperty("--colour", colour(place));
    const who = element("td"), score = element("td"), seconds = element("td", "0:00", { className: "number" });
    who.append(element("span", undefined, { className: "box" }), name);
    const both = element("div", undefined, { className: "score" }), bar = element("div", undefined, { className: "bar" });
    bar.append(element("i"));
    both.append(bar, element("span", ""));
    score.append(both);
    row.append(who, score, seconds);
    return row;
  }));
}

function showScores(state) {
  const body = $("scores");
  if (body.childElementCount !== state.names.length) rows(state.names);
  state.names.forEach((name, place) => {
    const row = body.children[place], score = state.scores ? state.scores[place] : null;
    row.dataset.there = score !== null && score >= state.threshold;
    row.querySelector("i").style.width = `${100 * (score ?? 0)}%`;
    row.querySelector(".score span").textContent = score === null ? "?" : score.toFixed(2);
    row.querySelector(".number").textContent = clock(state.seconds[place]);
  });
  const who = state.wanted.length === state.names.length ? "somebody" : state.wanted.join(", ");
  $("rule").textContent =
    `An event: ${who} for more than ${state.total_frames} judged frames in a row at ${state.threshold} or above.`;
}

function showStatus(state) {
  const status = $("status");
  const kind = state.over ? "over" : state.down ? "down" : state.frame ? "live" : "waiting";
  const said = { over: "the watch is over", down: "no picture comes; trying again", live: "live", waiting: "waiting for the first frame" };
  if (status.dataset.state !== kind || status.textContent !== said[kind]) {
    status.dataset.state = kind;
    status.textContent = said[kind];
  }
  $("name").textContent = state.name;
  document.title = `${state.name}, watched`;
  const parts = [`watched ${clock(state.known_s)}`];
  if (state.unknown_s >= 0.5) parts.push(`unknown ${clock(state.unknown_s)}`);
  if (state.frame && !state.over) parts.push(`${state.rate.toFixed(1)} frames judged a second`, `${Math.round(1000 * state.took_s)} ms each`);
  $("figures").textContent = parts.join(" \u00b7 ");
}

function showPicture(state) {
  if (!state.frame || state.frame === seen.frame) return;
  const next = new Image();
  next.onload = () => {
    $("picture").src = next.src;
    const on = state.names.filter((name, place) => state.scores && state.scores[place] >= state.threshold);
    $("when").textContent = `${new Date().toLocaleTimeString()}: ${on.length ? on.join(", ") : "nobody of the cast"}`;
  };
  next.src = `/picture?n=${state.frame}&token=${encodeURIComponent(token)}`;
}

function drawRibbon(state) {
  const canvas = $("ribbon"), style = getComputedStyle(document.documentElement);
  const line = 26, gutter = 96, foot = 20, ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  const height = state.names.length * line + foot;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const span = Math.min(state.ribbon_s, 60 * Math.max(1, Math.ceil(state.now_s / 60)));  // it grows until it is full
  const from = state.now_s - span, x = (s) => gutter + ((s - from) / span) * (width - gutter);
  const ink = style.getPropertyValue("--ink"), soft = style.getPropertyValue("--soft"), track = style.getPropertyValue("--track");
  pen.font = "13px system-ui, 'DejaVu Sans', sans-serif";
  pen.textBaseline = "middle";
  state.names.forEach((name, place) => {
    const y = place * line + 3;
    pen.fillStyle = ink;
    pen.save();
    pen.beginPath();
    pen.rect(0, y, gutter - 8, line);
    pen.clip();
    pen.fillText(name, 0, y + line / 2 - 3);
    pen.restore();
    pen.fillStyle = track;
    pen.fillRect(gutter, y, width - gutter, line - 6);
  });
  const hatched = hatching(pen, style, ratio);
  for (const [, start, end, scores] of seen.stretches) {
    const left = Math.floor(Math.max(gutter, x(start)) * ratio) / ratio, right = Math.ceil(x(end) * ratio) / ratio;  // no seams
    if (right <= gutter) continue;
    state.names.forEach((name, place) => {
      const y = place * line + 3, tall = line - 6;
      pen.fillStyle = scores ? colour(place) : hatched;
      const part = scores ? tall * scores[place] : tall;
      pen.fillRect(left, y + tall - part, right - left, part);
    });
  }
  pen.fillStyle = soft;
  const fits = Math.max(1, Math.floor((width - gutter) / 90));
  const step = [10, 15, 30, 60, 120, 300].find((one) => span / one <= fits) ?? span;
  for (let back = 0; back <= span; back += step) {
    const text = back === 0 ? "now" : back % 60 ? `${back} s ago` : `${back / 60} min ago`;
    pen.textAlign = back === 0 ? "right" : back === span ? "left" : "center";
    pen.fillText(text, x(state.now_s - back), height - foot / 2);
  }
  pen.textAlign = "left";
}

function hatching(pen, style, ratio) {
  const tile = document.createElement("canvas"), size = 8 * ratio;
  tile.width = tile.height = size;
  const one = tile.getContext("2d");
  one.fillStyle = style.getPropertyValue("--hole");
  one.fillRect(0, 0, size, size);
  one.strokeStyle = style.getPropertyValue("--hatch");
  one.lineWidth = 2 * ratio;
  for (const shift of [-size, 0, size]) {
    one.beginPath();
    one.moveTo(shift, size);
    one.lineTo(shift + size, 0);
    one.stroke();
  }
  const pattern = pen.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern;
}

function showEvents(state) {
  const now = JSON.stringify([state.events, state.n_events]);
  if (now === seen.events) return;
  seen.events = now;
  $("n-events").textContent = state.n_events ? `(${state.n_events})` : "";
  $("none").hidden = state.events.length > 0;
  const kept = new Map([...$("events").querySelectorAll("img")].map((picture) => [picture.getAttribute("src"), picture]));
  $("events").replaceChildren(...state.events.map((event) => {
    const one = element("li"), start = new Date(event.start), seconds = event.end ? (new Date(event.end) - start) / 1000 : null;
    if (event.picture) {
      const src = `/event/${encodeURIComponent(event.picture.split("/").pop())}?token=${encodeURIComponent(token)}`;
      one.append(kept.get(src) ?? element("img", undefined, { alt: `${event.character} at ${start.toLocaleTimeString()}`, src }));
    }
    const how = { sent: "alert sent", cooldown: "no alert: cooldown", limit: "no alert: limit of the hour", quiet: "no alert: quiet hours", none: "" }[event.alert];
    one.append(
      element("b", event.character),
      element("span", `${start.toLocaleTimeString()}, ${seconds === null ? "goes on" : `${seconds.toFixed(1)} s`}, score ${event.score.toFixed(2)}`),
    );
    if (how) one.append(element("span", how));
    return one;
  }));
}

function show(state) {
  showStatus(state);
  showScores(state);
  showPicture(state);
  for (const stretch of state.stretches) {
    seen.stretches.push(stretch);
    seen.stretch = stretch[0];
  }
  while (seen.stretches.length && seen.stretches[0][2] < state.now_s - state.ribbon_s) seen.stretches.shift();
  drawRibbon(state);
  showEvents(state);
  seen.frame = state.frame;
  seen.over = state.over;
}

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`/api/state?frame=${seen.frame}&stretch=${seen.stretch}`, { headers: { "X-Token": token } });
      const state = await answer.json();
      $("trouble").hidden = answer.ok;
      if (answer.ok) show(state);
      else $("trouble").textContent = state.refused;
      if (answer.ok && !state.over) continue;
    } catch {
      $("trouble").hidden = seen.over;
      $("trouble").textContent = "The watch does not answer any more; start it again, then open the address that it prints.";
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

follow();
