/** One picture, an SVG, in a frame: wheel, pinch, buttons and keys zoom; dragging and arrows move. */

const MOST = 16;
const STEP = 1.5;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Zoom {
  constructor(frame) {
    this.frame = frame;
    this.pointers = new Map();
    frame.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    frame.addEventListener("keydown", (event) => this.onKey(event));
    frame.addEventListener("pointerdown", (event) => this.onDown(event));
    frame.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
  }

  open(svg) {
    this.svg = svg;
    this.frame.replaceChildren(svg);
    const { width, height } = svg.viewBox.baseVal;
    this.whole = { width, height };
    this.fit();
  }

  fit() {
    this.view = { x: 0, y: 0, ...this.whole };
    this.draw();
  }

  /** Zoom by a factor, keeping the point of the frame (0 to 1 each way) where it is. */
  by(factor, at = { x: 0.5, y: 0.5 }) {
    const width = Math.min(Math.max(this.view.width / factor, this.whole.width / MOST), this.whole.width);
    const height = (width * this.whole.height) / this.whole.width;
    const x = this.view.x + (this.view.width - width) * at.x;
    const y = this.view.y + (this.view.height - height) * at.y;
    this.view = { x, y, width, height };
    this.draw();
  }

  /** Move by shares of what is in sight. */
  move(x, y) {
    this.view.x += x * this.view.width;
    this.view.y += y * this.view.height;
    this.draw();
  }

  draw() {
    const { view, whole } = this;
    view.x = Math.min(Math.max(view.x, 0), whole.width - view.width);
    view.y = Math.min(Math.max(view.y, 0), whole.height - view.height);
    this.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  onWheel(event) {
    event.preventDefault();
    this.by(event.deltaY < 0 ? 1.2 : 1 / 1.2, this.place(event));
  }

  onKey(event) {
    if (event.key === "+" || event.key === "=") this.by(STEP);
    else if (event.key === "-") this.by(1 / STEP);
    else if (event.key === "0") this.fit();
    else if (event.key in MOVES) this.move(...MOVES[event.key].map((share) => share * 0.2));
    else return;
    event.preventDefault();
  }

  onDown(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, this.place(event));
    this.frame.setPointerCapture(event.pointerId);
  }

  onMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.place(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) this.by(distance(now, other) / distance(before, other), other);
    else this.move(before.x - now.x, before.y - now.y);
    this.pointers.set(event.pointerId, now);
  }
}

function distance(one, other) {
  return Math.max(Math.hypot(one.x - other.x, one.y - other.y), 0.01);
}
