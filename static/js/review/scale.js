/** Pictures of cells at one scale: as many micrometres each, or, without a scale, as many pixels. */

import { draw } from "./viewer.js";

const BAR = 5; // micrometres
const PAN_FROM = 4; // pixels of the screen before a press counts as dragging

/** How much each picture shows, so that nothing of any cell is cut off. */
export class Span {
  constructor(shown) {
    const scaled = shown.filter((one) => one.scale);
    const others = shown.filter((one) => !one.scale);
    this.micrometres = Math.max(0, ...scaled.map((one) => one.side / one.scale)) || null;
    this.pixels = Math.max(0, ...others.map((one) => one.side)) || null;
  }

  /** The side of the square to show, in pixels of a picture. */
  sideFor({ scale, size }) {
    if (scale && this.micrometres) return this.micrometres * scale;
    if (!scale && this.pixels) return this.pixels;
    return Math.max(...size);
  }

  inWords() {
    const scaled = this.micrometres ? `Each shows about ${Math.round(this.micrometres)} µm, told by red cells of 7.5 µm; the bar is ${BAR} µm.` : "";
    const others = this.micrometres ? "Pictures of single cells tell no scale: those are shown pixel for pixel." : "Pictures of single cells tell no scale: all are shown pixel for pixel.";
    return [scaled, this.pixels ? others : ""].filter(Boolean).join(" ");
  }
}

/** A square picture of what lies round `middle`; it follows `view`, which has `zoom` and `offset`. */
export function picture(shown, span, view) {
  const svg = draw("svg", { class: "scaled", "data-scaled": "", "aria-hidden": "true", preserveAspectRatio: "xMidYMid meet" });
  draw("image", shown.image || { href: shown.href, width: shown.size[0], height: shown.size[1] }, svg);
  const bar = shown.scale && span.micrometres ? draw("path", { class: "scale-bar" }, svg) : null;
  const side = span.sideFor(shown);
  const place = ({ zoom, offset }) => {
    const seen = side / zoom;
    const [x, y] = shown.middle.map((value, axis) => value - seen / 2 + offset[axis] * side);
    svg.setAttribute("viewBox", `${x} ${y} ${seen} ${seen}`);
    if (!bar) return;
    bar.setAttribute("d", `M${x + seen * 0.05} ${y + seen * 0.95}h${BAR * shown.scale}`);
    bar.setAttribute("stroke-width", seen * 0.018);
  };
  svg.addEventListener("place", (event) => place(event.detail));
  place(view);
  return svg;
}

/** Drag any picture to move all, once they are zoomed; tells shares of a picture's side. */
export function mayPan(root, zoom, pan) {
  let last = null;
  root.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest("svg[data-scaled]");
    if (svg && zoom() > 1) last = { x: event.clientX, y: event.clientY, side: svg.clientWidth, isMoving: false };
  });
  root.addEventListener("pointermove", (event) => {
    if (!last) return;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    if (!last.isMoving && Math.hypot(dx, dy) < PAN_FROM) return;
    pan(-dx / last.side, -dy / last.side);
    last = { ...last, x: event.clientX, y: event.clientY, isMoving: true };
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) root.addEventListener(name, () => { last = null; });
}
