/** The panel "Why" of the review page: it follows the selected cell. */

import { isTypingIn, onWhyKey } from "../why.js";

const NAME = "why";
const REST_MS = 200;

/** Add the panel to the page; `y` opens it, Escape leads back to the cells. */
export function addWhy(page) {
  const panel = page.root.querySelector(`[data-panel=${NAME}]`);
  let wanted = null;
  let timer = null;

  const addressOf = (cell) => page.cells.urls.why.replace(page.cells.placeholder, cell.id);

  function load() {
    const cell = page.cells.get(page.gallery.current);
    if (!cell || wanted === cell.id) return;
    wanted = cell.id;
    window.htmx.ajax("GET", addressOf(cell), { target: panel, swap: "innerHTML" });
  }

  /** The tiles are hidden here, so arrows follow their order, not where they lie. */
  function move(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.shiftKey || event.ctrlKey || event.target.closest("input, [role=tab], [role=radiogroup]")) return false;
    const tiles = page.gallery.tiles();
    const place = tiles.findIndex((tile) => tile.dataset.cell === page.gallery.current);
    const next = tiles[place + by];
    if (next) page.choose(next.dataset.cell, "only", { focus: false });
    return true;
  }

  const isShown = () => page.modes.current === NAME;

  page.modes.add(NAME, {
    show: load,
    hide: () => {
      wanted = null;
      panel.replaceChildren();
    },
  });
  page.commands[NAME] = () => page.modes.toggle(NAME);
  page.keys.y = NAME;
  // Whoever hurries through the cells asks for none of those he passes.
  page.onSelection((cell) => {
    const link = page.stage.hook("why");
    link.parentElement.hidden = !cell;
    if (cell) link.href = addressOf(cell);
    clearTimeout(timer);
    if (isShown()) timer = setTimeout(load, REST_MS);
  });
  // An answer about a cell that was left meanwhile comes too late.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, serverResponse } = event.detail;
    if (target !== panel && target.id !== "why") return;
    if (!isShown() || !serverResponse.includes(`data-cell="${wanted}"`)) event.detail.shouldSwap = false;
  });
  page.stage.hook("why").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    page.modes.go(NAME);
  });
  document.addEventListener(
    "keydown",
    (event) => {
      if (!isShown() || page.help.open || isTypingIn(event.target)) return;
      if (event.key === "Escape") page.modes.go("cells");
      else if (!move(event) && !(page.usesSingleKeys() && onWhyKey(event))) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
}
