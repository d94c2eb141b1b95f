// The way to the server: what is said goes out in order, what comes back is laid over what the page knows, and a page is
// opened. It has what changed drawn, and draws no view itself.

import { focusCell, keepInView, layout } from "./grid.js";
import { say, showSaved } from "./messages.js";
import { $, draw, here, now, token } from "./now.js";

const PAUSE_S = 30, FORBIDDEN = 403;

let lastInput = 0;

export async function ask(path, body) {
  const options = { headers: { "X-Token": token }, cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const value = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(value.refused || "refused"), { refused: true, status: answer.status });
  return value;
}

const operation = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

export function send(path, body, after) {
  now.queue.push({ path, body: { ...body, op: operation(), active_s: takeActive() }, after });
  showSaved();
  pump();
}

async function pump() {
  if (now.sending) return;
  now.sending = true;
  while (now.queue.length) {
    const one = now.queue[0];
    try {
      const reply = await ask(one.path, one.body);
      now.queue.shift();
      now.broken = null;
      take(reply);
      if (reply.said && one.after !== "silent") say(reply.said, reply.wrote > 0 && !reply.said.startsWith("taken back"));
      if (typeof one.after === "function") one.after(reply);
    } catch (error) {
      if (error.refused && error.status !== FORBIDDEN) {
        now.queue.shift();
        say(error.message, false);
        await lookAgain();
      } else {
        now.broken = error.refused ? `not saved: ${error.message}` : "not saved: the labeller does not answer; trying again";
        showSaved();
        await new Promise((done) => setTimeout(done, 1000));
      }
    }
    showSaved();
  }
  now.sending = false;
  await refresh();
}

function take(reply) {
  if (!reply.cells) return;
  if (now.page) {
    for (const item of now.page.items) {
      const fresh = reply.cells[item.v] && reply.cells[item.v][item.f];
      if (fresh) Object.assign(item, fresh);
    }
    keepUnsaved();
  }
  if (now.state) now.state.version = reply.version;
  now.films.clear();
  draw.all();
}

// what was said since, and is not acknowledged yet, stays on the screen: the next key rests on it
function keepUnsaved() {
  for (const { body } of now.queue) {
    for (const [v, f, c, value] of body.cells || []) setAnswer(v, f, c, value);
    for (const [v, f, values] of body.items || []) [...values].forEach((value, c) => setAnswer(v, f, c, value));
  }
}

export function setAnswer(v, f, c, value) {
  for (const item of now.page.items) if (item.v === v && item.f === f) item.a = item.a.slice(0, c) + value + item.a.slice(c + 1);
}

export async function lookAgain() {
  if (!now.page) return;
  try {
    const fresh = await ask("/api/look", { page: now.page.page });
    if (fresh.items.length === now.page.items.length) fresh.items.forEach((item, place) => Object.assign(now.page.items[place], item));
    else {  // an audit has drawn some of them meanwhile: nothing shows these any more
      const at = here();
      now.page.items = fresh.items;
      now.focus = Math.max(0, now.page.items.findIndex((item) => item.v === at.v && item.f >= at.f));
      now.anchor = null; now.chosen = new Set(); now.seen = new Set();
      layout(); keepInView();
    }
    keepUnsaved();
    now.films.clear();
    draw.all();
  } catch (error) { if (error.refused) await open_(now.page.view); }
}

export async function refresh() {
  try {
    const before = now.state && now.state.version;
    const fresh = await ask("/api/state");
    now.state = fresh;
    if (!now.queue.length) now.broken = null;
    if (before !== null && before !== fresh.version && !now.queue.length && !now.sending) await lookAgain();
    draw.numbers(); draw.cast(); draw.strip();
  } catch (error) {
    now.broken = error.refused ? error.message : "the labeller does not answer; nothing can be saved until it does";
  }
  showSaved();
}

export async function open_(view, more = {}) {
  closePaint();
  try {
    const fresh = await ask("/api/page", { view: view || null, ...more });
    now.page = fresh;
    now.focus = 0; now.anchor = null; now.chosen = new Set(); now.seen = new Set(); now.asking = null; now.around = 0;
    if (more.at !== undefined) now.focus = Math.max(0, now.page.items.findIndex((one) => one.f >= more.at));
    $("grid").hidden = !now.page.items.length;  // what is hidden has no size to lay out by
    $("grid").scrollTop = 0;
    layout(); keepInView(); draw.all(); draw.numbers(); draw.strip(true);
    focusCell();
  } catch (error) { say(error.refused ? error.message : "the labeller does not answer", false); }
}

export function takeActive() { const taken = Math.round(now.activeS * 10) / 10; now.activeS = 0; return taken; }

export function busy() {
  const time = performance.now() / 1000;
  if (lastInput && time - lastInput <= PAUSE_S) now.activeS += time - lastInput;
  lastInput = time;
}

export function whenSaved(work) { if (now.queue.length) setTimeout(() => whenSaved(work), 30); else work(); }

export function endStroke() { const one = now.painting; now.painting = null; if (one) one.end(); }

export function closePaint() { endStroke(); now.brush = false; }

// a film's times, answers and scores, asked for once until something changes
export async function filmOf(video) {
  if (!now.films.has(video)) now.films.set(video, ask(`/api/film/${encodeURIComponent(video)}`).catch(() => { now.films.delete(video); return null; }));
  return now.films.get(video);
}

// the frame that is on the screen at a time; times are exact to a microsecond
export function frameAt(film, time) {
  const after = film.times.findIndex((one) => one > time + 1e-5);
  return after < 0 ? film.times.length - 1 : Math.max(0, after - 1);
}
