/**
 * Cells side by side at one scale, with reference cells below them.
 *
 * Pictures whose field tells its scale show the same number of micrometres; those without one, the
 * same number of pixels. Zoom and place are those of all of them.
 */

import { References } from "./references.js";
import { Span, mayPan, picture } from "./scale.js";

const MOST = 8;
const MOVES = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const ZOOM_STEP = 1.25;
const MOST_ZOOM = 8;
const ICONS = { machine: "cpu", human: "person", referred: "flag-fill", unread: "flag-fill" };

export class Compare {
  constructor(page) {
    this.page = page;
    this.root = document.getElementById("compare");
    this.list = this.root.querySelector("[data-hook=compared]");
    this.note = this.root.querySelector("[data-hook=compare-note]");
    this.references = new References(this.root, page.cells);
    this.ids = [];
    this.zoom = 1;
    this.offset = [0, 0];
    page.modes.add("compare", { show: () => this.show(), hide: () => this.hide(), key: (event) => this.key(event), successor: () => this.successor() });
    page.commands.compare = () => page.modes.toggle("compare");
    page.commands["compare-in"] = () => this.zoomBy(1);
    page.commands["compare-out"] = () => this.zoomBy(-1);
    page.commands["compare-fit"] = () => this.fit();
    page.keys.c = "compare";
    page.onSelection((cell) => this.isActive && this.mark(cell));
    page.onPaint((states) => this.isActive && this.paint(states));
    this.listen();
  }

  get isActive() {
    return this.page.modes.current === "compare";
  }

