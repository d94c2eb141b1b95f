// What the page says in a sentence, and its one dialog. It knows no question of its own: who opens the dialog fills it.

import { focusCell } from "./grid.js";
import { $, now } from "./now.js";

let saidTimer = 0;

export function dialog(title, fill, kind = "") {
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

export function closeDialog() { $("dialog").close(); focusCell(); }

export function line(text) { const part = document.createElement("p"); part.textContent = text; return part; }

export function row(box, ...buttons) {
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

export function confirm_(text, label, work) {
  dialog("One question", (box) => { box.append(line(text)); row(box, [label, () => { closeDialog(); work(); }], ["Cancel", closeDialog, true]); });
}

export function say(text, canUndo) {
  $("sentence").textContent = text;
  $("takeback").hidden = !canUndo;
  $("said").className = "shown";
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { $("said").className = ""; }, 6000);
}

export function showSaved() {
  const box = $("saved");
  box.className = now.broken ? "bad" : "";
  box.textContent = now.broken || (now.queue.length ? "saving" : now.state && now.state.trouble ? "saved in the journal" : "saved");
}
