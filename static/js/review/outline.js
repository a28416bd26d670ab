/** A box that is being drawn: handles to drag, arrow keys to nudge, kept inside the picture. */

import { WAYS, draw } from "./viewer.js";

const LEAST_SIDE = 5; // pixels of the picture: the server takes no smaller box
const REACH = 24; // pixels of the screen that take hold of a handle
const ROOM = 56; // a side shorter than this on the screen has handles at its corners only
const LEAST_ROOM = 22; // a box smaller than this on the screen has none: zoom in
const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

/** Keep a box inside the picture, with whole numbers and no side too short. */
export function tidy(box, [width, height]) {
  const [x0, x1] = span(box[0], box[2], width);
  const [y0, y1] = span(box[1], box[3], height);
  return [x0, y0, x1, y1];
}

function span(one, other, limit) {
  const low = Math.round(Math.min(Math.max(Math.min(one, other), 0), limit - LEAST_SIDE));
  const high = Math.round(Math.max(Math.min(Math.max(one, other), limit), low + LEAST_SIDE));
  return [low, high];
}

/** Move a box as a whole, up to the picture's edge. */
export function shift([x0, y0, x1, y1], dx, dy, [width, height]) {
  const x = Math.max(-x0, Math.min(dx, width - x1));
  const y = Math.max(-y0, Math.min(dy, height - y1));
  return [x0 + x, y0 + y, x1 + x, y1 + y];
}

/** A key's step: Shift moves the right and lower edge, Alt the left and upper one. */
export function nudge([x0, y0, x1, y1], event, step, size) {
  const [dx, dy] = WAYS[event.key].map((way) => way * step);
  if (event.altKey) return tidy([Math.min(x0 + dx, x1 - LEAST_SIDE), Math.min(y0 + dy, y1 - LEAST_SIDE), x1, y1], size);
  return tidy([x0, y0, Math.max(x1 + dx, x0 + LEAST_SIDE), Math.max(y1 + dy, y0 + LEAST_SIDE)], size);
}

/** Eight handles on a box; `onDrag` hears of each move, `onDrop` of the last one. */
export class Outline {
  constructor(viewer, { onDrag, onDrop }) {
    this.viewer = viewer;
    this.onDrag = onDrag;
    this.onDrop = onDrop;
    this.root = draw("g", { class: "handles", "aria-hidden": "true" }, viewer.layer);
    this.box = null;
  }

  show(box, size) {
    this.box = box;
    this.size = size;
    if (!this.root.childElementCount && box) for (const name of HANDLES) this.handle(name);
    if (!box) this.root.replaceChildren();
    this.place();
  }

  handle(name) {
    const handle = draw("g", { class: "handle", "data-handle": name }, this.root);
    draw("rect", { class: "handle-reach", x: -REACH / 2, y: -REACH / 2, width: REACH, height: REACH }, handle);
    draw("rect", { class: "handle-knob", x: -4.5, y: -4.5, width: 9, height: 9, rx: 2 }, handle);
    handle.addEventListener("pointerdown", (event) => this.take(event, name));
  }

  take(event, name) {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.preventDefault();
    const handle = event.currentTarget;
    const start = this.box;
    const move = (moved) => {
      moved.stopPropagation();
      this.show(pulled(start, name, this.viewer.pointOf(moved), this.size), this.size);
      this.onDrag(this.box);
    };
    const end = (ended) => {
      ended.stopPropagation();
      handle.removeEventListener("pointermove", move);
      if (ended.type === "pointerup" && String(this.box) !== String(start)) this.onDrop(this.box);
      else this.onDrag(start);
    };
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) handle.addEventListener(kind, end, { once: true });
  }

  place() {
    if (!this.box) return;
    const [left, top] = this.viewer.toScreen(this.box.slice(0, 2));
    const [right, bottom] = this.viewer.toScreen(this.box.slice(2));
    const isSmall = Math.min(right - left, bottom - top) < LEAST_ROOM;
    for (const handle of this.root.children) {
      const name = handle.dataset.handle;
      const x = name.includes("w") ? left : name.includes("e") ? right : (left + right) / 2;
      const y = name.includes("n") ? top : name.includes("s") ? bottom : (top + bottom) / 2;
      handle.setAttribute("transform", `translate(${x} ${y})`);
      const side = "ns".includes(name) ? right - left : bottom - top;
      handle.toggleAttribute("hidden", isSmall || (name.length === 1 && side < ROOM));
    }
  }
}

function pulled([x0, y0, x1, y1], name, [x, y], size) {
  return tidy([name.includes("w") ? x : x0, name.includes("n") ? y : y0, name.includes("e") ? x : x1, name.includes("s") ? y : y1], size);
}
