// The page of the labeller. The server holds the truth: what is said here is shown at once, sent in order, and shown as
// saved only when the server has it in its journal. What is on the screen never changes under the hand; another tab's
// answers and the server's refusals are laid over it. Here the files are put together, and the page begins.

import { clearCells, drawCells } from "./grid.js";
import "./keys.js";
import { $, draw, now } from "./now.js";
import { drawEmpty, drawNumbers } from "./numbers.js";
import { drawCast, drawSide } from "./side.js";
import { drawStrip } from "./strip.js";
import { ask, open_, refresh, takeActive } from "./wire.js";

const ASK_EVERY_MS = 2000;

// draws the page: its cells or what stands where there are none, and the side
function drawPage() {
  const any = Boolean(now.page && now.page.items.length);
  $("grid").hidden = !any; $("empty").hidden = any || !now.page;
  if (!now.page) return;
  $("what").textContent = !any ? "" : now.state && now.state.agenda.view === "done" ? `${now.page.why}; ${now.state.agenda.why}` : now.page.why;
  if (any) drawCells();
  else { drawEmpty(); clearCells(); }
  drawSide();
}

Object.assign(draw, { all: drawPage, side: drawSide, cast: drawCast, numbers: drawNumbers, strip: drawStrip });

(async () => {
  await refresh();
  if (!now.state) { $("saved").textContent = now.broken || "no answer"; $("saved").className = "bad"; }
  await open_(null);
  setInterval(() => { if (!now.sending) refresh(); }, ASK_EVERY_MS);
  setInterval(() => { if (now.activeS > 5 && !now.queue.length) ask("/api/active", { active_s: takeActive() }).catch(() => {}); }, 15000);
})();
