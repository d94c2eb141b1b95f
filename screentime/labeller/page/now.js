// What the page knows: what the server said last, what is on the screen, where the hand is; and what is read off that.
// It imports nothing, asks no server and draws nothing.

export const WORDS = { "1": "there", "0": "not there", "?": "cannot be told", ".": "not said" };

export const $ = (id) => document.getElementById(id);
export const token = (() => {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) sessionStorage.setItem("token", given);
  if (given) history.replaceState(null, "", location.pathname);
  return sessionStorage.getItem("token") || "";
})();

export const now = {
  state: null,            // what /api/state said last
  page: null,             // what is on the screen: {page, view, why, character, items}
  focus: 0,               // place in page.items
  anchor: null,           // where a selection began
  chosen: new Set(),      // places that are selected
  seen: new Set(),        // places whose cell has been on the screen
  asking: null,           // "?" was pressed and waits for a digit
  painting: null,         // {character, value, cells, held}: a stretch is being painted
  brush: false,           // B: the next digit paints until B again
  around: 0,              // seconds before and after that are shown
  queue: [],              // what the server has not acknowledged
  sending: false, broken: null, activeS: 0, playing: null, films: new Map(),
};

// what draws, handed in by labeller.js: all, side, cast, numbers, strip; so nobody below imports what draws
export const draw = {};

export const cast = () => (now.state ? now.state.cast : []);
export const here = () => (now.page && now.page.items.length ? now.page.items[now.focus] : null);
export const shown = (item, c) => (item.a[c] !== "." ? item.a[c] : item.p && item.p[c] !== "." ? item.p[c] : ".");
export const asked = () => (now.page.character === null ? [...cast().keys()] : [now.page.character]);
export const isOpen = (item) => now.page.view === "check" ? !item.c : asked().some((c) => item.a[c] === ".");
export const valuesOf = (item) => [...cast().keys()].map((c) => (shown(item, c) === "." ? "0" : shown(item, c))).join("");
export const pictureOf = (kind, video, number) =>
  `/picture/${kind}/${encodeURIComponent(video)}/${number}?token=${encodeURIComponent(token)}`;

export const letters = (() => {
  let read = null, made = [];
  return () => {
    if (read === now.state) return made;
    read = now.state;
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
