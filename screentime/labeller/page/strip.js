// The strip: the timeline of all characters of the film in focus; a click jumps there.
// It answers nothing, and is not shown where frames are looked at blind.

import { jump } from "./answers.js";
import { $, cast, here, now } from "./now.js";
import { filmOf, frameAt } from "./wire.js";

export async function drawStrip(force) {
  const canvas = $("timeline"), item = here();
  const blind = now.page && ["audit", "check"].includes(now.page.view);
  $("strip").hidden = Boolean(blind) || !now.state;
  if (blind || !now.state) return;
  const video = item ? item.v : now.state.films[0] && now.state.films[0].video;
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
