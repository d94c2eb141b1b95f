// What opens a dialog: the whole shot, a stretch left out, the frame from the film, the keys, a jump to a time.
// It asks and shows; only what a person chose there is sent.

import { jump, next } from "./answers.js";
import { closeDialog, dialog, line, row, say } from "./messages.js";
import { cast, here, now, pictureOf, valuesOf } from "./now.js";
import { ask, filmOf, frameAt, lookAgain, send } from "./wire.js";

export async function shot() {
  const item = here();
  if (!item) return;
  try {
    const about = await ask("/api/shot", { page: now.page.page, video: item.v, frame: item.f });
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
      row(box, [`Yes, ${about.n} frames`, () => { closeDialog(); send("/api/take-shot", { page: now.page.page, video: item.v, frame: item.f, values }, () => next()); }, true], ["No", closeDialog]);
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

export function leaveOut() {
  if (now.page.view !== "film" || now.chosen.size < 2) { say("select a stretch in the film first: Shift and the arrows, or drag", false); return; }
  const places = [...now.chosen].sort((x, y) => x - y), first = now.page.items[places[0]], last = now.page.items[places[places.length - 1]];
  dialog("Not part of the film", (box) => {
    const reason = document.createElement("input");
    reason.value = "credits"; reason.setAttribute("aria-label", "reason");
    box.append(line(`${first.t} to ${last.t}: left out of every total, and shown as such. Why?`), reason);
    row(box, ["Leave it out", () => { closeDialog(); send("/api/skip", { video: first.v, first: first.f, last: last.f, reason: reason.value }, lookAgain); }, true], ["Cancel", closeDialog]);
  });
}

export function large() {
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

export function help() {
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

export function jumpDialog() {
  dialog("Jump to a time", (box) => {
    const time = document.createElement("input");
    time.placeholder = "12:34"; time.setAttribute("aria-label", "time, m:ss");
    const go = async () => {
      const parts = time.value.split(":").map(Number);
      if (!parts.length || parts.some((one) => !Number.isFinite(one))) { say("a time like 12:34 was expected", false); return; }
      const seconds = parts.reduce((sum, one) => sum * 60 + one, 0), video = (here() || { v: now.state.films[0].video }).v, film = await filmOf(video);
      closeDialog();
      if (film) jump(video, frameAt(film, seconds));
    };
    time.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); go(); } });
    box.append(time);
    row(box, ["Jump", go, true], ["Cancel", closeDialog]);
  });
}
