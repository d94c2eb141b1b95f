
"use strict";
// What the page can do besides being read: tell the score under the pointer, show some characters only, play the moment,
// sort, copy. Without this script the page is complete, but for the list of appearances, which lies beside it as a table.

const one = (id) => document.getElementById(id);
const all = (selector, inside = document) => Array.from(inside.querySelectorAll(selector));
const made = (tag, attributes, ...content) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
};
const clock = (seconds) => {
  const whole = Math.floor(seconds), two = (n) => String(n).padStart(2, "0"), hours = Math.floor(whole / 3600);
  const part = Math.round((seconds - whole) * 100) / 100;
  const text = (hours ? hours + ":" + two(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)) + ":" + two(whole % 60);
  return part > 0 && part < 1 ? text + String(part).slice(1) : text;
};
const stretch = (moment) => clock(moment.from) + "\u2013" + clock(moment.to);
const counted = (n, noun) => n.toLocaleString("en") + " " + noun + (n === 1 ? "" : "s");

// ---- the player: a moment is {film, character, from, to, score}, times in seconds from the first frame

const player = one("player"), films = player ? JSON.parse(player.dataset.films) : [];
const video = player && player.querySelector("video"), absent = player && player.querySelector(".absent");
const own = new Map();  // film -> address of the file that the reader chose for it
const MOMENT_S = 4;  // played where there is no appearance
let row = [], place = 0;  // the moments that Previous and Next go through
let wanted = null, until = Infinity;  // in the browser's time of the film: where it is being wound to, where it stops

