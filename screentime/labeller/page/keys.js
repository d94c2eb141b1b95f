// The keyboard, the mouse and the window: which key, button or drag does what. It exports nothing.

import {
  accept, acceptPage, answerOne, beginPaint, group, move, next, nobody, toggle, undo, wholeFrame,
} from "./answers.js";
import { help, jumpDialog, large, leaveOut, shot } from "./dialogs.js";
import { cellHeight, cellWidth, columns, focusCell, GAP, keepInView, layout, markSeen } from "./grid.js";
import { say } from "./messages.js";
import { $, cast, draw, here, isOpen, now } from "./now.js";
import { play } from "./side.js";
import { busy, closePaint, endStroke, open_, send, whenSaved } from "./wire.js";

let prefix = null;                // T, C or O was pressed and waits for a digit

function digitOf(event) {
  const found = /^(Digit|Numpad)([0-9])$/.exec(event.code);
  if (!found || (found[1] === "Numpad" && !/^[0-9]$/.test(event.key))) return null;
  return Number(found[2]);
}

document.addEventListener("keydown", (event) => {
  busy();
  if ($("dialog").open || ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName)) return;
  const control = event.ctrlKey || event.metaKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (control && key === "z") { event.preventDefault(); undo(event.shiftKey ? "/api/redo" : "/api/undo"); return; }
  if (control && key === "y") { event.preventDefault(); undo("/api/redo"); return; }
  if (key === "Enter" && event.target.tagName === "BUTTON" && !control) return;
  if (key === "Enter") { event.preventDefault(); if (!event.repeat) { if (control) acceptPage(); else accept(); } return; }
  if (control || event.altKey || !now.page) return;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -columns * 3, PageDown: columns * 3 };
  if (key in steps) { event.preventDefault(); move(now.focus + steps[key], event.shiftKey); return; }
  if (key === "Home" || key === "End") { event.preventDefault(); move(key === "Home" ? 0 : now.page.items.length - 1, event.shiftKey); return; }
  if (event.repeat && key !== "[" && key !== "]") { if (digitOf(event) !== null) event.preventDefault(); return; }
  if (key === "?") {
    event.preventDefault();
    if (!here()) return;
    if (now.asking) { now.asking = null; wholeFrame(); } else { now.asking = true; draw.side(); }
    return;
  }
  const digit = digitOf(event);
  if (digit !== null) {
    event.preventDefault();
    const character = digit - 1 + (event.shiftKey ? 9 : 0);
    if (digit === 0) { if (!event.shiftKey) nobody(); return; }
    if (character >= cast().length) { say(`there is no character ${character + 1}`, false); return; }
    if (prefix) { const work = prefix; prefix = null; work(character); return; }
    endStroke();  // of another digit, or of the same whose key-up was lost
    const first = now.chosen.size > 1 || now.asking;
    const value = toggle(character);
    if (value !== null && !first && now.page.view !== "audit" && now.page.character === null) {
      if (now.brush) { beginPaint(character, value, null); draw.side(); } else beginPaint(character, value, event.code);
    }
    return;
  }
  if (now.page.character !== null && (key === "y" || key === "n")) { event.preventDefault(); if (here()) answerOne(key === "y" ? "1" : "0"); return; }
  const work = {
    n: () => { if (now.page.items.some((item, place) => place !== now.focus && isOpen(item)) && now.page.view !== "film") next(); else whenSaved(() => open_(null)); },
    s: shot, a: group, u: () => undo("/api/undo"), r: () => undo("/api/redo"), f: large, p: play, h: help, w: () => open_(null), j: jumpDialog, x: leaveOut,
    b: () => { if (now.brush) closePaint(); else now.brush = true; draw.side(); },
    c: () => wait("all frames with which character?", (c) => open_("same", { character: c })),
    t: () => wait("the picture of which character?", (c) => { const item = here(); if (item) send("/api/portrait", { character: c, video: item.v, frame: item.f }); }),
    o: () => wait("go through earlier frames for which character?", (c) => open_("one", { character: c })),
    "[": () => { now.around = Math.max(0, now.around - 1); draw.side(); }, "]": () => { now.around = Math.min(9, now.around + 1); draw.side(); },
    Escape: () => { now.asking = null; prefix = null; now.chosen = new Set(); now.anchor = null; closePaint(); draw.all(); },
  }[key];
  if (work) { event.preventDefault(); work(); }
});

function wait(text, work) { prefix = work; say(text, false); }

document.addEventListener("keyup", (event) => { if (now.painting && now.painting.held && now.painting.held === event.code) { closePaint(); draw.all(); } });
window.addEventListener("blur", () => { if (now.painting && now.painting.held) closePaint(); });
document.addEventListener("visibilitychange", () => { if (document.hidden && now.painting) closePaint(); });

let dragging = null;
const placeAt = (target) => { const cell = target instanceof Element ? target.closest(".cell") : null; return cell ? Number(cell.dataset.place) : null; };
$("grid").addEventListener("pointerdown", (event) => {
  busy();
  const place = placeAt(event.target);
  if (place === null || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey) {
    if (!now.chosen.size) now.chosen.add(now.focus);
    if (now.chosen.has(place)) now.chosen.delete(place); else now.chosen.add(place);
    now.focus = place; draw.all(); focusCell();
    return;
  }
  if (event.shiftKey) { move(place, true); return; }
  move(place);
  dragging = { from: place, x: event.clientX, y: event.clientY };
});
document.addEventListener("pointermove", (event) => {
  if (!dragging) return;
  dragging.x = event.clientX; dragging.y = event.clientY;
  dragTo();
});
document.addEventListener("pointerup", () => { dragging = null; });
function dragTo() {
  const box = $("grid").getBoundingClientRect();
  const x = Math.max(0, Math.min(columns - 1, Math.floor((dragging.x - box.left - 8) / (cellWidth + GAP))));
  const y = Math.floor((dragging.y - box.top - 4 + $("grid").scrollTop) / (cellHeight + GAP));
  const place = Math.max(0, Math.min(now.page.items.length - 1, y * columns + x));
  if (place === now.focus && now.chosen.size) return;
  if (place === dragging.from && !now.chosen.size) return;
  now.anchor = dragging.from;
  move(place, true);
}
setInterval(() => {
  if (!dragging) return;
  const box = $("grid").getBoundingClientRect();
  const by = dragging.y > box.bottom - 30 ? 24 : dragging.y < box.top + 30 ? -24 : 0;
  if (by) { $("grid").scrollTop += by; dragTo(); }
}, 40);
$("grid").addEventListener("dblclick", (event) => { if (placeAt(event.target) !== null) large(); });
$("grid").addEventListener("scroll", () => { draw.all(); markSeen(); }, { passive: true });
setInterval(markSeen, 300);
new ResizeObserver(() => { if (now.page) { layout(); keepInView(); draw.all(); draw.strip(true); } }).observe($("grid"));
$("undo").addEventListener("click", () => undo("/api/undo"));
$("redo").addEventListener("click", () => undo("/api/redo"));
$("takeback").addEventListener("click", () => undo("/api/undo"));
$("help").addEventListener("click", help);
$("next").addEventListener("click", () => open_(null));
document.addEventListener("pointerdown", busy);
window.addEventListener("beforeunload", (event) => { if (now.queue.length || now.painting) { event.preventDefault(); event.returnValue = ""; } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw.strip(true));
