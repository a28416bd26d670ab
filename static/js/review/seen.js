/**
 * Which cells were looked at: half of the tile, at least 48 pixels wide and with its picture, lay
 * uncovered on the screen for 400 ms while the page had the focus; or the cell was on the stage.
 *
 * A look is at a revision: a cell that changes has to be looked at again.
 */

const LEAST_MS = 400;
const LEAST_SIDE = 48;
const TICK_MS = 100;
const SAVE_MS = 1000;

export class Seen {
  constructor(gallery, cells, { covers, isWatched, onLook }) {
    this.gallery = gallery;
    this.cells = cells;
    this.covers = covers;
    this.isWatched = isWatched;
    this.onLook = onLook;
    this.looks = new Map(this.recall());
    this.lists = gallery.lists();
    this.onScreen = new Map();
    this.timer = null;
    this.staged = null;
    this.saving = null;
    this.start();
    addEventListener("pagehide", () => this.save());
  }

  get store() {
    return `seen-${this.cells.caseId}`;
  }

  /** This tab remembers what was looked at; a record elsewhere it is not. */
  recall() {
    return JSON.parse(sessionStorage.getItem(this.store) || "[]");
  }

  has(id) {
    return this.looks.get(id) === this.cells.get(id)?.revision;
  }

  /** Whatever can bring other tiles on the screen wakes the clock: an observer of each tile is dear. */
  start() {
    const wake = () => this.run();
    const groups = this.gallery.root.querySelector(".gallery-groups");
    for (const kind of ["scroll", "resize"]) addEventListener(kind, wake, { passive: true });
    new ResizeObserver(wake).observe(groups);
    new MutationObserver(wake).observe(groups, { childList: true, subtree: true });
  }

  /** Since when each tile is on the screen; what covers the upper rows of the gallery isn't screen. */
  note(now) {
    const top = Math.max(0, ...this.covers());
    const items = this.lists.flatMap((list) => itemsBetween(list, top, innerHeight));
    this.onScreen = new Map(items.map((item) => [item, this.onScreen.get(item) ?? now]));
  }

  /** A tile that changed has to be looked at anew, from now on. */
  renew(tile) {
    const item = tile.parentElement;
    if (this.onScreen.has(item)) this.onScreen.set(item, performance.now());
    this.run();
  }

  run() {
    if (this.timer === null) this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  tick() {
    const now = performance.now();
    const isWatched = this.isWatched();
    const looked = [];
    this.note(now);
    let waits = false;
    for (const [item, since] of this.onScreen) {
      const id = item.firstElementChild?.dataset.cell;
      if (!id || this.has(id)) continue;
      waits = true;
      if (!isWatched || !hasPicture(item)) this.onScreen.set(item, now);
      else if (now - since >= LEAST_MS) looked.push(id);
    }
    if (looked.length) this.add(looked);
    if (!waits) this.rest();
  }

  rest() {
    clearInterval(this.timer);
    this.timer = null;
  }

  /** The chosen cell is on the stage, large; on a field it was looked for there. */
  stage(id, { isChosenThere = false } = {}) {
    clearTimeout(this.staged);
    if (!id || this.has(id)) return;
    if (isChosenThere) return this.add([id]);
    this.staged = setTimeout(() => {
      if (this.isWatched()) this.add([id]);
    }, LEAST_MS);
  }

  add(ids) {
    for (const id of ids) this.looks.set(id, this.cells.get(id).revision);
    this.saving ??= setTimeout(() => this.save(), SAVE_MS);
    this.onLook(ids);
  }

  save() {
    this.saving = null;
    sessionStorage.setItem(this.store, JSON.stringify([...this.looks]));
  }
}

/** The tiles of a list, all of one size in rows, of which half or more lies between two heights. */
function itemsBetween(list, top, bottom) {
  const items = list.children;
  const { top: start, bottom: end, width } = list.getBoundingClientRect();
  if (!items.length || end <= top || start >= bottom) return [];
  const tile = items[0].getBoundingClientRect();
  if (tile.width < LEAST_SIDE) return [];
  const gap = Number.parseFloat(getComputedStyle(list).rowGap);
  const columns = Math.round((width + gap) / (tile.width + gap));
  const rowAt = (height) => (height - start - tile.height / 2) / (tile.height + gap);
  const first = Math.max(0, Math.ceil(rowAt(top))) * columns;
  const after = Math.min(items.length, (Math.floor(rowAt(bottom)) + 1) * columns);
  return Array.from({ length: Math.max(0, after - first) }, (_, place) => items[first + place]);
}

function hasPicture(item) {
  const picture = item.querySelector("img");
  return picture.complete && picture.naturalWidth > 0;
}
