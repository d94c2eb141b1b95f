// The grid of frames: how it is laid out, and its cells; only what is on the screen is in the document.
// It draws what the page knows; it changes no answer and asks no server.

import { $, cast, isOpen, letters, now, pictureOf, WORDS } from "./now.js";

export const GAP = 8;
const NARROWEST = 216, BADGES = 40;
const TURN = "changes inside its shot", LEFT_OUT = "not part of the film";

function describe(item) {
  const words = cast().map((name, c) => {
    if (item.a[c] !== ".") return `${name} ${WORDS[item.a[c]]}`;
    return item.p && item.p[c] !== "." ? `${name} proposed ${WORDS[item.p[c]]}` : `${name} not said`;
  });
  return [item.t, ...words, ...(item.s ? [TURN] : []), ...(item.x ? [LEFT_OUT] : [])].join(", ");
}

function badges(item) {
  const parts = [];
  let guesses = 0, said = 0;
  cast().forEach((name, c) => {
    const value = item.a[c];
    if (value !== ".") said++;
    else if (item.p && item.p[c] !== ".") guesses++;
    if (value === "1") parts.push(["badge yes", letters()[c], name]);
    else if (value === "?") parts.push(["badge ask", letters()[c] + "?", name]);
    else if (value === "." && item.p && item.p[c] === "1") parts.push(["badge guess", letters()[c], `${name}, a guess`]);
  });
  const total = cast().length;
  if (said === total && !parts.length) parts.push(["state nobody", "nobody", "looked at: nobody is there"]);
  else if (said === 0 && guesses === 0) parts.push(["state open", "not reviewed", "nobody has looked"]);
  else if (said === 0 && !parts.length) parts.push(["badge guess", "nobody", "a guess: nobody is there"]);
  else if (said < total && said > 0) parts.push(["state open", `${total - said} open`, "not said of all characters"]);
  if (now.page.view === "check" && isOpen(item)) parts.push(["state open", "look again", "not looked at again yet"]);
  return parts;
}

const cells = new Map();
export let columns = 4, cellWidth = 220, cellHeight = 170;

export function layout() {
  const width = $("grid").clientWidth - 16;
  columns = Math.max(2, Math.min(8, Math.floor((width + GAP) / (NARROWEST + GAP))));
  if (now.page && now.page.items.length <= 2) columns = 2;
  cellWidth = Math.floor((width - GAP * (columns - 1)) / columns);
  cellHeight = Math.round((cellWidth - 8) * 9 / 16) + 8 + 22;
  const rows = now.page ? Math.ceil(now.page.items.length / columns) : 0;
  $("cells").style.height = `${rows * (cellHeight + GAP)}px`;
}

function visible() {
  const top = $("grid").scrollTop, bottom = top + $("grid").clientHeight, step = cellHeight + GAP;
  return [Math.floor(top / step), Math.floor((bottom - 1) / step)];
}

export function drawCells() {
  const box = $("cells");
  const [top, bottom] = visible();
  const rows = Math.max(1, Math.min(Math.floor(90 / columns), bottom - top + 3));
  const first = Math.max(0, top - 1) * columns, last = Math.min(now.page.items.length, first + rows * columns);
  const wanted = new Set();
  for (let place = first; place < last; place++) wanted.add(place);
  wanted.add(now.focus);
  for (const [place, cell] of cells) if (!wanted.has(place)) { cell.remove(); cells.delete(place); }
  for (const place of [...wanted].sort((x, y) => x - y)) {
    let cell = cells.get(place);
    if (!cell) {
      cell = newCell();
      cells.set(place, cell);
      box.append(cell);
    }
    paintCell(cell, place);
  }
}

export function clearCells() { cells.forEach((cell) => cell.remove()); cells.clear(); }

export function markSeen() {
  if (!now.page || $("grid").hidden) return;
  const [top, bottom] = visible();
  for (let place = top * columns; place < Math.min(now.page.items.length, (bottom + 1) * columns); place++) now.seen.add(place);
}

function newCell() {
  const cell = document.createElement("div");
  cell.className = "cell";
  cell.setAttribute("role", "option");
  const frame = document.createElement("div");
  frame.className = "frame";
  const img = document.createElement("img");
  img.alt = ""; img.draggable = false; img.decoding = "async";
  const time = document.createElement("span"), note = document.createElement("span");
  time.className = "time";
  note.className = "note";
  const who = document.createElement("div");
  who.className = "who";
  frame.append(img, time, note);
  cell.append(frame, who);
  return cell;
}

function paintCell(cell, place) {
  const item = now.page.items[place];
  cell.dataset.place = place;
  cell.style.width = `${cellWidth}px`; cell.style.height = `${cellHeight}px`;
  cell.style.transform = `translate(${(place % columns) * (cellWidth + GAP)}px, ${Math.floor(place / columns) * (cellHeight + GAP)}px)`;
  cell.className = `cell${place === now.focus ? " focus" : ""}${now.chosen.has(place) ? " chosen" : ""}${isOpen(item) ? " open" : ""}${item.x ? " left" : ""}`;
  cell.tabIndex = place === now.focus ? 0 : -1;
  cell.setAttribute("aria-selected", String(now.chosen.has(place)));
  cell.setAttribute("aria-label", describe(item));
  cell.setAttribute("aria-posinset", String(place + 1));
  cell.setAttribute("aria-setsize", String(now.page.items.length));
  const [img, time, note] = cell.firstChild.children;
  note.hidden = !item.s && !item.x;
  note.textContent = item.x ? LEFT_OUT : "⇄";
  note.title = item.x ? "left out of every total" : `somebody ${TURN}: S shows where`;
  const source = pictureOf("frame", item.v, item.f);
  if (img.getAttribute("src") !== source) img.src = source;
  cell.firstChild.style.height = `${Math.round((cellWidth - 8) * 9 / 16)}px`;
  time.textContent = now.state && now.state.films.length > 1 ? `${item.v} ${item.t}` : item.t;
  const parts = badges(item), key = JSON.stringify(parts);
  if (cell.dataset.badges !== key) {
    cell.dataset.badges = key;
    cell.lastChild.replaceChildren(...parts.slice(0, BADGES).map(([kind, text, title]) => {
      const badge = document.createElement("span");
      badge.className = kind; badge.textContent = text; badge.title = title; badge.dir = "auto";
      return badge;
    }));
  }
}

export function keepInView() {
  const grid = $("grid"), top = Math.floor(now.focus / columns) * (cellHeight + GAP);
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + cellHeight > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + cellHeight + GAP - grid.clientHeight;
}

export function focusCell() {
  const cell = cells.get(now.focus);
  if (cell && !$("dialog").open) cell.focus({ preventScroll: true });
}
