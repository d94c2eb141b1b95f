// The views, the numbers, the questions about files changed outside, and what stands where no frame is left.
// What a button does is done by the wire.

import { $, cast, now, pictureOf, WORDS } from "./now.js";
import { open_, refresh, send } from "./wire.js";

const TITLES = {
  start: "Start", review: "Review", audit: "Audit", check: "Check", film: "Film", one: "One character", group: "Look-alikes",
  same: "Side by side",
};
const TABS = ["start", "review", "audit", "check", "film"];

export function drawNumbers() {
  if (!now.state) return;
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
    const view = button.dataset.view, next = now.state.agenda.view === view;
    button.setAttribute("aria-current", String(Boolean(now.page && now.page.view === view)));
    button.title = next ? `most useful now: ${now.state.agenda.why}` : TITLES[view];
    button.replaceChildren(TITLES[view]);
    if (next) { const dot = document.createElement("span"); dot.className = "next"; dot.setAttribute("aria-label", "most useful now"); button.append(dot); }
  }
  const labelled = now.state.films.reduce((sum, film) => sum + film.labelled, 0);
  const frames = now.state.films.reduce((sum, film) => sum + film.n, 0);
  const drawn = now.state.films.reduce((sum, film) => sum + film.drawn, 0);
  const waiting = now.state.films.reduce((sum, film) => sum + film.waiting, 0);
  const parts = [["b", String(labelled)], ["", ` of ${frames} frames labelled · audit `], ["b", drawn ? `${drawn - waiting} of ${drawn}` : "none yet"], ["", " · "], ["b", minutes(now.state.active_s + now.activeS)], ["", " active"]];
  $("numbers").replaceChildren(...parts.map(([kind, text]) => { const part = document.createElement(kind || "span"); part.textContent = text; return part; }));
  $("sure").textContent = [now.state.standing.sentence, now.state.study].filter(Boolean).join(" · ");
  $("undo").disabled = !now.state.undo; $("undo").title = now.state.undo ? `take back: ${now.state.undo} (U)` : "nothing to take back";
  $("redo").disabled = !now.state.redo; $("redo").title = now.state.redo ? `do again: ${now.state.redo} (R)` : "nothing was taken back";
  $("trouble").hidden = !now.state.trouble; $("trouble").textContent = now.state.trouble || "";
  drawQuestions();
  const plan = now.state.agenda, elsewhere = Boolean(now.page && now.page.items.length && plan.view !== "done" && (plan.view !== now.page.view || plan.character !== now.page.character));
  $("next").hidden = !elsewhere;
  if (elsewhere) $("next").firstChild.textContent = `next: ${plan.why}`;
  if (now.page && !now.page.items.length) drawEmpty();
}

const minutes = (seconds) => `${(seconds / 60).toFixed(1)} min`;

function drawQuestions() {
  const box = $("questions"), one = now.state.questions[0];
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

export function drawEmpty() {
  const box = $("empty"), plan = now.state ? now.state.agenda : null;
  const title = document.createElement("h2"), text = document.createElement("p"), row = document.createElement("div");
  row.className = "row";
  title.textContent = { start: "The first frames are labelled", review: "Nothing uncertain is left to review", audit: "No drawn frame waits", check: "No label stands out", one: "All frames are answered", film: "No frames" }[now.page.view] || "Nothing here";
  text.textContent = plan ? `Most useful now: ${plan.why}.` : "";
  const key = JSON.stringify([now.page.view, plan]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const rows = [row];
  if (plan && plan.view === "audit" && !now.state.films.some((film) => film.waiting)) row.append(...drawForm(plan));
  else if (plan && plan.view !== "done" && plan.view !== now.page.view) {
    const go = document.createElement("button");
    go.className = "first"; go.textContent = `${TITLES[plan.view]} (N)`;
    go.addEventListener("click", () => open_(null));
    row.append(go);
  }
  if (now.page.view === "audit" && !row.querySelector("input")) {
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
  for (const one of now.state.films) { const option = document.createElement("option"); option.value = option.textContent = one.video; film.append(option); }
  if (plan && plan.video) film.value = plan.video;
  film.hidden = now.state.films.length < 2; film.setAttribute("aria-label", "film");
  const suit = () => { number.value = String(now.state.films.find((one) => one.video === film.value).next); };
  suit(); film.addEventListener("change", suit);
  label.append(number, " frames, drawn at random ");
  if (plan && plan.view === "audit") go.className = "first";
  go.textContent = "Draw the round";
  go.addEventListener("click", () => send("/api/draw", { video: film.value, n: Number(number.value) }, async () => { await refresh(); await open_("audit"); }));
  return [film, label, go];
}
