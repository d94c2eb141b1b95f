// The side: the frame in focus, large, with its marks and the seconds around it; the characters; what can be done.
// Text goes in as text. It draws, and plays; what its buttons say is said in answers.js and dialogs.js.

import { accept, acceptPage, answerOne, group, nobody, stopPlaying, toggle } from "./answers.js";
import { large, leaveOut, shot } from "./dialogs.js";
import { $, asked, cast, here, isOpen, letters, now, pictureOf, WORDS } from "./now.js";
import { filmOf, frameAt, open_ } from "./wire.js";

const SHORT = { "1": "yes", "0": "no", "?": "?" };

export function drawSide() {
  const item = here();
  const image = $("picture");
  if (!now.playing) {
    const source = item ? pictureOf("frame", item.v, item.f) : "";
    if ((image.getAttribute("src") || "") !== source) { if (source) image.src = source; else image.removeAttribute("src"); }
  }
  $("focus").hidden = !item;
  $("caption").textContent = item ? `${now.state && now.state.films.length > 1 ? item.v + " " : ""}${item.t} · ${now.focus + 1} of ${now.page.items.length}${now.chosen.size > 1 ? ` · ${now.chosen.size} selected` : ""}${now.asking ? " · ? which character? (? again: the whole frame)" : ""}${now.brush ? " · brush: " + (now.painting ? cast()[now.painting.character] + " " + WORDS[now.painting.value] : "which character?") : ""}` : "";
  drawMarks(item);
  drawAround(item);
  drawCast();
  drawActions();
}

// where the network saw those whom it guesses to be there; the picture keeps its shape inside its box
function drawMarks(item) {
  const image = $("picture"), box = $("marks");
  const guessed = item && item.w && !now.playing && image.naturalWidth ? [...cast().keys()].filter((c) => item.a[c] === "." && item.w[c]) : [];
  const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
  const width = image.naturalWidth * scale, height = image.naturalHeight * scale;
  box.replaceChildren(...guessed.map((c) => {
    const mark = document.createElement("span"), [x, y] = item.w[c];
    mark.className = "mark"; mark.textContent = letters()[c]; mark.dir = "auto";
    mark.style.left = `${(image.clientWidth - width) / 2 + x * width}px`; mark.style.top = `${(image.clientHeight - height) / 2 + y * height}px`;
    return mark;
  }));
}

$("picture").addEventListener("load", () => drawMarks(here()));

async function drawAround(item) {
  const box = $("around");
  box.hidden = !item || now.around === 0;
  if (box.hidden) { box.replaceChildren(); return; }
  const film = await filmOf(item.v), key = `${item.v} ${item.f} ${now.around}`;
  if (!film || item !== here() || (box.dataset.key === key && box.children.length)) return;
  box.dataset.key = key;
  box.replaceChildren(...[-now.around, now.around].map((offset) => {
    const time = film.times[item.f] + offset, frame = frameAt(film, time), there = time >= film.times[0] && time < film.end_s;
    const hidden = now.page.view !== "audit" && film.drawn.includes(frame);  // what an audit drew is shown there alone
    const part = document.createElement("div"), image = document.createElement("img"), text = document.createElement("span");
    image.alt = "";
    if (there && !hidden) image.src = pictureOf("frame", item.v, frame);
    text.textContent = !there ? (offset < 0 ? "before the film" : "after the film") : `${Math.abs(offset)} s ${offset < 0 ? "before" : "after"}${hidden ? ": of the audit" : ""}`;
    part.append(image, text);
    return part;
  }));
}

export function drawCast() {
  const item = here(), list = $("cast");
  if (!now.state) return;
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
    button.disabled = !item || (now.page.character !== null && now.page.character !== c);
    button.setAttribute("aria-pressed", said === "1" ? "true" : said === "." ? "mixed" : "false");
    value.textContent = said !== "." ? WORDS[said] : guess !== "." ? `${guess === "1" ? "there" : "not there"}?` : "–";
    value.dataset.short = said !== "." ? SHORT[said] : guess !== "." ? `${SHORT[guess]}?` : "–";
    const count = now.state.counts[c], sure = now.state.standing.characters && now.state.standing.characters[c];
    small.firstChild.textContent = `${count.present} there, ${count.absent} not${sure ? " · " : ""}`;
    small.lastChild.textContent = sure ? sure.now : "";
    button.title = `${name}: ${count.present} frames there, ${count.absent} not, ${count.cannot_tell} cannot be told${sure ? `. ${sure.next}` : ""}`;
    const picked = now.state.portraits[c], source = picked ? pictureOf("frame", picked[0], picked[1]) : "";
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
    add(now.page.character !== null ? "Not there, next" : guesses ? "Accept, next" : now.page.view === "check" ? "It is so, next" : isOpen(item) ? "The others are not there, next" : "Next", "Enter", accept, true);
    if (now.page.character === null) add("Nobody", "0", nobody);
    else { add("There", "Y", () => answerOne("1")); add("Not there", "N", () => answerOne("0")); }
    if (["review", "group", "check"].includes(now.page.view)) add("Accept the page", "Ctrl Enter", acceptPage);
    if (now.page.view !== "audit" && now.page.character === null) { add("Shot", "S", shot); add("Look-alikes", "A", group); }
    if (now.page.view === "film" && now.chosen.size > 1) add("Not part of the film", "X", leaveOut);
    add("Large", "F", large); add("Play", "P", play);
  }
  const key = JSON.stringify([now.page && now.page.view, parts.map((part) => part.textContent)]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...parts);
}

export function play() {
  const item = here();
  if (!item) return;
  if (now.playing) { stopPlaying(); drawSide(); return; }
  const image = $("picture");
  let step = 0;
  const pictures = Array.from({ length: 12 }, (_, at) => { const one = new Image(); one.src = pictureOf("motion", item.v, item.f * 12 + at); return one; });
  now.playing = setInterval(() => {
    if (step >= 24) { stopPlaying(); drawSide(); return; }
    const one = pictures[step % 12];
    if (!one.complete) return;
    image.src = one.src; step++;
  }, 166);
}
