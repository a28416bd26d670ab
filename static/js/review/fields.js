/** The fields of the case: one to look at with its boxes, a strip of all, and the tools to correct. */

import { Boxes } from "./boxes.js";
import { Filter } from "./filter.js";
import { Outline, nudge } from "./outline.js";
import { Measure, NewCell } from "./tools.js";
import { FieldViewer, WAYS } from "./viewer.js";

const PAUSE_MS = 600; // after the last key, a box moved by keys is stored
const USUAL_RED_CELLS = 1.7; // diameter of a white cell
const BAR_LENGTHS = [100, 50, 20, 10, 5, 2, 1]; // micrometres
const BAR_WIDTH = 130; // pixels of the screen, at most
const ZOOMS = { "+": 1, "=": 1, "-": -1 };

export class Fields {
  /**
   * `selection` knows the chosen cells. `on.select(id, mode)`, `on.reshape(id, box)`,
   * `on.draft(field, box)` and `on.say(text)` hear what is done here.
   */
  constructor(root, cells, selection, on) {
    this.root = root;
    this.cells = cells;
    this.selection = selection;
    this.on = on;
    this.isActive = false;
    this.field = null;
    this.tool = null;
    this.draft = null;
    this.filter = new Filter(this.hook("filter"), cells.classes, () => this.redraw());
    this.listen();
  }

  hook(name) {
    return this.root.querySelector(`[data-hook=${name}]`);
  }

  get items() {
    return [...this.root.querySelectorAll("[data-field]")];
  }

