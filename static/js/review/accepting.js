/** Accepting the machine's reading: of the selected cells, or of a class; only what was looked at. */

import { Seen } from "./seen.js";

const OVER_TILES = "dialog[open], .cell-menu:not([hidden]), :popover-open";
const NO_CLASSES = ["unresolved", "repeat", "edge", "removed"];

export class Accepting {
  constructor(page) {
    this.page = page;
    this.cells = page.cells;
    this.gallery = page.gallery;
    this.seen = new Seen(page.gallery, page.cells, {
      covers: () => covers(page.root),
      isWatched: () => document.visibilityState === "visible" && document.hasFocus() && !document.querySelector(OVER_TILES),
      onLook: (ids) => this.show(ids, new Set(ids.map((id) => this.gallery.tile(id)?.closest("[data-group]")))),
    });
    page.onSelection((cell) => this.seen.stage(cell?.id, { isChosenThere: page.fields?.isActive }));
    page.onPaint((states) => this.repaint(states));
    page.commands.accept = () => this.accept();
    page.commands["accept-class"] = (button) => this.acceptClass(button?.closest("[data-group]") || this.group);
    this.show(page.gallery.tiles().map((tile) => tile.dataset.cell));
  }

  /** The group of the chosen cell. */
  get group() {
    const tile = this.gallery.tile(this.gallery.current);
    return tile && this.gallery.groupOf(tile);
  }

  repaint(states) {
    for (const state of states) {
      const tile = this.gallery.tile(state.id);
      if (tile) this.seen.renew(tile);
    }
    this.show(states.map((state) => state.id));
  }

  /** Mark which tiles are still to be looked at, and say in each class how many can be accepted. */
  show(ids, groups = this.page.root.querySelectorAll("[data-group]")) {
    for (const id of ids) this.gallery.tile(id)?.toggleAttribute("data-unseen", isOpen(this.cells.get(id)) && !this.seen.has(id));
    for (const group of groups) if (group) this.count(group);
  }

  count(group) {
    const button = group.querySelector("[data-command=accept-class]");
    if (!button) return;
    const open = this.waiting(group);
    const looked = open.filter((id) => this.seen.has(id)).length;
    button.hidden = !open.length;
    button.disabled = !looked;
    const text = looked === open.length ? `Accept ${looked} seen` : `Accept ${looked} of ${open.length} seen`;
    const words = button.querySelector("[data-hook=accept-words]");
    if (words.textContent !== text) words.textContent = text;
  }

  /** The cells of a class that the machine named and no human has. */
  waiting(group) {
    const ids = [...group.querySelectorAll(".cell[data-cell]")].map((tile) => tile.dataset.cell);
    return ids.filter((id) => isOpen(this.cells.get(id)));
  }

  accept() {
    const { page, gallery } = this;
    if (!gallery.current || page.fields?.draft) return;
    const chosen = [...gallery.selected];
    const isLooked = (id) => chosen.length === 1 || this.seen.has(id); // one cell is on the stage
    const looked = chosen.filter(isLooked);
    if (!looked.length) return page.toast(`None of the ${chosen.length} selected cells was on screen: nothing accepted.`, { isTrouble: true });
    page.takeSelected();
    this.send("accept", looked, {}, (states) => {
      const names = new Set(states.map((state) => this.cells.labels.get(state.human)));
      const said = states.length ? `${page.cellsInWords(states.length)} confirmed: ${[...names].join(", ")}.` : "Already confirmed.";
      return [said, ...missed(chosen.length - looked.length)].join(" ");
    });
  }

  acceptClass(group) {
    const { page } = this;
    const type = group?.dataset.group;
    if (!type || NO_CLASSES.includes(type)) return page.toast("These cells are decided one by one.", { isTrouble: true });
    const open = this.waiting(group);
    const looked = open.filter((id) => this.seen.has(id));
    const label = this.cells.labels.get(type);
    if (!open.length) return page.toast(`Every ${label.toLowerCase()} is confirmed.`);
    if (!looked.length) return page.toast(`No ${label.toLowerCase()} was looked at yet.`, { isTrouble: true });
    this.send("acceptClass", looked, { cell_type: type }, (states) =>
      [`${page.cellsInWords(states.length)} confirmed: ${label}.`, ...missed(open.length - looked.length)].join(" "));
  }

  /** Send what was looked at, each with its revision once the steps before this one are stored. */
  send(kind, ids, more, describe) {
    const body = () => ({ ...more, looks: ids.map((id) => ({ cell: id, revision: this.cells.get(id).revision })) });
    this.page.take(kind, body, ids, (states, answer) => {
      const changed = answer.left_out.length;
      return changed ? `${describe(states)} ${changed} left out: changed since you saw them.` : describe(states);
    });
  }
}

const isOpen = (cell) => cell.state === "machine" && !cell.fate;

const missed = (count) => (count ? [`${count} left out: not on screen yet.`] : []);

/** How far down what sticks to the top of the window covers the gallery, in pixels. */
function covers(root) {
  const gallery = root.querySelector(".gallery").getBoundingClientRect();
  const parts = [document.querySelector(".topbar"), root.querySelector(".gallery-bar"), root.querySelector(".stage")];
  return parts.filter(Boolean).map((part) => {
    const style = getComputedStyle(part);
    const place = part.getBoundingClientRect();
    const isAbove = place.left < gallery.right && place.right > gallery.left;
    return style.position === "sticky" && isAbove ? Number.parseFloat(style.top) + place.height : 0;
  });
}
