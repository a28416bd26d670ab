/** What is drawn on a field besides its boxes: a missed cell, and a line that measures. */

import { Outline, nudge, shift, tidy } from "./outline.js";
import { WAYS, draw } from "./viewer.js";

const SLIP = 4; // pixels of the screen: a shorter drag is a click
const SHARE = 0.2; // of the view's shorter side: the length of a line drawn by keyboard

/** One gesture over the whole picture, which doesn't pan meanwhile; the wheel still zooms. */
class Gesture {
  constructor(viewer, { onDraw, onEnd }) {
    this.viewer = viewer;
    this.sheet = draw("rect", { class: "gesture", width: "100%", height: "100%" }, viewer.layer);
    this.sheet.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      event.preventDefault();
      const start = viewer.pointOf(event);
      const move = (moved) => {
        moved.stopPropagation();
        onDraw(start, viewer.pointOf(moved));
      };
      const end = (ended) => {
        ended.stopPropagation();
        this.sheet.removeEventListener("pointermove", move);
        const far = Math.hypot(ended.clientX - event.clientX, ended.clientY - event.clientY);
        onEnd(ended.type === "pointerup" && far >= SLIP);
      };
      this.sheet.setPointerCapture(event.pointerId);
      this.sheet.addEventListener("pointermove", move);
      for (const kind of ["pointerup", "pointercancel"]) this.sheet.addEventListener(kind, end, { once: true });
    });
  }

  end() {
    this.sheet.remove();
  }
}

/** A box round a cell that the machine missed; it waits for its class. */
export class NewCell {
  constructor(viewer, field, { box, onChange }) {
    this.viewer = viewer;
    this.field = field;
    this.usual = box;
    this.onChange = onChange;
    this.box = null;
    this.shape = draw("rect", { class: "new-cell", hidden: "" }, viewer.layer);
    this.outline = new Outline(viewer, { onDrag: (to) => this.set(to), onDrop: (to) => this.set(to) });
    this.gesture = new Gesture(viewer, {
      onDraw: (from, to) => this.set(tidy([...from, ...to], field.size)),
      onEnd: (isDrawn) => this.drawn(isDrawn),
    });
  }

  get help() {
    return this.box ? "Choose the class of the new cell. Esc cancels." : "Drag a box round the cell. Esc cancels.";
  }

  /** A box of usual size in the middle of the view, for the keyboard. */
  begin() {
    const [x, y] = this.viewer.middle;
    const half = this.usual / 2;
    this.set(tidy([x - half, y - half, x + half, y + half], this.field.size));
    this.drawn(true);
  }

  drawn(isDrawn) {
    if (!isDrawn) return this.begin();
    this.gesture.end();
    this.outline.show(this.box, this.field.size);
    this.onChange();
  }

  set(box) {
    this.box = box;
    if (this.outline.box) this.outline.show(box, this.field.size);
    this.place();
    this.onChange();
  }

  key(event) {
    if (!this.box) return false;
    const step = Math.max(1, Math.round(4 / this.viewer.scale));
    if (event.key in WAYS) {
      if (event.shiftKey || event.altKey) this.set(nudge(this.box, event, step, this.field.size));
      else this.set(shift(this.box, ...WAYS[event.key].map((way) => way * step), this.field.size));
      return true;
    }
    const way = { "+": 1, "=": 1, "-": -1 }[event.key];
    if (!way) return false;
    const [x0, y0, x1, y1] = this.box;
    this.set(tidy([x0 - way * step, y0 - way * step, x1 + way * step, y1 + way * step], this.field.size));
    return true;
  }

  place() {
    if (!this.box) return;
    const [x, y] = this.viewer.toScreen(this.box.slice(0, 2));
    const [right, bottom] = this.viewer.toScreen(this.box.slice(2));
    this.shape.removeAttribute("hidden");
    for (const [name, value] of Object.entries({ x, y, width: right - x, height: bottom - y })) this.shape.setAttribute(name, value);
    this.outline.place();
  }

  end() {
    this.gesture.end();
    this.outline.root.remove();
    this.shape.remove();
  }
}

/** A line, its length in pixels and, by the red cells, in micrometres. */
export class Measure {
  constructor(viewer, field, { onChange }) {
    this.viewer = viewer;
    this.field = field;
    this.onChange = onChange;
    this.line = null;
    this.shapes = ["measure-casing", "measure-line"].map((name) => draw("path", { class: name }, viewer.layer));
    this.plate = draw("text", { class: "measure-words", "aria-hidden": "true" }, viewer.layer);
    this.gesture = new Gesture(viewer, {
      onDraw: (from, to) => this.set([from, to]),
      onEnd: (isDrawn) => { if (!isDrawn) this.begin(); },
    });
  }

  get help() {
    return this.line ? `${this.words}. Esc ends measuring.` : "Drag a line. Esc ends measuring.";
  }

  get words() {
    const [[x0, y0], [x1, y1]] = this.line;
    const length = Math.hypot(x1 - x0, y1 - y0);
    const pixels = `${Math.round(length)} px`;
    return this.field.scale ? `${pixels}, about ${(length / this.field.scale).toFixed(1)} µm from red cells of 7.5 µm` : pixels;
  }

  begin() {
    const [x, y] = this.viewer.middle;
    const half = (SHARE * Math.min(...this.viewer.size)) / this.viewer.scale / 2;
    this.set([[x - half, y], [x + half, y]]);
  }

  set(line) {
    const [width, height] = this.field.size;
    this.line = line.map(([x, y]) => [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)]);
    this.place();
    this.onChange();
  }

  key(event) {
    if (!this.line || !(event.key in WAYS)) return false;
    const [dx, dy] = WAYS[event.key].map((way) => way * Math.max(1, Math.round(4 / this.viewer.scale)));
    const moved = ([x, y]) => [x + dx, y + dy];
    this.set(event.shiftKey ? [moved(this.line[0]), this.line[1]] : [this.line[0], moved(this.line[1])]);
    return true;
  }

  place() {
    if (!this.line) return;
    const [[x0, y0], [x1, y1]] = this.line.map((point) => this.viewer.toScreen(point));
    const length = Math.hypot(x1 - x0, y1 - y0) || 1;
    const [tx, ty] = [((y1 - y0) / length) * 6, (-(x1 - x0) / length) * 6];
    const end = (x, y) => `M${x - tx} ${y - ty}L${x + tx} ${y + ty}`;
    for (const shape of this.shapes) shape.setAttribute("d", `M${x0} ${y0}L${x1} ${y1}${end(x0, y0)}${end(x1, y1)}`);
    this.plate.setAttribute("x", (x0 + x1) / 2);
    const above = Math.min(y0, y1) - 12;
    this.plate.setAttribute("y", above > 16 ? above : Math.max(y0, y1) + 24);
    this.plate.textContent = this.words.replace(" from red cells of 7.5 µm", "").replace("about", "≈");
  }

  end() {
    this.gesture.end();
    for (const shape of [...this.shapes, this.plate]) shape.remove();
  }
}