function play(moments, at) {
  row = moments;
  place = at;
  const moment = row[place], film = films[moment.film];
  one("player-title").textContent = moment.character;
  const about = [clock(moment.from) + " to " + clock(moment.to), moment.score && "score " + moment.score, film.name];
  one("player-about").textContent = about.filter(Boolean).join(", ");
  one("player-before").disabled = place === 0;
  one("player-after").disabled = place === row.length - 1;
  const quoted = (text) => /^[\w./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";
  one("player-command").textContent = "python -m screentime extract " + quoted(film.file) + " --character "
    + quoted(moment.character) + " --as clips --model models/trained --out clips";
  if (!player.open) player.showModal();
  load();
}

function load() {
  const address = new URL(own.get(row[place].film) || films[row[place].film].address, document.baseURI).href;
  if (video.src !== address) {
    playable(true);
    video.pause();
    wanted = null;
    video.src = address;  // goes on when it is known what it is
  } else if (video.readyState > 0 && !video.error) wind();
  else if (video.error) playable(false);
}

function playable(is) {
  video.parentElement.hidden = one("player-again").hidden = !is;
  absent.hidden = is;
}

function wind() {
  if (!video.videoWidth) return playable(false);  // sound without a picture: a codec that the browser lacks
  playable(true);
  const first = films[row[place].film].first_s;
  until = first + row[place].to;
  wanted = first + row[place].from + 0.001;  // browsers count in microseconds: not a frame too early
  video.currentTime = wanted;
}

if (player) {
  video.addEventListener("loadedmetadata", wind);
  video.addEventListener("error", () => playable(false));
  video.addEventListener("seeking", () => { if (wanted === null) until = Infinity; });  // the reader winds: it plays on
  video.addEventListener("seeked", () => {
    if (wanted === null) return;
    const there = Math.abs(video.currentTime - wanted) < 0.02;
    wanted = null;
    if (there) video.play().catch(() => {});
    else playable(false);  // a film that ends before, or a server that cannot wind: no other moment is shown for this one
  });
  video.addEventListener("timeupdate", () => {
    if (wanted !== null || video.currentTime < until) return;
    video.pause();
    until = Infinity;
  });
  player.addEventListener("close", () => video.pause());
  player.addEventListener("click", (event) => { if (event.target === player) player.close(); });
  player.querySelector("input").addEventListener("change", (event) => {
    if (!event.target.files.length) return;
    own.set(row[place].film, URL.createObjectURL(event.target.files[0]));
    event.target.value = "";
    load();
  });
  one("player-close").addEventListener("click", () => player.close());
  one("player-again").addEventListener("click", wind);
  one("player-before").addEventListener("click", () => play(row, place - 1));
  one("player-after").addEventListener("click", () => play(row, place + 1));
}

for (const button of all("button.shown")) {
  button.addEventListener("click", () => {
    const buttons = all("button.shown", button.closest(".pictures"));
    const character = button.closest("[data-of]").dataset.of;
    play(buttons.map(({ dataset }) => (
      { film: Number(dataset.film), character, from: Number(dataset.from), to: Number(dataset.to), score: dataset.score }
    )), buttons.indexOf(button));
  });
}

// ---- the timelines: a ribbon tells time and score under the pointer, or under the arrow keys, and plays from there

const appearances = (ribbon) => ribbon.dataset.spans.split(" ").filter(Boolean).map((span) => {
  const [from, to, score] = span.split(",").map(Number);
  const film = Number(ribbon.closest(".timeline").dataset.film), character = ribbon.closest("[data-of]").dataset.of;
  return { film, character, from, to, score: (score / 100).toFixed(2) };
});

for (const timeline of all(".timeline")) {
  const times = timeline.dataset.times.split(" ").map(Number), length = Number(timeline.dataset.length);
  const threshold = Number(timeline.dataset.threshold), joined = "joined" in timeline.dataset;
  for (const ribbon of all(".ribbon", timeline)) {
    const here = document.createElement("div"), tip = document.createElement("div"), scores = ribbon.dataset.scores;
    let at = 0;
    here.className = "here";
    tip.className = "tip";
    here.hidden = tip.hidden = true;
    ribbon.append(here, tip);
    ribbon.tabIndex = 0;
    ribbon.setAttribute("role", "slider");
    ribbon.setAttribute("aria-valuemin", 0);
    ribbon.setAttribute("aria-valuemax", times.length - 1);
    const show = (index, visible = true) => {
      at = Math.max(0, Math.min(times.length - 1, index));
      const thousandths = parseInt(scores.slice(2 * at, 2 * at + 2), 36), score = thousandths / 1000;
      const verdict = joined ? " on average" : score >= threshold ? ", visible" : ", not visible";
      const word = isNaN(score) ? "left out" : "score " + score.toFixed(2) + verdict;
      tip.textContent = clock(times[at]) + ", " + word;
      ribbon.setAttribute("aria-valuenow", at);
      ribbon.setAttribute("aria-valuetext", clock(times[at]) + ", " + word);
      here.hidden = tip.hidden = !visible;
      if (!visible) return;  // measuring asks for a layout: not once for each of a thousand ribbons
      const end = at + 1 < times.length ? times[at + 1] : length, middle = (times[at] + end) / 2 / length * ribbon.clientWidth;
      here.style.left = middle + "px";
      tip.style.left = Math.max(0, Math.min(ribbon.clientWidth - tip.offsetWidth, middle - tip.offsetWidth / 2)) + "px";
    };
    const hide = () => { here.hidden = tip.hidden = document.activeElement !== ribbon; };
    const point = (event) => {
      const box = ribbon.getBoundingClientRect(), time = (event.clientX - box.left) / box.width * length;
      let low = 0, high = times.length;
      while (low < high) { const middle = (low + high) >> 1; if (times[middle] <= time) low = middle + 1; else high = middle; }
      show(low - 1);
    };
    const playHere = () => {  // to the end of the appearance, where there is one
      const moments = appearances(ribbon), time = times[at], end = at + 1 < times.length ? times[at + 1] : length;
      const inside = moments.findIndex((moment) => moment.from < end && moment.to > time);
      const alone = { film: Number(timeline.dataset.film), character: ribbon.closest("[data-of]").dataset.of, from: time, to: Math.min(time + MOMENT_S, length) };
      if (inside < 0) return play([alone], 0);
      moments[inside].from = Math.max(moments[inside].from, time);
      play(moments, inside);
    };
    ribbon.addEventListener("pointermove", point);
    ribbon.addEventListener("pointerdown", point);
    ribbon.addEventListener("click", playHere);
    ribbon.addEventListener("pointerleave", hide);
    ribbon.addEventListener("blur", () => { here.hidden = tip.hidden = true; });
    ribbon.addEventListener("focus", () => show(at));
    ribbon.addEventListener("keydown", (event) => {
      const far = Math.max(1, Math.round(times.length / 20));
      const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - far, PageUp: at + far, Home: 0, End: times.length - 1 }[event.key];
      if (to === undefined && event.key !== "Enter") return;
      event.preventDefault();
      if (to === undefined) playHere(); else show(to);
    });
    show(0, false);
  }
}

// ---- the list of appearances of a film, made when it is opened: a feature film has thousands

