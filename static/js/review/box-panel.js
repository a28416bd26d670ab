/** What the stage says of a field's cell beyond its class: if it counts, and where it is seen again. */

import { draw } from "./viewer.js";

const FATES = {
  edge: "Cut by the edge: not counted.",
  repeat: "Seen in another field: not counted again.",
  removed: "Removed: no cell. Choose a class to bring it back.",
};

export class BoxPanel {
  constructor(root, cells, onSelect) {
    this.root = root;
    this.cells = cells;
    root.addEventListener("click", (event) => {
      const picture = event.target.closest("[data-pair]");
      if (picture) onSelect(picture.dataset.pair);
    });
  }

  hook(name) {
    return this.root.querySelector(`[data-hook=${name}]`);
  }

  show(cell) {
    this.hook("fate").textContent = cell ? FATES[cell.fate] || "" : "";
    this.hook("box").hidden = !cell?.inField;
    if (!cell?.inField) return;
    this.hook("box-size").textContent = this.sizeOf(cell);
    this.showPair(cell, cell.pair.map((id) => this.cells.get(id)).filter(Boolean));
    const remove = this.hook("box-remove");
    if (remove) remove.hidden = cell.fate === "removed";
  }

  sizeOf({ image, box: [x0, y0, x1, y1] }) {
    const { scale } = this.cells.fields.find((field) => field.image === image);
    return scale ? `About ${((x1 - x0) / scale).toFixed(1)} × ${((y1 - y0) / scale).toFixed(1)} µm` : `${x1 - x0} × ${y1 - y0} px`;
  }

  showPair(cell, others) {
    this.hook("pair").hidden = !others.length;
    this.hook("pair-words").textContent = `Same cell as in ${others.map((other) => other.imageName).join(", ")}`;
    const pictures = others.length ? [this.picture(cell, true), ...others.map((other) => this.picture(other, false))] : [];
    this.hook("pair-pictures").replaceChildren(...pictures);
    const button = this.hook("repeat");
    if (!button) return;
    const counts = !cell.fate;
    const isCountedThere = others.some((other) => !other.fate);
    button.hidden = counts ? others.length > 0 && !isCountedThere : cell.fate !== "repeat";
    button.dataset.repeat = counts ? "repeat" : "distinct";
    const words = others.length ? "Same cell: don't count" : "Seen already: don't count";
    button.querySelector("span").textContent = counts ? words : "Another cell: count it";
  }

  picture(cell, isThis) {
    const item = document.createElement(isThis ? "div" : "button");
    item.className = "pair-picture";
    if (!isThis) {
      item.type = "button";
      item.dataset.pair = cell.id;
    }
    const svg = draw("svg", { viewBox: cell.view, "aria-hidden": "true" });
    draw("image", this.cells.pictureOf(cell), svg);
    const name = document.createElement("span");
    name.textContent = isThis ? "This one" : cell.imageName;
    const fate = document.createElement("small");
    fate.textContent = cell.fate ? "not counted" : "counted";
    item.append(svg, name, fate);
    return item;
  }
}
