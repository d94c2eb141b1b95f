"use strict";
// The page of the labeller. The server holds the truth: what is said here is shown at once, sent in order, and shown as
// saved only when the server has it in its journal. What is on the screen never changes under the hand; another tab's
// answers and the server's refusals are laid over it.

const PAUSE_S = 30, ASK_EVERY_MS = 2000, GAP = 8, NARROWEST = 216, BADGES = 40, FORBIDDEN = 403;
const WORDS = { "1": "there", "0": "not there", "?": "cannot be told", ".": "not said" };
const SHORT = { "1": "yes", "0": "no", "?": "?" };
const TITLES = {
  start: "Start", review: "Review", audit: "Audit", check: "Check", film: "Film", one: "One character", group: "Look-alikes",
  same: "Side by side",
};
const TURN = "changes inside its shot", LEFT_OUT = "not part of the film";
const TABS = ["start", "review", "audit", "check", "film"];

const $ = (id) => document.getElementById(id);
const token = (() => {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) sessionStorage.setItem("token", given);
  if (given) history.replaceState(null, "", location.pathname);
  return sessionStorage.getItem("token") || "";
})();

// ---- what the page knows

let state = null;                 // what /api/state said last
let page = null;                  // what is on the screen: {page, view, why, character, items}
let focus = 0;                    // place in page.items
let anchor = null;                // where a selection began
let chosen = new Set();           // places that are selected
let seen = new Set();             // places whose cell has been on the screen
let asking = null;                // "?" was pressed and waits for a digit
let painting = null;              // {character, value, cells, held}: a stretch is being painted
let brush = false;                // B: the next digit paints until B again
let around = 0;                   // seconds before and after that are shown
const queue = [];                 // what the server has not acknowledged
let sending = false, broken = null, activeS = 0, lastInput = 0, playing = null, films = new Map(), saidTimer = 0;

// ---- talking to the server

async function ask(path, body) {
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

function send(path, body, after) {
  queue.push({ path, body: { ...body, op: operation(), active_s: takeActive() }, after });
  showSaved();
  pump();
}

async function pump() {
  if (sending) return;
  sending = true;
  while (queue.length) {
    const one = queue[0];
    try {
      const reply = await ask(one.path, one.body);
      queue.shift();
      broken = null;
      take(reply);
      if (reply.said && one.after !== "silent") say(reply.said, reply.wrote > 0 && !reply.said.startsWith("taken back"));
      if (typeof one.after === "function") one.after(reply);
    } catch (error) {
      if (error.refused && error.status !== FORBIDDEN) {
        queue.shift();
        say(error.message, false);
        await lookAgain();
      } else {
        broken = error.refused ? `not saved: ${error.message}` : "not saved: the labeller does not answer; trying again";
        showSaved();
        await new Promise((done) => setTimeout(done, 1000));
      }
    }
    showSaved();
  }
  sending = false;
  await refresh();
}

function take(reply) {
  if (!reply.cells) return;
  if (page) {
    for (const item of page.items) {
      const fresh = reply.cells[item.v] && reply.cells[item.v][item.f];
      if (fresh) Object.assign(item, fresh);
    }
    keepUnsaved();
  }
  if (state) state.version = reply.version;
  films.clear();
  draw();
}

// what was said since, and is not acknowledged yet, stays on the screen: the next key rests on it
function keepUnsaved() {
  for (const { body } of queue) {
    for (const [v, f, c, value] of body.cells || []) setAnswer(v, f, c, value);
    for (const [v, f, values] of body.items || []) [...values].forEach((value, c) => setAnswer(v, f, c, value));
  }
}

function setAnswer(v, f, c, value) {
  for (const item of page.items) if (item.v === v && item.f === f) item.a = item.a.slice(0, c) + value + item.a.slice(c + 1);
}

async function lookAgain() {
  if (!page) return;
  try {
    const fresh = await ask("/api/look", { page: page.page });
    if (fresh.items.length === page.items.length) fresh.items.forEach((item, place) => Object.assign(page.items[place], item));
    else {  // an audit has drawn some of them meanwhile: nothing shows these any more
      const at = here();
      page.items = fresh.items;
      focus = Math.max(0, page.items.findIndex((item) => item.v === at.v && item.f >= at.f));
      anchor = null; chosen = new Set(); seen = new Set();
      layout(); keepInView();
    }
    keepUnsaved();
    films.clear();
    draw();
  } catch (error) { if (error.refused) await open_(page.view); }
}

async function refresh() {
  try {
    const before = state && state.version;
    const fresh = await ask("/api/state");
    state = fresh;
    if (!queue.length) broken = null;
    if (before !== null && before !== fresh.version && !queue.length && !sending) await lookAgain();
    drawNumbers(); drawCast(); drawStrip();
  } catch (error) {
    broken = error.refused ? error.message : "the labeller does not answer; nothing can be saved until it does";
  }
  showSaved();
}

async function open_(view, more = {}) {
  closePaint();
  try {
    const fresh = await ask("/api/page", { view: view || null, ...more });
    page = fresh;
    focus = 0; anchor = null; chosen = new Set(); seen = new Set(); asking = null; around = 0;
    if (more.at !== undefined) focus = Math.max(0, page.items.findIndex((one) => one.f >= more.at));
    $("grid").hidden = !page.items.length;  // what is hidden has no size to lay out by
    $("grid").scrollTop = 0;
    layout(); keepInView(); draw(); drawNumbers(); drawStrip(true);
    focusCell();
  } catch (error) { say(error.refused ? error.message : "the labeller does not answer", false); }
}

function takeActive() { const taken = Math.round(activeS * 10) / 10; activeS = 0; return taken; }

function busy() {
  const now = performance.now() / 1000;
  if (lastInput && now - lastInput <= PAUSE_S) activeS += now - lastInput;
  lastInput = now;
}

// ---- what a cell shows

const cast = () => (state ? state.cast : []);
const here = () => (page && page.items.length ? page.items[focus] : null);
const shown = (item, c) => (item.a[c] !== "." ? item.a[c] : item.p && item.p[c] !== "." ? item.p[c] : ".");
const asked = () => (page.character === null ? [...cast().keys()] : [page.character]);
const isOpen = (item) => page.view === "check" ? !item.c : asked().some((c) => item.a[c] === ".");
const valuesOf = (item) => [...cast().keys()].map((c) => (shown(item, c) === "." ? "0" : shown(item, c))).join("");
const pictureOf = (kind, video, number) =>
  `/picture/${kind}/${encodeURIComponent(video)}/${number}?token=${encodeURIComponent(token)}`;

const letters = (() => {
  let known = null, made = [];
  return () => {
    if (known === state) return made;
    known = state;
    const names = cast().map((name) => [...name]);
    made = names.map((name, place) => {
      for (let length = 1; length <= name.length; length++) {
        const start = name.slice(0, length).join("");
        if (!names.some((other, at) => at !== place && other.slice(0, length).join("") === start)) {
          return length <= 4 ? start : name.slice(0, 2).join("") + (place + 1);
        }
      }
      return name.slice(0, 2).join("") + (place + 1);
    });
    return made;
  };
})();

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
  if (page.view === "check" && isOpen(item)) parts.push(["state open", "look again", "not looked at again yet"]);
  return parts;
}