function list(details) {
  if (details.querySelector(".spans")) return;
  for (const ribbon of all(".ribbon", details.previousElementSibling)) {
    const moments = appearances(ribbon), character = ribbon.closest("[data-of]").dataset.of, entries = made("ul", {});
    moments.forEach((moment, at) => {
      const button = made("button", { type: "button", "aria-label": `Play ${character}, ${clock(moment.from)} to ${clock(moment.to)}`, title: "score " + moment.score }, stretch(moment));
      button.addEventListener("click", () => play(moments, at));
      entries.append(made("li", {}, button));
    });
    const title = made("p", { class: "who" }, made("b", {}, made("bdi", {}, character)), made("span", {}, counted(moments.length, "appearance")));
    details.append(made("div", { class: "spans", "data-of": character }, title, entries));
  }
  apply();
}

for (const details of all(".appearances")) {
  details.hidden = false;
  details.addEventListener("toggle", () => { if (details.open) list(details); });
}

// ---- the filter: who is shown. It stands in the address, as #timeline&show=ada,bob, so that a link can be passed on

const chips = all("[data-choose]"), cast = chips.map((chip) => chip.dataset.choose);
let shown = new Set();  // nobody: everyone

function asked() {
  const parts = location.hash.slice(1).split("&"), show = parts.find((part) => part.startsWith("show="));
  let names = null;
  try { names = show && show.slice(5).split(",").map(decodeURIComponent); } catch { /* no address of ours */ }
  return { names, part: parts.find((part) => part && !part.startsWith("show=")) || "" };
}

function remember() {
  const show = shown.size ? "show=" + cast.filter((name) => shown.has(name)).map(encodeURIComponent).join(",") : "";
  const hash = [asked().part, show].filter(Boolean).join("&");
  history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
}

function apply() {
  const hidden = (name) => shown.size > 0 && !shown.has(name);
  for (const element of all("[data-of]")) element.hidden = hidden(element.dataset.of);
}

function choose(names) {
  shown = new Set(cast.filter((name) => names.includes(name)));
  if (shown.size === cast.length) shown.clear();
  for (const chip of chips) chip.setAttribute("aria-pressed", shown.has(chip.dataset.choose));
  one("everyone").setAttribute("aria-pressed", !shown.size);
  apply();
  const n = all(".ribbon").filter((ribbon) => !ribbon.closest("[data-of]").hidden)
    .reduce((sum, ribbon) => sum + appearances(ribbon).length, 0);
  one("chosen").textContent = (shown.size ? `${shown.size} of ${counted(cast.length, "character")}` : `All ${counted(cast.length, "character")}`)
    + ", " + counted(n, "appearance");
}

if (one("filter")) {
  const follow = () => {
    const { names, part } = asked();
    if (names) choose(names);
    if (names && one(part)) one(part).scrollIntoView();
    remember();  // a link inside the page keeps the filter
  };
  one("filter").hidden = false;
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const name = chip.dataset.choose;
      choose(shown.has(name) ? cast.filter((other) => shown.has(other) && other !== name) : [...shown, name]);
      remember();
    });
  }
  one("everyone").addEventListener("click", () => { choose([]); remember(); });
  addEventListener("hashchange", follow);
  choose([]);
  if (location.hash) follow();
}

// ---- the table of films: a title sorts it, once more turns it round, a third time brings the first order back

for (const table of all(".films")) {
  const body = all("tbody", table).pop(), first = Array.from(body.rows), titles = all("thead th", table);
  for (const button of all("[data-sort]", table)) {
    const title = button.closest("th"), column = titles.indexOf(title), texts = column === 0;
    const value = (line) => texts ? line.cells[0].textContent : Number(line.cells[column].dataset.n);
    const orders = ["none", texts ? "ascending" : "descending", texts ? "descending" : "ascending"];
    button.addEventListener("click", () => {
      const order = orders[(orders.indexOf(title.getAttribute("aria-sort")) + 1) % 3], sign = order === "ascending" ? 1 : -1;
      const compare = (left, right) => texts ? left.localeCompare(right, "en", { numeric: true }) : left - right;
      for (const other of titles) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      title.setAttribute("aria-sort", order);
      const lines = order === "none" ? first : [...first].sort((line, other) => sign * compare(value(line), value(other)));
      body.append(...lines);
    });
  }
}

// ---- copying

for (const button of all("[data-copy]")) {
  const source = one(button.dataset.copy), told = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const selection = getSelection();
    selection.selectAllChildren(source);  // also for who copies by hand, where the browser does not let a page
    try { await navigator.clipboard.writeText(source.textContent); } catch { if (!document.execCommand("copy")) return; }
    selection.removeAllRanges();
    told.textContent = "Copied.";
  });
}

addEventListener("beforeprint", () => { for (const part of all("details:not(.appearances)")) part.open = true; });
