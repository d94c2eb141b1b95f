// What a person does: goes from frame to frame, says who is there, paints, accepts, takes back.
// Shown at once and sent by the wire; nothing here makes an element.

import { focusCell, keepInView, markSeen } from "./grid.js";
import { confirm_, say } from "./messages.js";
import { asked, cast, draw, here, isOpen, now, shown, valuesOf } from "./now.js";
import { closePaint, lookAgain, open_, refresh, send, setAnswer, whenSaved } from "./wire.js";

export function move(place, select) {
  if (!now.page || !now.page.items.length) return;
  const to = Math.max(0, Math.min(now.page.items.length - 1, place));
  if (select) {
    if (now.anchor === null) now.anchor = now.focus;
    now.chosen = new Set();
    for (let at = Math.min(now.anchor, to); at <= Math.max(now.anchor, to); at++) now.chosen.add(at);
  } else { now.anchor = null; now.chosen = new Set(); }
  if (now.painting) now.painting.step(to);
  now.focus = to; now.around = 0; stopPlaying();
  keepInView(); draw.all(); draw.strip(); focusCell();
}

export async function jump(video, frame) {
  const place = now.page && now.page.view === "film" && now.page.items.length && now.page.items[0].v === video ? now.page.items.findIndex((one) => one.f >= frame) : -1;
  if (place >= 0) move(place);
  else await open_("film", { video, at: frame });
}

function cellsOf(places, character, value) {
  return places.map((place) => { const item = now.page.items[place]; return [item.v, item.f, character, value]; });
}

function put(list, how) {
  for (const [v, f, c, value] of list) {
    setAnswer(v, f, c, value);
    for (const item of now.page.items) if (item.v === v && item.f === f) item.c = how === "look";
  }
  send("/api/put", { page: now.page.page, cells: list, how });
  draw.all();
}

export function toggle(character) {
  const item = here();
  if (!item || character >= cast().length || (now.page.character !== null && now.page.character !== character)) return null;
  const value = now.asking ? "?" : shown(item, character) === "1" ? "0" : "1";
  now.asking = null;
  const many = now.chosen.size > 1 && now.chosen.has(now.focus);
  if (many && now.page.view === "audit") { say("in an audit every frame is looked at by itself", false); return null; }
  put(cellsOf(many ? [...now.chosen].sort((x, y) => x - y) : [now.focus], character, value), many ? "many" : "look");
  return value;
}

export function nobody() {
  const item = here();
  if (!item || now.page.character !== null) return;
  const many = now.chosen.size > 1 && now.chosen.has(now.focus) && now.page.view !== "audit";
  const places = many ? [...now.chosen].sort((x, y) => x - y) : [now.focus];
  put(places.flatMap((place) => [...cast().keys()].map((c) => [now.page.items[place].v, now.page.items[place].f, c, "0"])), many ? "many" : "look");
  if (!many) next();
}

export function wholeFrame() {
  put(asked().map((c) => [here().v, here().f, c, "?"]), "look");
  next();
}

export function answerOne(value) { put(cellsOf([now.focus], now.page.character, value), "look"); next(); }

export function accept() {
  const item = here();
  if (!item) { open_(null); return; }
  if (now.page.character !== null) { if (isOpen(item)) answerOne("0"); else next(); return; }
  if (isOpen(item)) {
    send("/api/accept", { page: now.page.page, items: [[item.v, item.f, valuesOf(item)]] }, "silent");
    item.a = valuesOf(item); item.c = true;
  }
  next();
}

export function acceptPage() {
  const open = now.page.items.map((item, place) => [item, place]).filter(([item]) => isOpen(item));
  if (!open.length) { next(); return; }
  markSeen();
  const unseen = open.filter(([, place]) => !now.seen.has(place)).length;
  const go = () => {
    send("/api/accept", { page: now.page.page, items: open.map(([item]) => [item.v, item.f, valuesOf(item)]) }, () => open_(now.page.view === "group" ? "review" : now.page.view));
    for (const [item] of open) { item.a = valuesOf(item); item.c = true; }
    draw.all();
  };
  if (!unseen) { go(); return; }
  confirm_(`${unseen} of these ${open.length} frames have not been on the screen yet. Accept them unseen?`, "Accept all", go);
}

export function next() {
  if (!now.page.items.length) return;
  for (let step = 1; step <= now.page.items.length; step++) {
    const place = (now.focus + step) % now.page.items.length;
    if (now.page.view === "film" ? place === now.focus + 1 : isOpen(now.page.items[place])) { move(place); return; }
  }
  if (now.page.view === "film" || now.page.view === "same") { draw.all(); return; }
  whenSaved(async () => { await refresh(); await open_(now.page.view === "review" || now.page.view === "group" ? "review" : null); });
}

// painting: hold a digit and step, or B and a digit

export function beginPaint(character, value, held) {
  const cellsPainted = new Map();
  now.painting = {
    character, value, held, from: now.focus,
    step(to) {
      const low = Math.min(now.focus, to), high = Math.max(now.focus, to);
      for (let place = low; place <= high; place++) if (place !== this.from) cellsPainted.set(place, true);
      for (const place of cellsPainted.keys()) {
        const item = now.page.items[place];
        item.a = item.a.slice(0, character) + value + item.a.slice(character + 1);
      }
    },
    end() { if (cellsPainted.size) put(cellsOf([...cellsPainted.keys()].sort((x, y) => x - y), character, value), "many"); },
  };
}

export function group() { const item = here(); if (item) open_("group", { video: item.v, frame: item.f }); }

export function stopPlaying() { if (now.playing) clearInterval(now.playing); now.playing = null; }

export async function undo(path) {
  closePaint();
  whenSaved(() => send(path, {}, async (reply) => {
    if (!reply.jump || !now.page) return;
    if (!reply.wrote) await lookAgain();  // no answer: a stretch is part of the film again, or is not
    const place = now.page.items.findIndex((one) => one.v === reply.jump[0] && one.f === reply.jump[1]);
    if (place >= 0) move(place);
    else if (now.page.view !== "audit") await jump(reply.jump[0], reply.jump[1]);
  }));
}