// ---- the grid: only what is on the screen is in the document

const cells = new Map();
let columns = 4, cellWidth = 220, cellHeight = 170;

function layout() {
  const width = $("grid").clientWidth - 16;
  columns = Math.max(2, Math.min(8, Math.floor((width + GAP) / (NARROWEST + GAP))));
  if (page && page.items.length <= 2) columns = 2;
  cellWidth = Math.floor((width - GAP * (columns - 1)) / columns);
  cellHeight = Math.round((cellWidth - 8) * 9 / 16) + 8 + 22;
  const rows = page ? Math.ceil(page.items.length / columns) : 0;
  $("cells").style.height = `${rows * (cellHeight + GAP)}px`;
}

function visible() {
  const top = $("grid").scrollTop, bottom = top + $("grid").clientHeight, step = cellHeight + GAP;
  return [Math.floor(top / step), Math.floor((bottom - 1) / step)];
}

function draw() {
  const box = $("cells");
  const any = Boolean(page && page.items.length);
  $("grid").hidden = !any; $("empty").hidden = any || !page;
  if (!page) return;
  $("what").textContent = !any ? "" : state && state.agenda.view === "done" ? `${page.why}; ${state.agenda.why}` : page.why;
  if (!any) { drawEmpty(); cells.forEach((cell) => cell.remove()); cells.clear(); drawSide(); return; }
  const [top, bottom] = visible();
  const rows = Math.max(1, Math.min(Math.floor(90 / columns), bottom - top + 3));
  const first = Math.max(0, top - 1) * columns, last = Math.min(page.items.length, first + rows * columns);
  const wanted = new Set();
  for (let place = first; place < last; place++) wanted.add(place);
  wanted.add(focus);
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
  drawSide();
}

