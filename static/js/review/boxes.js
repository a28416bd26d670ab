/** The boxes of a field's cells: drawn, lettered, found by a pointer or by the arrow keys. */

import { WAYS, draw } from "./viewer.js";

const ICONS = { machine: "\uf2d6", human: "\uf4d5", referred: "\uf3cb", unread: "\uf3cb" };
const TAG_HEIGHT = 18;
const LETTER = 6.7; // width of a letter of the tag in pixels: its face has one width
const SLACK = 4; // pixels of the screen by which a pointer may miss a box
const QUIET = ["erythrocyte", "platelet"];
const WORDS = { edge: "edge", repeat: "seen", removed: "removed" };

export class Boxes {
  constructor(viewer, cells) {
    this.viewer = viewer;
    this.cells = cells;
    this.root = draw("g", { class: "boxes" }, viewer.layer);
    this.tags = draw("g", { "aria-hidden": "true" }, viewer.layer);
    this.shapes = new Map();
    this.shown = [];
  }

  /** Draw these cells anew; large boxes first, so that small ones lie on top. */
  show(shown, { label, showsFirst }) {
    const focused = document.activeElement?.closest?.(".box")?.dataset.cell;
    this.shown = shown;
    this.shapes = new Map();
    this.tags.replaceChildren();
    const ordered = [...shown].sort((one, other) => area(other.box) - area(one.box));
    this.root.replaceChildren(...ordered.map((cell) => this.shape(cell, showsFirst)));
    if (shown.length) {
      for (const [name, value] of [["role", "listbox"], ["aria-multiselectable", "true"], ["aria-label", label]]) this.root.setAttribute(name, value);
    } else {
      for (const name of ["role", "aria-multiselectable", "aria-label"]) this.root.removeAttribute(name);
    }
    if (focused) this.shapes.get(focused)?.item.focus({ preventScroll: true });
  }

  shape(cell, showsFirst) {
    const kind = QUIET.includes(cell.finding) && !cell.human ? "quiet" : "strong";
    const looks = { "data-cell": cell.id, "data-kind": kind, "data-class": cell.finding, "data-state": cell.state, "data-fate": cell.fate };
    const item = draw("g", { class: "box", role: "option", tabindex: "-1", "aria-selected": "false", "aria-label": cell.description, ...looks });
    if (showsFirst && String(cell.firstBox) !== String(cell.box)) draw("rect", { class: "box-first", ...corners(cell.firstBox) }, item);
    const lines = ["box-casing", "box-line"].map((name) => draw("rect", { class: name, ...corners(cell.box) }, item));
    const [x0, y0, x1, y1] = cell.box;
    if (cell.fate === "removed") draw("path", { class: "box-strike", d: `M${x0} ${y0}L${x1} ${y1}M${x0} ${y1}L${x1} ${y0}` }, item);
    const shape = { item, lines, tag: null, box: cell.box, letter: () => this.tag(cell, looks) };
    if (kind === "strong") shape.tag = shape.letter();
    else for (const name of ["pointerenter", "pointerleave"]) item.addEventListener(name, () => this.hint(shape, name === "pointerenter"));
    this.shapes.set(cell.id, shape);
    return item;
  }

  /** Letter a quiet box while it is pointed at or selected. */
  hint(shape, isWanted) {
    if (isWanted && !shape.tag) shape.tag = shape.letter();
    else if (!isWanted && shape.item.dataset.kind === "quiet" && shape.item.getAttribute("aria-selected") !== "true") {
      shape.tag?.remove();
      shape.tag = null;
    }
    this.placeTag(shape, this.viewer.toScreen([0, 0]), this.viewer.scale);
  }

  /** The letters of a box; they lie above all boxes. */
  tag(cell, looks) {
    const isOpen = !cell.human && (cell.state === "referred" || cell.state === "unread");
    const name = this.cells.shortNames.get(isOpen ? cell.suggestion : cell.finding) || "";
    const word = `${name}${isOpen ? "?" : ""}${cell.fate ? ` ${WORDS[cell.fate]}` : ""}`;
    const width = 22 + LETTER * word.length;
    const tag = draw("g", { class: "box-tag", ...looks }, this.tags);
    draw("rect", { class: "box-plate", width, height: TAG_HEIGHT, rx: 4 }, tag);
    draw("text", { class: "box-icon", x: 4, y: 13 }, tag).textContent = ICONS[cell.state];
    draw("text", { class: "box-word", x: 18, y: 13 }, tag).textContent = word;
    if (cell.pair.length) this.pairMark(cell, tag, width + 2);
    return tag;
  }

