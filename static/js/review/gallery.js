/**
 * The tiles: which are selected, moving among them, moving them between classes.
 *
 * A red cell or a platelet of a field can be selected too; it has no tile until it is named.
 * Each class is a listbox; its options are the links that do the same without scripts.
 */

import { doubt } from "./order.js";

export class Gallery {
  constructor(root, cells, onSelect) {
    this.root = root;
    this.cells = cells;
    this.onSelect = onSelect;
    this.selected = new Set();
    this.current = null;
    this.anchor = null;
    this.severalMode = false;
    this.isPointing = false;
    this.rank = doubt;
    for (const list of this.lists()) this.dress(list);
    for (const tile of this.tiles()) this.prepare(tile);
    this.listen();
  }

  lists() {
    return [...this.root.querySelectorAll("[data-group] > .cells")];
  }

  tiles() {
    return [...this.root.querySelectorAll(".cell[data-cell]")];
  }

  tile(id) {
    return document.getElementById(`cell-${id}`);
  }

  groupOf(tile) {
    return tile.closest("[data-group]");
  }

  prepare(tile) {
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-selected", "false");
    tile.removeAttribute("aria-current");
    tile.tabIndex = -1;
    tile.draggable = this.cells.isEditable;
    tile.parentElement.setAttribute("role", "presentation");
  }

  /** Name the list, count it, and hide an empty class. */
  dress(list) {
    const group = list.parentElement;
    const size = list.childElementCount;
    if (size) {
      list.setAttribute("role", "listbox");
      list.setAttribute("aria-multiselectable", "true");
      list.setAttribute("aria-labelledby", `${group.id}-title`);
    } else {
      for (const name of ["role", "aria-multiselectable", "aria-labelledby"]) list.removeAttribute(name);
    }
    group.hidden = size === 0;
    group.querySelector("[data-hook=count]").textContent = size;
  }

  listen() {
    // Pressing a tile focuses it before the click says what is meant: only keys select by focus.
    this.root.addEventListener("pointerdown", () => { this.isPointing = true; });
    for (const name of ["keydown", "dragend"]) document.addEventListener(name, () => { this.isPointing = false; });
    this.root.addEventListener("click", (event) => {
      this.isPointing = false;
      const tile = event.target.closest(".cell[data-cell]");
      if (!tile || event.button !== 0) return;
      event.preventDefault();
      const mode = event.shiftKey ? "range" : event.ctrlKey || event.metaKey || this.severalMode ? "toggle" : "only";
      this.select(tile.dataset.cell, mode);
    });
    this.root.addEventListener("focusin", (event) => {
      const tile = event.target.closest(".cell[data-cell]");
      if (tile && !this.isPointing && tile.dataset.cell !== this.current) this.select(tile.dataset.cell, "keep");
    });
  }

  /** Modes: only this; toggle it; range from the anchor; keep the selection if it holds it. */
  select(id, mode = "only", { focus = true } = {}) {
    if (mode === "keep" && !this.selected.has(id)) mode = "only";
    if (mode === "only") this.mark([id]);
    if (mode === "toggle") this.toggle(id);
    if (mode === "range") this.mark(this.range(this.anchor || id, id));
    if (mode !== "range") this.anchor = id;
    this.moveTo(id, focus);
    this.onSelect();
  }

  toggle(id) {
    const ids = new Set(this.selected);
    if (ids.has(id) && ids.size > 1) ids.delete(id);
    else ids.add(id);
    this.mark(ids);
  }

  range(from, to) {
    const order = this.tiles().map((tile) => tile.dataset.cell);
    const [start, end] = [order.indexOf(from), order.indexOf(to)].sort((a, b) => a - b);
    return order.slice(start, end + 1);
  }

  mark(ids) {
    const next = new Set(ids);
    for (const id of this.selected) if (!next.has(id)) this.tile(id)?.setAttribute("aria-selected", "false");
    for (const id of next) this.tile(id)?.setAttribute("aria-selected", "true");
    this.selected = next;
  }

  moveTo(id, focus) {
    if (this.current) {
      const old = this.tile(this.current);
      if (old) old.tabIndex = -1;
    }
    this.current = id;
    const tile = this.tile(id);
    if (!tile) return;
    tile.tabIndex = 0;
    if (focus && document.activeElement !== tile) tile.focus();
  }

  /** Select nothing. */
  clear() {
    this.mark([]);
    this.current = null;
    this.onSelect();
  }

  selectGroup() {
    const tile = this.tile(this.current);
    if (!tile) return;
    const group = this.groupOf(tile);
    this.mark([...group.querySelectorAll(".cell[data-cell]")].map((tile) => tile.dataset.cell));
    this.onSelect();
  }