  listen() {
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("[data-compared]");
      if (item) this.choose(item.dataset.compared);
    });
    this.list.addEventListener("focusin", (event) => {
      const id = event.target.dataset.compared;
      if (id && id !== this.page.gallery.current) this.page.choose(id, "only", { focus: false });
    });
    this.list.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && this.zoom === 1) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
    mayPan(this.list, () => this.zoom, (dx, dy) => this.pan(dx, dy));
  }

  /** Compare what is selected; the first of them is the one that is named. */
  show() {
    const { gallery, cells } = this.page;
    const chosen = [...gallery.selected].filter((id) => cells.get(id));
    this.ids = chosen.slice(0, MOST);
    this.left = chosen.length - this.ids.length;
    this.zoom = 1;
    this.offset = [0, 0];
    const current = this.ids.includes(gallery.current) ? gallery.current : this.ids[0];
    this.draw();
    if (!current) return;
    this.choose(current);
    const words = this.ids.length === 1 ? "One cell beside reference cells." : `${this.ids.length} cells side by side.`;
    this.page.announce(`${words} ${this.note.textContent}`);
  }

  hide() {
    if (!this.ids.length) return;
    const { gallery } = this.page;
    gallery.mark(this.ids);
    if (!this.ids.includes(gallery.current)) gallery.select(this.ids[0], "keep", { focus: false });
  }

  choose(id) {
    this.page.choose(id, "only", { focus: false });
    this.option(id)?.focus({ preventScroll: true });
  }

  option(id) {
    return this.list.querySelector(`[data-compared="${id}"]`);
  }

  /** The cell to go on with after the selected one got its name. */
  successor() {
    const place = this.ids.indexOf(this.page.gallery.current);
    return this.ids[place + 1] || this.ids[place];
  }

  draw() {
    const { cells } = this.page;
    const shown = this.ids.map((id) => cells.get(id));
    this.span = new Span(shown.map((cell) => ({ side: sideOf(cell), scale: this.scaleOf(cell) })));
    this.root.querySelector("[data-hook=compare-none]").hidden = shown.length > 0;
    this.list.hidden = shown.length === 0;
    this.list.dataset.count = shown.length;
    this.list.replaceChildren(...shown.map((cell) => this.make(cell)));
    this.note.textContent = [this.left ? `The first ${MOST} of ${MOST + this.left} selected cells.` : "", this.span.inWords()].filter(Boolean).join(" ");
  }

  make(cell) {
    const item = document.createElement("li");
    item.className = "compared";
    item.dataset.compared = cell.id;
    item.tabIndex = -1;
    item.setAttribute("role", "option");
    item.append(picture(this.shownOf(cell), this.span, this), this.words(cell));
    this.describe(item, cell);
    return item;
  }

  /** The cell's own picture where it holds all that is to be seen, else the whole field. */
  shownOf(cell) {
    const { cells } = this.page;
    const shown = { middle: middleOf(cell), scale: this.scaleOf(cell), size: cell.size };
    const side = this.span.sideFor(shown);
    const isEnough = side <= 2.4 * Math.max(cell.box[2] - cell.box[0], cell.box[3] - cell.box[1]);
    const [width, height] = cell.size;
    return { ...shown, image: isEnough ? cells.pictureOf(cell) : { href: cells.imageOf(cell), x: 0, y: 0, width, height } };
  }

  describe(item, cell) {
    item.dataset.state = cell.state;
    item.setAttribute("aria-selected", String(cell.id === this.page.gallery.current));
  }

  words(cell) {
    const words = document.createElement("span");
    words.className = "compared-words";
    const isOpen = cell.state === "referred" || cell.state === "unread";
    const name = document.createElement("strong");
    const icon = document.createElement("i");
    icon.className = `bi bi-${ICONS[cell.state]}`;
    icon.setAttribute("aria-hidden", "true");
    name.append(icon, ` ${isOpen ? "Undecided" : this.page.cells.labels.get(cell.finding)}`);
    const detail = document.createElement("span");
    detail.textContent = this.machineWords(cell);
    const field = document.createElement("span");
    field.textContent = this.span.micrometres && !this.scaleOf(cell) ? `No scale · ${cell.imageName}` : cell.imageName;
    words.append(name, detail, field);
    return words;
  }

  machineWords(cell) {
    const guess = this.page.cells.shortNames.get(cell.suggestion);
    const machine = guess ? `Machine: ${guess} ${Math.floor(cell.confidence * 100)} %` : "Not read";
    return cell.state === "human" ? `Reviewer · ${machine}` : machine;
  }

  scaleOf(cell) {
    return (cell.inField && this.page.cells.fields.find((field) => field.image === cell.image)?.scale) || null;
  }

  /** Show which cell is named next, and what it is to be compared with. */
  mark(cell) {
    for (const item of this.list.children) {
      const isCurrent = item.dataset.compared === cell?.id;
      item.setAttribute("aria-selected", String(isCurrent));
      item.tabIndex = isCurrent ? 0 : -1;
      if (isCurrent && this.list.contains(document.activeElement)) item.focus({ preventScroll: true });
    }
    this.references.show(cell, this.span);
  }

  paint(states) {
    for (const state of states) {
      const item = this.option(state.id);
      if (!item) continue;
      item.querySelector(".compared-words").replaceWith(this.words(state));
      this.describe(item, state);
    }
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    const isFree = event.target === document.body || this.list.contains(event.target);
    if (event.key === "Escape") this.page.modes.go("cells");
    else if (event.key === "+" || event.key === "=") this.zoomBy(1);
    else if (event.key === "-") this.zoomBy(-1);
    else if (isFree && event.shiftKey && event.key in MOVES) this.pan(...step(event.key));
    else if (isFree && event.key in MOVES) this.move(MOVES[event.key]);
    else if (isFree && (event.key === "Home" || event.key === "End")) this.choose(this.ids.at(event.key === "Home" ? 0 : -1));
    else return false;
    return true;
  }

  move(by) {
    const place = this.ids.indexOf(this.page.gallery.current) + by;
    if (this.ids[place]) this.choose(this.ids[place]);
  }

  zoomBy(direction) {
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * ZOOM_STEP ** direction));
    if (this.zoom < 1.01) [this.zoom, this.offset] = [1, [0, 0]];
    this.place();
  }

  fit() {
    [this.zoom, this.offset] = [1, [0, 0]];
    this.place();
  }

  /** Move all pictures; in shares of what is seen. */
  pan(dx, dy) {
    if (this.zoom === 1) return;
    const most = (1 - 1 / this.zoom) / 2;
    this.offset = [this.offset[0] + dx / this.zoom, this.offset[1] + dy / this.zoom].map((value) => Math.min(most, Math.max(-most, value)));
    this.place();
  }

  place() {
    this.list.toggleAttribute("data-zoomed", this.zoom > 1);
    for (const svg of this.root.querySelectorAll("svg[data-scaled]")) svg.dispatchEvent(new CustomEvent("place", { detail: this }));
  }
}

/** The side of the square that shows a cell whole, in pixels of its picture. */
function sideOf(cell) {
  const [, , width, height] = cell.view.split(" ").map(Number);
  return Math.max(width, height);
}

function middleOf(cell) {
  const [x, y, width, height] = cell.view.split(" ").map(Number);
  return [x + width / 2, y + height / 2];
}

function step(key) {
  const share = 0.08;
  return { ArrowLeft: [-share, 0], ArrowRight: [share, 0], ArrowUp: [0, -share], ArrowDown: [0, share] }[key];
}