  /** A small plate beside the tag that leads to the same cell in another field. */
  pairMark(cell, tag, x) {
    const mark = draw("g", { class: "box-pair", transform: `translate(${x} 0)`, "data-pair": cell.pair[0] }, tag);
    draw("rect", { class: "box-plate", width: 20, height: TAG_HEIGHT, rx: 4 }, mark);
    draw("text", { class: "box-icon", x: 4, y: 13 }, mark).textContent = "\uf12b";
  }

  /** Put everything where the picture now lies. */
  place() {
    const [left, top] = this.viewer.toScreen([0, 0]);
    const { scale } = this.viewer;
    this.root.setAttribute("transform", `matrix(${scale} 0 0 ${scale} ${left} ${top})`);
    for (const shape of this.shapes.values()) this.placeTag(shape, [left, top], scale);
  }

  /** Above its box, or inside where the view ends. */
  placeTag({ tag, box }, [left, top], scale) {
    if (!tag) return;
    const [x, y] = [left + scale * box[0], top + scale * box[1]];
    tag.toggleAttribute("hidden", left + scale * box[2] < 0 || top + scale * box[3] < 0);
    const above = y - TAG_HEIGHT - 3;
    const fits = above >= 0 ? above : Math.max(y, 0) + 3;
    tag.setAttribute("transform", `translate(${Math.max(x, 0) + (above >= 0 ? -1 : 3)} ${fits})`);
  }

  /** Give a box other edges while it is being drawn. */
  reshape(id, box) {
    const shape = this.shapes.get(id);
    if (!shape) return;
    shape.box = box;
    for (const line of shape.lines) for (const [name, value] of Object.entries(corners(box))) line.setAttribute(name, value);
    this.place();
  }

  mark(selected, current) {
    for (const [id, shape] of this.shapes) {
      const isSelected = selected.has(id);
      if (shape.item.getAttribute("aria-selected") !== String(isSelected)) {
        shape.item.setAttribute("aria-selected", String(isSelected));
        this.hint(shape, isSelected);
      }
      shape.tag?.toggleAttribute("data-selected", isSelected);
    }
    if (this.entry) this.entry.tabIndex = -1;
    const entry = this.shapes.get(current) || this.shapes.get(this.shown[0]?.id);
    this.entry = entry?.item;
    if (entry) entry.item.tabIndex = 0;
    for (const id of selected) this.raise(id);
  }

  raise(id) {
    const { item, tag } = this.shapes.get(id) || {};
    if (tag && tag !== this.tags.lastChild) this.tags.append(tag);
    if (!item || item === this.root.lastChild) return;
    const hasFocus = item === document.activeElement;
    this.root.append(item);
    if (hasFocus) item.focus({ preventScroll: true });
  }

  focus(id) {
    this.shapes.get(id)?.item.focus({ preventScroll: true });
  }

  setPending(ids, isPending) {
    for (const id of ids) this.shapes.get(id)?.item.toggleAttribute("data-pending", isPending);
  }

  /** The smallest box at a place of the screen. */
  at(place) {
    const [x, y] = this.viewer.toImage(place);
    const slack = SLACK / this.viewer.scale;
    const isOn = ({ box: [x0, y0, x1, y1] }) => x >= x0 - slack && x <= x1 + slack && y >= y0 - slack && y <= y1 + slack;
    return this.shown.filter(isOn).sort((one, other) => area(one.box) - area(other.box))[0]?.id;
  }

  /** The nearest box in the direction of an arrow key; straight ahead before aside. */
  neighbour(id, key) {
    const from = this.shapes.get(id);
    if (!from) return this.shown[0]?.id;
    const [dx, dy] = WAYS[key];
    const [x, y] = middle(from.box);
    let best;
    let bestScore = Infinity;
    for (const cell of this.shown) {
      const [cx, cy] = middle(cell.box);
      const ahead = (cx - x) * dx + (cy - y) * dy;
      const aside = Math.abs((cx - x) * dy) + Math.abs((cy - y) * dx);
      if (ahead > aside / 4 && ahead + 2 * aside < bestScore) [best, bestScore] = [cell.id, ahead + 2 * aside];
    }
    return best;
  }
}

function corners([x0, y0, x1, y1]) {
  return { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
}

function area([x0, y0, x1, y1]) {
  return (x1 - x0) * (y1 - y0);
}

function middle([x0, y0, x1, y1]) {
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}