function markSeen() {
  if (!page || $("grid").hidden) return;
  const [top, bottom] = visible();
  for (let place = top * columns; place < Math.min(page.items.length, (bottom + 1) * columns); place++) seen.add(place);
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
  const item = page.items[place];
  cell.dataset.place = place;
  cell.style.width = `${cellWidth}px`; cell.style.height = `${cellHeight}px`;
  cell.style.transform = `translate(${(place % columns) * (cellWidth + GAP)}px, ${Math.floor(place / columns) * (cellHeight + GAP)}px)`;
  cell.className = `cell${place === focus ? " focus" : ""}${chosen.has(place) ? " chosen" : ""}${isOpen(item) ? " open" : ""}${item.x ? " left" : ""}`;
  cell.tabIndex = place === focus ? 0 : -1;
  cell.setAttribute("aria-selected", String(chosen.has(place)));
  cell.setAttribute("aria-label", describe(item));
  cell.setAttribute("aria-posinset", String(place + 1));
  cell.setAttribute("aria-setsize", String(page.items.length));
  const [img, time, note] = cell.firstChild.children;
  note.hidden = !item.s && !item.x;
  note.textContent = item.x ? LEFT_OUT : "⇄";
  note.title = item.x ? "left out of every total" : `somebody ${TURN}: S shows where`;
  const source = pictureOf("frame", item.v, item.f);
  if (img.getAttribute("src") !== source) img.src = source;
  cell.firstChild.style.height = `${Math.round((cellWidth - 8) * 9 / 16)}px`;
  time.textContent = state && state.films.length > 1 ? `${item.v} ${item.t}` : item.t;
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

function keepInView() {
  const grid = $("grid"), top = Math.floor(focus / columns) * (cellHeight + GAP);
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + cellHeight > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + cellHeight + GAP - grid.clientHeight;
}

function focusCell() {
  const cell = cells.get(focus);
  if (cell && !$("dialog").open) cell.focus({ preventScroll: true });
}

function move(place, select) {
  if (!page || !page.items.length) return;
  const to = Math.max(0, Math.min(page.items.length - 1, place));
  if (select) {
    if (anchor === null) anchor = focus;
    chosen = new Set();
    for (let at = Math.min(anchor, to); at <= Math.max(anchor, to); at++) chosen.add(at);
  } else { anchor = null; chosen = new Set(); }
  if (painting) painting.step(to);
  focus = to; around = 0; stopPlaying();
  keepInView(); draw(); drawStrip(); focusCell();
}

// ---- the side: the frame in focus, large, and the characters

function drawSide() {
  const item = here();
  const image = $("picture");
  if (!playing) {
    const source = item ? pictureOf("frame", item.v, item.f) : "";
    if ((image.getAttribute("src") || "") !== source) { if (source) image.src = source; else image.removeAttribute("src"); }
  }
  $("focus").hidden = !item;
  $("caption").textContent = item ? `${state && state.films.length > 1 ? item.v + " " : ""}${item.t} · ${focus + 1} of ${page.items.length}${chosen.size > 1 ? ` · ${chosen.size} selected` : ""}${asking ? " · ? which character? (? again: the whole frame)" : ""}${brush ? " · brush: " + (painting ? cast()[painting.character] + " " + WORDS[painting.value] : "which character?") : ""}` : "";
  drawMarks(item);
  drawAround(item);
  drawCast();
  drawActions();
}

// where the network saw those whom it guesses to be there; the picture keeps its shape inside its box
function drawMarks(item) {
  const image = $("picture"), box = $("marks");
  const guessed = item && item.w && !playing && image.naturalWidth ? [...cast().keys()].filter((c) => item.a[c] === "." && item.w[c]) : [];
  const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
  const width = image.naturalWidth * scale, height = image.naturalHeight * scale;
  box.replaceChildren(...guessed.map((c) => {
    const mark = document.createElement("span"), [x, y] = item.w[c];
    mark.className = "mark"; mark.textContent = letters()[c]; mark.dir = "auto";
    mark.style.left = `${(image.clientWidth - width) / 2 + x * width}px`; mark.style.top = `${(image.clientHeight - height) / 2 + y * height}px`;
    return mark;
  }));
}

async function drawAround(item) {
  const box = $("around");
  box.hidden = !item || around === 0;
  if (box.hidden) { box.replaceChildren(); return; }
  const film = await filmOf(item.v), key = `${item.v} ${item.f} ${around}`;
  if (!film || item !== here() || (box.dataset.key === key && box.children.length)) return;
  box.dataset.key = key;
  box.replaceChildren(...[-around, around].map((offset) => {
    const time = film.times[item.f] + offset, frame = frameAt(film, time), there = time >= film.times[0] && time < film.end_s;
    const hidden = page.view !== "audit" && film.drawn.includes(frame);  // what an audit drew is shown there alone
    const part = document.createElement("div"), image = document.createElement("img"), text = document.createElement("span");
    image.alt = "";
    if (there && !hidden) image.src = pictureOf("frame", item.v, frame);
    text.textContent = !there ? (offset < 0 ? "before the film" : "after the film") : `${Math.abs(offset)} s ${offset < 0 ? "before" : "after"}${hidden ? ": of the audit" : ""}`;
    part.append(image, text);
    return part;
  }));
}

// a film's times, answers and scores, asked for once until something changes
async function filmOf(video) {
  if (!films.has(video)) films.set(video, ask(`/api/film/${encodeURIComponent(video)}`).catch(() => { films.delete(video); return null; }));
  return films.get(video);
}

// the frame that is on the screen at a time; times are exact to a microsecond
function frameAt(film, time) {
  const after = film.times.findIndex((one) => one > time + 1e-5);
  return after < 0 ? film.times.length - 1 : Math.max(0, after - 1);
}

function drawCast() {
  const item = here(), list = $("cast");
  if (!state) return;
  const names = cast();
  list.className = names.length > 9 ? "many" : "";
  if (list.children.length !== names.length) {
    list.replaceChildren(...names.map((name, c) => {
      const row = document.createElement("li"), button = document.createElement("button");
      const key = document.createElement("kbd"), portrait = document.createElement("img"), text = document.createElement("span"), value = document.createElement("span"), sure = document.createElement("small");
      key.textContent = c < 9 ? String(c + 1) : c < 18 ? `⇧${c - 8}` : "";
      portrait.className = "portrait"; portrait.alt = "";
      text.className = "name"; text.dir = "auto"; text.append(name);
      value.className = "value";
      sure.append(document.createElement("span"), document.createElement("span"));
      button.append(key, portrait, text, value, sure);
      button.addEventListener("click", () => toggle(c));
      button.addEventListener("contextmenu", (event) => { event.preventDefault(); open_("same", { character: c }); });
      row.append(button);
      return row;
    }));
  }
  names.forEach((name, c) => {
    const button = list.children[c].firstChild, [, portrait, , value, small] = button.children;
    const said = item ? item.a[c] : ".", guess = item && said === "." && item.p ? item.p[c] : ".";
    const kind = said === "1" ? "yes" : said === "0" ? "no" : said === "?" ? "ask" : guess !== "." ? "guess" : "open";
    button.className = kind;
    button.disabled = !item || (page.character !== null && page.character !== c);
    button.setAttribute("aria-pressed", said === "1" ? "true" : said === "." ? "mixed" : "false");
    value.textContent = said !== "." ? WORDS[said] : guess !== "." ? `${guess === "1" ? "there" : "not there"}?` : "–";
    value.dataset.short = said !== "." ? SHORT[said] : guess !== "." ? `${SHORT[guess]}?` : "–";
    const count = state.counts[c], sure = state.standing.characters && state.standing.characters[c];
    small.firstChild.textContent = `${count.present} there, ${count.absent} not${sure ? " · " : ""}`;
    small.lastChild.textContent = sure ? sure.now : "";
    button.title = `${name}: ${count.present} frames there, ${count.absent} not, ${count.cannot_tell} cannot be told${sure ? `. ${sure.next}` : ""}`;
    const picked = state.portraits[c], source = picked ? pictureOf("frame", picked[0], picked[1]) : "";
    if ((portrait.getAttribute("src") || "") !== source) { if (source) portrait.src = source; else portrait.removeAttribute("src"); }
  });
}

function drawActions() {
  const box = $("actions"), item = here();
  const parts = [];
  const add = (label, key, work, first) => {
    const button = document.createElement("button"), hint = document.createElement("kbd");
    hint.textContent = key;
    button.append(`${label} `, hint);
    if (first) button.className = "first";
    button.addEventListener("click", work);
    parts.push(button);
  };
  if (item) {
    const guesses = item.p && isOpen(item) && asked().some((c) => item.a[c] === "." && item.p[c] !== ".");
    add(page.character !== null ? "Not there, next" : guesses ? "Accept, next" : page.view === "check" ? "It is so, next" : isOpen(item) ? "The others are not there, next" : "Next", "Enter", accept, true);
    if (page.character === null) add("Nobody", "0", nobody);
    else { add("There", "Y", () => answerOne("1")); add("Not there", "N", () => answerOne("0")); }
    if (["review", "group", "check"].includes(page.view)) add("Accept the page", "Ctrl Enter", acceptPage);
    if (page.view !== "audit" && page.character === null) { add("Shot", "S", shot); add("Look-alikes", "A", group); }
    if (page.view === "film" && chosen.size > 1) add("Not part of the film", "X", leaveOut);
    add("Large", "F", large); add("Play", "P", play);
  }
  const key = JSON.stringify([page && page.view, parts.map((part) => part.textContent)]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...parts);
}

// ---- numbers, timeline

function drawNumbers() {
  if (!state) return;
  const views = $("views");
  if (!views.children.length) {
    for (const view of TABS) {
      const button = document.createElement("button");
      button.dataset.view = view;
      button.addEventListener("click", () => open_(view));
      views.append(button);
    }
  }
  for (const button of views.children) {
    const view = button.dataset.view, next = state.agenda.view === view;
    button.setAttribute("aria-current", String(Boolean(page && page.view === view)));
    button.title = next ? `most useful now: ${state.agenda.why}` : TITLES[view];
    button.replaceChildren(TITLES[view]);
    if (next) { const dot = document.createElement("span"); dot.className = "next"; dot.setAttribute("aria-label", "most useful now"); button.append(dot); }
  }
  const labelled = state.films.reduce((sum, film) => sum + film.labelled, 0);
  const frames = state.films.reduce((sum, film) => sum + film.n, 0);
  const drawn = state.films.reduce((sum, film) => sum + film.drawn, 0);
  const waiting = state.films.reduce((sum, film) => sum + film.waiting, 0);
  const parts = [["b", String(labelled)], ["", ` of ${frames} frames labelled · audit `], ["b", drawn ? `${drawn - waiting} of ${drawn}` : "none yet"], ["", " · "], ["b", minutes(state.active_s + activeS)], ["", " active"]];
  $("numbers").replaceChildren(...parts.map(([kind, text]) => { const part = document.createElement(kind || "span"); part.textContent = text; return part; }));
  $("sure").textContent = [state.standing.sentence, state.study].filter(Boolean).join(" · ");
  $("undo").disabled = !state.undo; $("undo").title = state.undo ? `take back: ${state.undo} (U)` : "nothing to take back";
  $("redo").disabled = !state.redo; $("redo").title = state.redo ? `do again: ${state.redo} (R)` : "nothing was taken back";
  $("trouble").hidden = !state.trouble; $("trouble").textContent = state.trouble || "";
  drawQuestions();
  const plan = state.agenda, elsewhere = Boolean(page && page.items.length && plan.view !== "done" && (plan.view !== page.view || plan.character !== page.character));
  $("next").hidden = !elsewhere;
  if (elsewhere) $("next").firstChild.textContent = `next: ${plan.why}`;
  if (page && !page.items.length) drawEmpty();
}

const minutes = (seconds) => `${(seconds / 60).toFixed(1)} min`;

function drawQuestions() {
  const box = $("questions"), one = state.questions[0];
  box.hidden = !one;
  if (!one || box.dataset.key === String(one.question)) return;
  box.dataset.key = String(one.question);
  const text = document.createElement("span");
  text.textContent = `The label file was changed outside. ${one.video} ${one.clock}, ${cast()[one.character]}: the file says “${WORDS[one.file || "."]}”, here it was “${WORDS[one.said]}”. Which stands?`;
  const image = document.createElement("img");
  image.alt = ""; image.src = pictureOf("frame", one.video, one.frame);
  const buttons = [["The file's", "file"], ["What was said here", "mine"]].map(([label, keep]) => {
    const button = document.createElement("button");
    button.textContent = label;
    button.addEventListener("click", () => send("/api/settle", { question: one.question, keep }));
    return button;
  });
  box.replaceChildren(image, text, ...buttons);
}

function drawEmpty() {
  const box = $("empty"), plan = state ? state.agenda : null;
  const title = document.createElement("h2"), text = document.createElement("p"), row = document.createElement("div");
  row.className = "row";
  title.textContent = { start: "The first frames are labelled", review: "Nothing uncertain is left to review", audit: "No drawn frame waits", check: "No label stands out", one: "All frames are answered", film: "No frames" }[page.view] || "Nothing here";
  text.textContent = plan ? `Most useful now: ${plan.why}.` : "";
  const key = JSON.stringify([page.view, plan]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const rows = [row];
  if (plan && plan.view === "audit" && !state.films.some((film) => film.waiting)) row.append(...drawForm(plan));
  else if (plan && plan.view !== "done" && plan.view !== page.view) {
    const go = document.createElement("button");
    go.className = "first"; go.textContent = `${TITLES[plan.view]} (N)`;
    go.addEventListener("click", () => open_(null));
    row.append(go);
  }
  if (page.view === "audit" && !row.querySelector("input")) {
    const below = document.createElement("div");
    below.className = "row";
    below.append("or ", ...drawForm(plan));
    rows.push(below);
  }
  box.replaceChildren(title, text, ...rows);
}

function drawForm(plan) {
  const label = document.createElement("label"), number = document.createElement("input"), go = document.createElement("button"), film = document.createElement("select");
  number.type = "number"; number.min = "2"; number.id = "round-size"; number.style.width = "5em";
  for (const one of state.films) { const option = document.createElement("option"); option.value = option.textContent = one.video; film.append(option); }
  if (plan && plan.video) film.value = plan.video;
  film.hidden = state.films.length < 2; film.setAttribute("aria-label", "film");
  const suit = () => { number.value = String(state.films.find((one) => one.video === film.value).next); };
  suit(); film.addEventListener("change", suit);
  label.append(number, " frames, drawn at random ");
  if (plan && plan.view === "audit") go.className = "first";
  go.textContent = "Draw the round";
  go.addEventListener("click", () => send("/api/draw", { video: film.value, n: Number(number.value) }, async () => { await refresh(); await open_("audit"); }));
  return [film, label, go];
}

async function drawStrip(force) {
  const canvas = $("timeline"), item = here();
  const blind = page && ["audit", "check"].includes(page.view);
  $("strip").hidden = Boolean(blind) || !state;
  if (blind || !state) return;
  const video = item ? item.v : state.films[0] && state.films[0].video;
  if (!video) return;
  const film = await filmOf(video);
  if (!film) return;
  const names = cast(), row = names.length > 9 ? 9 : 12, left = 76, width = canvas.clientWidth, height = names.length * row + 16, ratio = devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  const c = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  c.scale(ratio, ratio);
  const end = film.end_s || 1, x = (time) => left + (width - left - 2) * time / end;
  c.font = `${row - 1}px system-ui, sans-serif`; c.textBaseline = "middle";
  names.forEach((name, r) => {
    c.fillStyle = colour("--soft"); c.fillText([...name].slice(0, 12).join(""), 0, r * row + row / 2, left - 6);
    c.fillStyle = colour("--hole"); c.fillRect(left, r * row + 1, width - left - 2, row - 2);
    film.times.forEach((time, f) => {
      const said = film.answers[r][f], score = film.scores[r] ? film.scores[r][f] : null;
      const from = x(time), wide = Math.max(1, x(f + 1 < film.times.length ? film.times[f + 1] : end) - from + .4);
      if (said === "1") { c.fillStyle = colour("--yes"); c.fillRect(from, r * row + 1, wide, row - 2); }
      else if (said === "?") { c.fillStyle = colour("--ask"); c.fillRect(from, r * row + row / 2, wide, row / 2 - 1); }
      else if (said === "." && score !== null && score >= 50) { c.globalAlpha = .25 + .35 * (score - 50) / 50; c.fillStyle = colour("--ink"); c.fillRect(from, r * row + 2, wide, row - 4); c.globalAlpha = 1; }
    });
  });
  for (const [from, to] of film.skips) {
    c.strokeStyle = colour("--soft"); c.save(); c.beginPath(); c.rect(x(from), 0, x(to) - x(from), names.length * row); c.clip(); c.beginPath();
    for (let at = x(from) - names.length * row; at < x(to); at += 6) { c.moveTo(at, names.length * row); c.lineTo(at + names.length * row, 0); }
    c.stroke(); c.restore();
  }
  if (item) { c.fillStyle = colour("--accent"); c.fillRect(x(film.times[item.f]) - 1, 0, 2, names.length * row); }
  c.fillStyle = colour("--soft"); c.font = "10px system-ui, sans-serif";
  const step = [10, 30, 60, 120, 300, 600, 1800, 3600].find((one) => end / one <= 12) || 7200;
  for (let time = 0; time < end; time += step) c.fillText(`${Math.floor(time / 60)}:${String(time % 60).padStart(2, "0")}`, x(time), names.length * row + 9);
  canvas.dataset.video = video; canvas.dataset.left = left;
  canvas.setAttribute("aria-label", `Timeline of ${video}: high and green is labelled as there, low cannot be told, grey is a guess, hatched not part of the film`);
}

$("timeline").addEventListener("click", async (event) => {
  const canvas = $("timeline"), left = Number(canvas.dataset.left), video = canvas.dataset.video, film = await filmOf(video);
  if (film) jump(video, frameAt(film, (event.offsetX - left) / (canvas.clientWidth - left - 2) * film.end_s));
});

async function jump(video, frame) {
  const place = page && page.view === "film" && page.items.length && page.items[0].v === video ? page.items.findIndex((one) => one.f >= frame) : -1;
  if (place >= 0) move(place);
  else await open_("film", { video, at: frame });
}

// ---- what a person says

function cellsOf(places, character, value) {
  return places.map((place) => { const item = page.items[place]; return [item.v, item.f, character, value]; });
}

function put(list, how) {
  for (const [v, f, c, value] of list) {
    setAnswer(v, f, c, value);
    for (const item of page.items) if (item.v === v && item.f === f) item.c = how === "look";
  }
  send("/api/put", { page: page.page, cells: list, how });
  draw();
}

function toggle(character) {
  const item = here();
  if (!item || character >= cast().length || (page.character !== null && page.character !== character)) return null;
  const value = asking ? "?" : shown(item, character) === "1" ? "0" : "1";
  asking = null;
  const many = chosen.size > 1 && chosen.has(focus);
  if (many && page.view === "audit") { say("in an audit every frame is looked at by itself", false); return null; }
  put(cellsOf(many ? [...chosen].sort((x, y) => x - y) : [focus], character, value), many ? "many" : "look");
  return value;
}

function nobody() {
  const item = here();
  if (!item || page.character !== null) return;
  const many = chosen.size > 1 && chosen.has(focus) && page.view !== "audit";
  const places = many ? [...chosen].sort((x, y) => x - y) : [focus];
  put(places.flatMap((place) => [...cast().keys()].map((c) => [page.items[place].v, page.items[place].f, c, "0"])), many ? "many" : "look");
  if (!many) next();
}

function wholeFrame() {
  put(asked().map((c) => [here().v, here().f, c, "?"]), "look");
  next();
}

function answerOne(value) { put(cellsOf([focus], page.character, value), "look"); next(); }

function accept() {
  const item = here();
  if (!item) { open_(null); return; }
  if (page.character !== null) { if (isOpen(item)) answerOne("0"); else next(); return; }
  if (isOpen(item)) {
    send("/api/accept", { page: page.page, items: [[item.v, item.f, valuesOf(item)]] }, "silent");
    item.a = valuesOf(item); item.c = true;
  }
  next();
}

function acceptPage() {
  const open = page.items.map((item, place) => [item, place]).filter(([item]) => isOpen(item));
  if (!open.length) { next(); return; }
  markSeen();
  const unseen = open.filter(([, place]) => !seen.has(place)).length;
  const go = () => {
    send("/api/accept", { page: page.page, items: open.map(([item]) => [item.v, item.f, valuesOf(item)]) }, () => open_(page.view === "group" ? "review" : page.view));
    for (const [item] of open) { item.a = valuesOf(item); item.c = true; }
    draw();
  };
  if (!unseen) { go(); return; }
  confirm_(`${unseen} of these ${open.length} frames have not been on the screen yet. Accept them unseen?`, "Accept all", go);
}

function next() {
  if (!page.items.length) return;
  for (let step = 1; step <= page.items.length; step++) {
    const place = (focus + step) % page.items.length;
    if (page.view === "film" ? place === focus + 1 : isOpen(page.items[place])) { move(place); return; }
  }
  if (page.view === "film" || page.view === "same") { draw(); return; }
  whenSaved(async () => { await refresh(); await open_(page.view === "review" || page.view === "group" ? "review" : null); });
}

function whenSaved(work) { if (queue.length) setTimeout(() => whenSaved(work), 30); else work(); }

// painting: hold a digit and step, or B and a digit

function beginPaint(character, value, held) {
  const cellsPainted = new Map();
  painting = {
    character, value, held, from: focus,
    step(to) {
      const low = Math.min(focus, to), high = Math.max(focus, to);
      for (let place = low; place <= high; place++) if (place !== this.from) cellsPainted.set(place, true);
      for (const place of cellsPainted.keys()) {
        const item = page.items[place];
        item.a = item.a.slice(0, character) + value + item.a.slice(character + 1);
      }
    },
    end() { if (cellsPainted.size) put(cellsOf([...cellsPainted.keys()].sort((x, y) => x - y), character, value), "many"); },
  };
}

function endStroke() { const one = painting; painting = null; if (one) one.end(); }

function closePaint() { endStroke(); brush = false; }

async function shot() {
  const item = here();
  if (!item) return;
  try {
    const about = await ask("/api/shot", { page: page.page, video: item.v, frame: item.f });
    const values = valuesOf(item);
    const names = cast().filter((name, c) => values[c] === "1").join(", ") || "nobody";
    if (about.changing.length) {
      const changes = about.changing.map((c) => cast()[c]).join(", ");
      dialog("This shot changes inside", (box) => {
        box.append(three(about), line(`${changes}: not the same all through this shot, so it cannot be taken whole.`));
        row(box, ["Go through it frame by frame", () => { closeDialog(); jump(item.v, about.first); }, true], ["Cancel", closeDialog]);
      });
      return;
    }
    dialog(`The whole shot: ${names}?`, (box) => {
      box.append(three(about), line(`${about.n} frames get what you said of this one; frames that were answered stay.${about.left_out ? ` ${about.left_out} left out: they wait for the audit.` : ""}`));
      row(box, [`Yes, ${about.n} frames`, () => { closeDialog(); send("/api/take-shot", { page: page.page, video: item.v, frame: item.f, values }, () => next()); }, true], ["No", closeDialog]);
    });
  } catch (error) { say(error.refused ? error.message : "the labeller does not answer", false); }
}

function three(about) {
  const box = document.createElement("div");
  box.className = "three";
  for (const item of about.items) {
    const part = document.createElement("div"), image = document.createElement("img"), text = document.createElement("div");
    image.src = pictureOf("frame", item.v, item.f); image.alt = "";
    text.textContent = item.t;
    part.append(image, text);
    box.append(part);
  }
  return box;
}

function group() { const item = here(); if (item) open_("group", { video: item.v, frame: item.f }); }

function leaveOut() {
  if (page.view !== "film" || chosen.size < 2) { say("select a stretch in the film first: Shift and the arrows, or drag", false); return; }
  const places = [...chosen].sort((x, y) => x - y), first = page.items[places[0]], last = page.items[places[places.length - 1]];
  dialog("Not part of the film", (box) => {
    const reason = document.createElement("input");
    reason.value = "credits"; reason.setAttribute("aria-label", "reason");
    box.append(line(`${first.t} to ${last.t}: left out of every total, and shown as such. Why?`), reason);
    row(box, ["Leave it out", () => { closeDialog(); send("/api/skip", { video: first.v, first: first.f, last: last.f, reason: reason.value }, lookAgain); }, true], ["Cancel", closeDialog]);
  });
}

function large() {
  const item = here();
  if (!item) return;
  dialog(item.t, (box) => {
    const frame = document.createElement("div"), image = document.createElement("img");
    let zoom = 1;
    frame.className = "zoom"; image.alt = `the frame at ${item.t}`; image.src = pictureOf("native", item.v, item.f);
    image.addEventListener("click", (event) => {
      const x = event.offsetX / image.clientWidth, y = event.offsetY / image.clientHeight;
      zoom = zoom >= 4 ? 1 : zoom * 2;
      image.style.width = `${zoom * 100}%`;
      frame.scrollLeft = x * image.clientWidth - frame.clientWidth / 2; frame.scrollTop = y * image.clientHeight - frame.clientHeight / 2;
    });
    frame.append(image);
    box.append(frame);
    row(box, ["Close", closeDialog, true]);
    box.firstChild.textContent = `${item.t}: the frame as it is in the film; click to enlarge`;
  }, "large");
}

function play() {
  const item = here();
  if (!item) return;
  if (playing) { stopPlaying(); drawSide(); return; }
  const image = $("picture");
  let step = 0;
  const pictures = Array.from({ length: 12 }, (_, at) => { const one = new Image(); one.src = pictureOf("motion", item.v, item.f * 12 + at); return one; });
  playing = setInterval(() => {
    if (step >= 24) { stopPlaying(); drawSide(); return; }
    const one = pictures[step % 12];
    if (!one.complete) return;
    image.src = one.src; step++;
  }, 166);
}

function stopPlaying() { if (playing) clearInterval(playing); playing = null; }

async function undo(path) {
  closePaint();
  whenSaved(() => send(path, {}, async (reply) => {
    if (!reply.jump || !page) return;
    if (!reply.wrote) await lookAgain();  // no answer: a stretch is part of the film again, or is not
    const place = page.items.findIndex((one) => one.v === reply.jump[0] && one.f === reply.jump[1]);
    if (place >= 0) move(place);
    else if (page.view !== "audit") await jump(reply.jump[0], reply.jump[1]);
  }));
}

// ---- dialogs, messages

function dialog(title, fill, kind = "") {
  const box = $("dialog"), head = document.createElement("h2");
  head.textContent = title;
  box.className = kind;
  box.replaceChildren(head);
  fill(box);
  if (!box.open) box.showModal();
  const first = box.querySelector("input") || box.querySelector("button.first");
  if (first) first.focus({ preventScroll: true });
  box.scrollTop = 0;
}

function closeDialog() { $("dialog").close(); focusCell(); }

function line(text) { const part = document.createElement("p"); part.textContent = text; return part; }

function row(box, ...buttons) {
  const part = document.createElement("div");
  part.className = "row";
  for (const [label, work, first] of buttons) {
    const button = document.createElement("button");
    button.textContent = label;
    if (first) button.className = "first";
    button.addEventListener("click", work);
    part.append(button);
  }
  box.append(part);
}

function confirm_(text, label, work) {
  dialog("One question", (box) => { box.append(line(text)); row(box, [label, () => { closeDialog(); work(); }], ["Cancel", closeDialog, true]); });
}

function say(text, canUndo) {
  $("sentence").textContent = text;
  $("takeback").hidden = !canUndo;
  $("said").className = "shown";
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { $("said").className = ""; }, 6000);
}

function showSaved() {
  const box = $("saved");
  box.className = broken ? "bad" : "";
  box.textContent = broken || (queue.length ? "saving" : state && state.trouble ? "saved in the journal" : "saved");
}

const KEYS = [
  ["1 – 9, ⇧1 – ⇧9", "a character is there, or not"], ["0", "nobody is there, next"], ["?, then a digit", "this character cannot be told"],
  ["? ?", "nothing in this frame can be told"], ["Enter", "accept what is shown, the others are not there; next"], ["Ctrl Enter", "accept the page"],
  ["arrows", "move only"], ["⇧ arrows, drag, Ctrl click", "select several"], ["hold a digit and step", "paint what the first frame has"],
  ["B, then a digit", "the same without holding; B ends it"], ["N", "next frame to look at"], ["S", "the whole shot"], ["A", "look-alikes"],
  ["C, then a digit", "all frames with this character, side by side"], ["U, Ctrl Z", "undo"], ["R, Ctrl ⇧ Z", "redo"], ["F", "large, from the film"],
  ["P", "play two seconds around"], ["[  ]", "the seconds before and after: more, fewer"], ["T, then a digit", "this frame is the character's picture"],
  ["O, then a digit", "go through earlier frames for this character: Y yes, N no"], ["X", "the selection is not part of the film"],
  ["J", "jump to a time"], ["W", "what is most useful now"], ["H", "these keys"],
];

function help() {
  dialog("Keys", (box) => {
    const list = document.createElement("dl");
    list.className = "keys";
    for (const [key, text] of KEYS) {
      const part = document.createElement("div"), name = document.createElement("dt"), what = document.createElement("dd"), mark = document.createElement("kbd");
      mark.textContent = key; name.append(mark); what.textContent = text;
      part.append(name, what);
      list.append(part);
    }
    box.append(list);
    row(box, ["Close", closeDialog, true]);
  }, "help");
}

function jumpDialog() {
  dialog("Jump to a time", (box) => {
    const time = document.createElement("input");
    time.placeholder = "12:34"; time.setAttribute("aria-label", "time, m:ss");
    const go = async () => {
      const parts = time.value.split(":").map(Number);
      if (!parts.length || parts.some((one) => !Number.isFinite(one))) { say("a time like 12:34 was expected", false); return; }
      const seconds = parts.reduce((sum, one) => sum * 60 + one, 0), video = (here() || { v: state.films[0].video }).v, film = await filmOf(video);
      closeDialog();
      if (film) jump(video, frameAt(film, seconds));
    };
    time.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); go(); } });
    box.append(time);
    row(box, ["Jump", go, true], ["Cancel", closeDialog]);
  });
}

