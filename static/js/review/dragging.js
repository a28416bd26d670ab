/** Dragging selected cells onto a class, in the gallery or in the list of classes; by touch too. */

import { Touch } from "./touch.js";

const NO_CLASSES = ["unresolved", "repeat", "edge", "removed"];

/** What hangs at the pointer, and the class under it. */
class Badge {
  constructor() {
    this.element = document.createElement("div");
    this.element.className = "drag-badge";
    this.element.setAttribute("aria-hidden", "true");
    document.body.append(this.element);
    this.over = null;
  }

  show(count) {
    this.element.textContent = count === 1 ? "1 cell" : `${count} cells`;
  }

  highlight(target) {
    this.over?.removeAttribute("data-over");
    target?.setAttribute("data-over", "");
    this.over = target;
  }

  follow(x, y, target) {
    this.highlight(target);
    this.element.style.transform = `translate(calc(${x}px + 20rem - 50%), ${y - 56}px)`;
  }

  hide() {
    this.highlight(null);
    this.element.style.transform = "";
  }
}

const typeOf = (target) => target.dataset.class || target.dataset.group;

function targetOf(element) {
  const target = element?.closest?.(".classes > [data-class], [data-group]");
  return target && !NO_CLASSES.includes(typeOf(target)) ? target : null;
}

/** `menu(id, x, y)` opens the menu of a cell, which a long press asks for. */
export function enableDragging(root, gallery, { assign, menu }) {
  const badge = new Badge();
  const drop = (target) => assign(typeOf(target));
  const under = (event) => (root.hasAttribute("data-dragging") ? targetOf(event.target) : null);

  root.addEventListener("dragstart", (event) => {
    const tile = event.target.closest(".cell[data-cell]");
    if (!tile) return;
    if (!gallery.selected.has(tile.dataset.cell)) gallery.select(tile.dataset.cell);
    badge.show(gallery.selected.size);
    event.dataTransfer.setDragImage(badge.element, -8, -8);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", badge.element.textContent);
    root.setAttribute("data-dragging", "");
  });
  root.addEventListener("dragover", (event) => {
    const target = under(event);
    badge.highlight(target);
    if (target) event.preventDefault();
  });
  root.addEventListener("drop", (event) => {
    const target = under(event);
    if (!target) return;
    event.preventDefault();
    drop(target);
  });
  root.addEventListener("dragend", () => {
    badge.hide();
    root.removeAttribute("data-dragging");
  });
  const targetAt = (x, y) => targetOf(document.elementFromPoint(x, y));
  new Touch(root, gallery, { menu, drop, targetAt, badge });
}