  listen() {
    this.hook("strip").addEventListener("click", (event) => {
      const item = event.target.closest("[data-field]");
      if (!item || event.button !== 0 || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.visit(item.dataset.field);
    });
    window.addEventListener("keyup", (event) => {
      if (event.key === "Shift" || event.key === "Alt") this.store();
    });
  }

  /** OpenSeadragon measures its frame, which must be on the page by then. */
  start() {
    const canvas = this.hook("canvas");
    this.viewer = new FieldViewer(canvas, {
      onMove: () => this.place(),
      onClick: (place, event) => this.press(place, event),
    });
    this.boxes = new Boxes(this.viewer, this.cells);
    this.outline = new Outline(this.viewer, {
      onDrag: (box) => this.boxes.reshape(this.chosen.id, box),
      onDrop: (box) => this.on.reshape(this.chosen.id, box),
    });
  }

  /** Show or leave the fields; the chosen cell's own field, close up, if it has one. */
  activate(isActive) {
    this.isActive = isActive;
    if (!isActive) return this.end();
    if (!this.viewer) this.start();
    const cell = this.current;
    if (cell?.inField) return this.open(cell.image, { centre: cell });
    return this.visit(this.field?.image || this.cells.fields[0].image);
  }

  get current() {
    return this.cells.get(this.selection.current);
  }

  /** The one selected cell, if it lies on this field and its box may be drawn anew. */
  get chosen() {
    const cell = this.current;
    const isAlone = this.selection.selected.size === 1 && cell?.image === this.field?.image;
    return isAlone && this.cells.isEditable && cell.fate !== "removed" ? cell : null;
  }

  /** Open a field and choose its first cell to review. */
  async visit(image) {
    await this.open(image);
    if (this.field?.image !== image || this.current?.image === image) return;
    const cells = this.toReview;
    this.on.select((cells.find((cell) => !cell.fate) || cells[0])?.id || null);
  }

  step(way) {
    const place = this.cells.fields.findIndex((field) => field.image === this.field?.image);
    const next = this.cells.fields[place + way];
    if (next) this.visit(next.image);
    else this.on.say(way > 0 ? "This is the last field." : "This is the first field.");
  }

  async open(image, { centre = null } = {}) {
    if (this.field?.image === image && this.listed) return this.show(centre);
    this.end();
    this.field = this.cells.fields.find((field) => field.image === image);
    this.listed = null;
    this.nameField();
    this.note("Loading…");
    const picture = this.viewer.open(this.cells.urls.image.replace(this.cells.placeholder, image));
    const list = this.cells.loadField(image);
    try {
      await Promise.all([picture, list]);
    } catch {
      if (this.field.image === image) this.note("This field could not be loaded. Open it again to retry.", true);
      return;
    }
    if (this.field.image !== image) return;
    this.listed = this.cells.ofField(image);
    this.show(centre);
  }

  show(centre) {
    this.redraw();
    if (centre) this.viewer.centre(centre.box);
    if (this.focusNext) this.boxes.focus(this.focusNext);
    this.focusNext = null;
  }

  nameField() {
    const place = this.cells.fields.indexOf(this.field);
    this.hook("field-name").textContent = this.field.name;
    this.hook("field-place").textContent = `${place + 1} of ${this.cells.fields.length}`;
    this.root.querySelector("[data-command=previous-field]").disabled = place === 0;
    this.root.querySelector("[data-command=next-field]").disabled = place === this.cells.fields.length - 1;
    for (const item of this.items) {
      if (item.dataset.field !== this.field.image) item.removeAttribute("aria-current");
      else item.setAttribute("aria-current", "true");
    }
    const item = this.items[place];
    const strip = this.hook("strip");
    strip.scrollTo({ left: item.offsetLeft - (strip.clientWidth - item.clientWidth) / 2, behavior: "smooth" });
  }

  /** Draw what is stored; the chosen cell is drawn whatever is filtered out. */
  redraw() {
    if (!this.isActive || !this.listed) return;
    this.listed = this.cells.ofField(this.field.image);
    this.filter.offer(this.listed);
    const isShown = (cell) => this.filter.shows(cell) || this.selection.selected.has(cell.id);
    this.boxes.show(this.listed.filter(isShown), { label: `Cells of ${this.field.name}`, showsFirst: this.filter.showsRemoved });
    this.markSelection();
    this.explain();
    this.place();
  }

  markSelection() {
    this.boxes.mark(this.selection.selected, this.selection.current);
    this.outline.show(this.draft ? null : this.chosen?.box || null, this.field.size);
    const remove = this.root.querySelector("[data-command=remove]");
    if (remove) remove.disabled = !this.removable.length;
  }

  place() {
    if (!this.listed) return;
    this.boxes.place();
    this.outline.place();
    this.tool?.place();
    this.drawBar();
  }

  /** A bar of a round length. */
  drawBar() {
    const bar = this.hook("bar");
    bar.hidden = !this.field.scale;
    if (bar.hidden) return;
    const unit = this.field.scale * this.viewer.scale;
    const length = BAR_LENGTHS.find((micrometres) => micrometres * unit <= BAR_WIDTH) || BAR_LENGTHS.at(-1);
    bar.style.width = `${length * unit}px`;
    bar.textContent = `≈ ${length} µm`;
  }

  /** Take the counts of the strip from the result beside it. */
  count(summary) {
    for (const row of summary.querySelectorAll("[data-field-row]")) {
      const item = this.root.querySelector(`[data-field="${row.dataset.fieldRow}"]`);
      item.querySelector("[data-hook=white]").textContent = row.querySelector("[data-hook=white]").textContent;
    }
  }

  note(text, isTrouble = false) {
    const line = this.hook("field-note");
    line.textContent = text;
    line.toggleAttribute("data-trouble", isTrouble);
  }

  explain() {
    const { scale } = this.field;
    if (this.tool) this.note(this.tool.help);
    else {
      const { advice } = this.items[this.cells.fields.indexOf(this.field)].dataset;
      const words = scale ? `About ${scale.toFixed(1)} px per µm, from red cells of 7.5 µm.` : "No scale: this field was not read.";
      this.note(advice ? `${words} ${advice}` : words, Boolean(advice));
    }
  }

  /* Selection ----------------------------------------------------------------------------- */

  /** Show what was chosen, here or elsewhere; other fields are opened. */
  showSelection() {
    const cell = this.current;
    if (!this.isActive) return;
    if (cell?.inField && cell.image !== this.field?.image) this.open(cell.image, { centre: cell });
    else if (this.listed) this.showHere(cell);
  }

  showHere(cell) {
    const isDrawn = [...this.selection.selected].every((id) => this.boxes.shapes.has(id));
    if (isDrawn && this.boxes.shown.every((one) => this.filter.shows(one) || this.selection.selected.has(one.id))) this.markSelection();
    else this.redraw();
    if (cell?.image === this.field.image) this.viewer.centre(cell.box, { isNear: true });
  }

  focus(id) {
    if (this.listed && this.boxes.shapes.has(id)) this.boxes.focus(id);
    else this.focusNext = id;
  }

  locate() {
    if (this.current?.inField) this.open(this.current.image, { centre: this.current });
  }

  press(place, event) {
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const pair = under?.closest(".box-pair");
    const id = pair ? pair.dataset.pair : under?.closest(".box-tag")?.dataset.cell || this.boxes.at(place);
    if (!id || !this.cells.get(id)) return;
    this.on.select(id, !pair && (event.ctrlKey || event.metaKey || event.shiftKey || this.selection.severalMode) ? "toggle" : "only");
  }

  /** The cells of this field that a reviewer judges, line by line. */
  get toReview() {
    return this.cells.ofField(this.field.image).filter((cell) => this.cells.isForReview(cell.id) && cell.fate !== "removed");
  }

  /** Where to go on after the chosen cell was named: the next one of this field. */
  successor() {
    const rest = this.toReview.filter((cell) => cell.id === this.selection.current || !this.selection.selected.has(cell.id));
    const place = rest.findIndex((cell) => cell.id === this.selection.current);
    return place < 0 ? undefined : rest[place + 1]?.id;
  }

  get removable() {
    return [...this.selection.selected].filter((id) => this.cells.get(id)?.inField && this.cells.get(id).fate !== "removed");
  }

  setPending(ids, isPending) {
    this.boxes?.setPending(ids, isPending);
  }

  /* Tools --------------------------------------------------------------------------------- */

  toggle(name, { byKey }) {
    const isOn = this.tool?.name === name;
    this.end();
    if (isOn || !this.listed) return;
    this.tool = name === "add" ? this.newCell() : this.measure();
    this.tool.name = name;
    this.outline.show(null, this.field.size);
    this.root.toggleAttribute("data-tool", true);
    this.root.querySelector(`[data-command=${name}]`).setAttribute("aria-pressed", "true");
    if (byKey) {
      this.tool.begin();
      this.viewer.viewer.canvas.focus({ preventScroll: true });
    }
    this.explain();
    this.on.say(this.tool.help);
  }

  newCell() {
    const white = this.listed.filter((cell) => this.cells.isForReview(cell.id)).map(({ box }) => Math.max(box[2] - box[0], box[3] - box[1]));
    const usual = white.sort((one, other) => one - other)[white.length >> 1];
    const size = usual || (this.field.scale ? this.field.scale * 7.5 * USUAL_RED_CELLS : Math.min(...this.field.size) / 6);
    return new NewCell(this.viewer, this.field, { box: size, onChange: () => this.onDrawn() });
  }

  onDrawn() {
    this.draft = this.tool.box;
    this.explain();
    this.on.draft(this.field, this.tool.box);
  }

  measure() {
    return new Measure(this.viewer, this.field, { onChange: () => this.explain() });
  }

  /** Put the tool away, and what was drawn with it. */
  end() {
    if (!this.tool) return;
    this.root.querySelector(`[data-command=${this.tool.name}]`).setAttribute("aria-pressed", "false");
    this.root.removeAttribute("data-tool");
    this.tool.end();
    this.tool = null;
    const hadDraft = this.draft;
    this.draft = null;
    if (this.listed) {
      this.markSelection();
      this.explain();
    }
    if (hadDraft) this.on.draft(null, null);
  }

  /* Keys ---------------------------------------------------------------------------------- */

  isHere(event) {
    return event.target === document.body || this.hook("canvas").contains(event.target);
  }

  /** What a key does here; false leaves it to the page. */
  key(event) {
    if (!this.listed) return false;
    if (event.key === "Escape" && this.tool) this.end();
    else if (event.key === "Enter" && this.draft && this.isHere(event)) document.querySelector(".palette [name=cell_type]").focus();
    else if (!this.isHere(event)) return false;
    else if (this.tool?.key(event)) return true;
    else if (event.key in WAYS) return this.arrow(event);
    else if (event.key in ZOOMS && !event.ctrlKey && !event.metaKey && !event.altKey) this.viewer.zoom(ZOOMS[event.key]);
    else return false;
    return true;
  }

  arrow(event) {
    if (event.ctrlKey || event.metaKey) this.viewer.pan(...WAYS[event.key]);
    else if (event.shiftKey || event.altKey) return this.nudge(event);
    else {
      const id = this.boxes.neighbour(this.selection.current, event.key);
      if (id) this.on.select(id);
    }
    return true;
  }

  nudge(event) {
    const cell = this.chosen;
    if (!cell) return false;
    const box = nudge(this.outline.box, event, Math.max(1, Math.round(2 / this.viewer.scale)), this.field.size);
    this.outline.show(box, this.field.size);
    this.boxes.reshape(cell.id, box);
    this.nudged = { id: cell.id, box };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.store(), PAUSE_MS);
    return true;
  }

  /** Store a box that keys have moved. */
  store() {
    clearTimeout(this.timer);
    if (!this.nudged) return;
    const { id, box } = this.nudged;
    this.nudged = null;
    if (String(box) !== String(this.cells.get(id).box)) this.on.reshape(id, box);
  }
}