// ---- keys and mouse

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
  if (control || event.altKey || !page) return;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -columns * 3, PageDown: columns * 3 };
  if (key in steps) { event.preventDefault(); move(focus + steps[key], event.shiftKey); return; }
  if (key === "Home" || key === "End") { event.preventDefault(); move(key === "Home" ? 0 : page.items.length - 1, event.shiftKey); return; }
  if (event.repeat && key !== "[" && key !== "]") { if (digitOf(event) !== null) event.preventDefault(); return; }
  if (key === "?") {
    event.preventDefault();
    if (!here()) return;
    if (asking) { asking = null; wholeFrame(); } else { asking = true; drawSide(); }
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
    const first = chosen.size > 1 || asking;
    const value = toggle(character);
    if (value !== null && !first && page.view !== "audit" && page.character === null) {
      if (brush) { beginPaint(character, value, null); drawSide(); } else beginPaint(character, value, event.code);
    }
    return;
  }
  if (page.character !== null && (key === "y" || key === "n")) { event.preventDefault(); if (here()) answerOne(key === "y" ? "1" : "0"); return; }
  const work = {
    n: () => { if (page.items.some((item, place) => place !== focus && isOpen(item)) && page.view !== "film") next(); else whenSaved(() => open_(null)); },
    s: shot, a: group, u: () => undo("/api/undo"), r: () => undo("/api/redo"), f: large, p: play, h: help, w: () => open_(null), j: jumpDialog, x: leaveOut,
    b: () => { if (brush) closePaint(); else brush = true; drawSide(); },
    c: () => wait("all frames with which character?", (c) => open_("same", { character: c })),
    t: () => wait("the picture of which character?", (c) => { const item = here(); if (item) send("/api/portrait", { character: c, video: item.v, frame: item.f }); }),
    o: () => wait("go through earlier frames for which character?", (c) => open_("one", { character: c })),
    "[": () => { around = Math.max(0, around - 1); drawSide(); }, "]": () => { around = Math.min(9, around + 1); drawSide(); },
    Escape: () => { asking = null; prefix = null; chosen = new Set(); anchor = null; closePaint(); draw(); },
  }[key];
  if (work) { event.preventDefault(); work(); }
});