  /** The neighbour of the current tile in a direction, across classes; rows by geometry. */
  neighbour(key) {
    const tiles = this.tiles().filter((tile) => !this.groupOf(tile).hidden);
    const place = tiles.indexOf(this.tile(this.current));
    if (key === "ArrowLeft") return tiles[place - 1];
    if (key === "ArrowRight") return tiles[place + 1];
    if (key === "Home") return tiles[0];
    if (key === "End") return tiles.at(-1);
    if (place < 0) return tiles[0];
    return inNextRow(tiles, tiles[place], key === "ArrowDown" ? 1 : -1);
  }

  nextUndecided() {
    const open = [...this.root.querySelectorAll("#group-unresolved .cell[data-cell]")];
    const place = open.findIndex((tile) => tile.dataset.cell === this.current);
    return open[(place + 1) % open.length];
  }

  /** Where to go on after the selected cells leave for other classes. */
  successor() {
    const tile = this.tile(this.current);
    if (!tile) return undefined;
    const group = [...this.groupOf(tile).querySelectorAll(".cell[data-cell]")];
    const stays = (tile) => !this.selected.has(tile.dataset.cell);
    const last = group.findLastIndex((tile) => !stays(tile));
    const next = group.slice(last + 1).find(stays) || group.slice(0, last).findLast(stays);
    return (next || this.tiles().find(stays))?.dataset.cell;
  }

  setPending(ids, isPending) {
    for (const id of ids) this.tile(id)?.toggleAttribute("data-pending", isPending);
  }

  /** A tile like those that the server makes. */
  make(state) {
    const item = document.createElement("li");
    const tile = document.createElement("a");
    const tag = document.createElement("span");
    tile.className = "cell";
    tile.id = `cell-${state.id}`;
    tile.dataset.cell = state.id;
    tile.href = `?cell=${state.id}#stage`;
    tag.className = "cell-tag";
    tag.dataset.hook = "tag";
    tile.append(Object.assign(new Image(104, 104), { alt: "", draggable: false }), tag);
    item.append(tile);
    this.prepare(tile);
    return tile;
  }

  /** Show stored states: picture, mark, words, class. What stays in its class stays in its place. */
  paint(states) {
    const touched = new Set();
    const focused = document.activeElement;
    for (const state of states) {
      const tile = this.tile(state.id) || this.make(state);
      const target = document.getElementById(`group-${state.group}`).querySelector(".cells");
      touched.add(target);
      if (tile.isConnected) touched.add(tile.closest(".cells"));
      const picture = tile.querySelector("img");
      const source = this.cells.thumbnailOf(state);
      if (picture.getAttribute("src") !== source) picture.src = source;
      tile.dataset.state = state.state;
      tile.setAttribute("aria-label", state.description);
      tile.querySelector("[data-hook=tag]").textContent = state.tag;
      if (tile.parentElement.parentElement !== target) this.insert(target, tile.parentElement, state);
    }
    for (const list of touched) this.dress(list);
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  }

  insert(list, item, state) {
    const follower = [...list.children].find((other) => other !== item && this.isBefore(state, this.stateOf(other)));
    list.insertBefore(item, follower || null);
  }

  stateOf(item) {
    return this.cells.get(item.firstElementChild.dataset.cell);
  }

  /** By rank, and as they were uploaded where that is equal. */
  isBefore(one, other) {
    const ahead = this.rank(one) - this.rank(other);
    return ahead < 0 || (ahead === 0 && this.cells.placeOf(one.id) < this.cells.placeOf(other.id));
  }

  /** Put every class in order; what is chosen stays chosen, focused and where it is on the screen. */
  sort() {
    const focused = document.activeElement;
    const putBack = this.holdPlace();
    for (const list of this.lists()) {
      const items = [...list.children].map((item) => ({ item, state: this.stateOf(item) }));
      items.sort((one, other) => (this.isBefore(one.state, other.state) ? -1 : 1));
      list.append(...items.map(({ item }) => item));
    }
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
    putBack();
  }

  /** Remember where the chosen tile lies on the screen; what is returned scrolls it there again. */
  holdPlace() {
    const item = this.tile(this.current)?.parentElement;
    const before = item?.getBoundingClientRect();
    if (!before?.height || before.bottom < 0 || before.top > innerHeight) return () => {};
    return () => scrollBy({ top: item.getBoundingClientRect().top - before.top, behavior: "instant" });
  }
}

function inNextRow(tiles, tile, direction) {
  const here = tile.parentElement.getBoundingClientRect();
  let best;
  let bestScore = Infinity;
  for (const other of tiles) {
    const there = other.parentElement.getBoundingClientRect();
    const rows = (there.top - here.top) * direction;
    if (rows < here.height / 2) continue;
    const score = rows * 1000 + Math.abs(there.left - here.left);
    if (score < bestScore) [best, bestScore] = [other, score];
  }
  return best;
}