function wait(text, work) { prefix = work; say(text, false); }

document.addEventListener("keyup", (event) => { if (painting && painting.held && painting.held === event.code) { closePaint(); draw(); } });
window.addEventListener("blur", () => { if (painting && painting.held) closePaint(); });
document.addEventListener("visibilitychange", () => { if (document.hidden && painting) closePaint(); });

let dragging = null;
const placeAt = (target) => { const cell = target instanceof Element ? target.closest(".cell") : null; return cell ? Number(cell.dataset.place) : null; };
$("grid").addEventListener("pointerdown", (event) => {
  busy();
  const place = placeAt(event.target);
  if (place === null || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey) {
    if (!chosen.size) chosen.add(focus);
    if (chosen.has(place)) chosen.delete(place); else chosen.add(place);
    focus = place; draw(); focusCell();
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
  const place = Math.max(0, Math.min(page.items.length - 1, y * columns + x));
  if (place === focus && chosen.size) return;
  if (place === dragging.from && !chosen.size) return;
  anchor = dragging.from;
  move(place, true);
}
setInterval(() => {
  if (!dragging) return;
  const box = $("grid").getBoundingClientRect();
  const by = dragging.y > box.bottom - 30 ? 24 : dragging.y < box.top + 30 ? -24 : 0;
  if (by) { $("grid").scrollTop += by; dragTo(); }
}, 40);
$("grid").addEventListener("dblclick", (event) => { if (placeAt(event.target) !== null) large(); });
$("grid").addEventListener("scroll", () => { draw(); markSeen(); }, { passive: true });
setInterval(markSeen, 300);
$("picture").addEventListener("load", () => drawMarks(here()));
new ResizeObserver(() => { if (page) { layout(); keepInView(); draw(); drawStrip(true); } }).observe($("grid"));
$("undo").addEventListener("click", () => undo("/api/undo"));
$("redo").addEventListener("click", () => undo("/api/redo"));
$("takeback").addEventListener("click", () => undo("/api/undo"));
$("help").addEventListener("click", help);
$("next").addEventListener("click", () => open_(null));
document.addEventListener("pointerdown", busy);
window.addEventListener("beforeunload", (event) => { if (queue.length || painting) { event.preventDefault(); event.returnValue = ""; } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawStrip(true));

// ---- begin

(async () => {
  await refresh();
  if (!state) { $("saved").textContent = broken || "no answer"; $("saved").className = "bad"; }
  await open_(null);
  setInterval(() => { if (!sending) refresh(); }, ASK_EVERY_MS);
  setInterval(() => { if (activeS > 5 && !queue.length) ask("/api/active", { active_s: takeActive() }).catch(() => {}); }, 15000);
})();
