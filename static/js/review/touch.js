/**
 * A finger on the tiles: a long press selects and opens the menu; moved on after it, it drags the
 * selected cells onto a class.
 */

const HOLD_MS = 500;
const SLACK = 10; // pixels that a finger may stray

export class Touch {
  constructor(root, gallery, { menu, drop, targetAt, badge }) {
    this.gallery = gallery;
    this.menu = menu;
    this.drop = drop;
    this.targetAt = targetAt;
    this.badge = badge;
    this.root = root;
    root.addEventListener("pointerdown", (event) => this.press(event));
    root.addEventListener("pointermove", (event) => this.move(event));
    root.addEventListener("pointerup", (event) => this.lift(event));
    root.addEventListener("pointercancel", () => this.end());
    // A finger that holds cells moves them, not the page.
    root.addEventListener("touchmove", (event) => this.held && event.preventDefault(), { passive: false });
    root.addEventListener("touchend", (event) => this.swallow(event), { passive: false });
  }

  press(event) {
    this.end();
    this.wasHeld = false;
    const tile = event.pointerType === "touch" && event.isPrimary && event.target.closest(".cell[data-cell]");
    if (!tile) return;
    tile.draggable = false; // the browser's own dragging would take the finger away
    this.tile = tile;
    this.from = { x: event.clientX, y: event.clientY };
    this.timer = setTimeout(() => this.hold(), HOLD_MS);
  }

  hold() {
    this.held = this.tile;
    this.wasHeld = true;
    const { cell } = this.held.dataset;
    if (!this.gallery.selected.has(cell)) this.gallery.select(cell, this.gallery.severalMode ? "toggle" : "only");
    this.held.setAttribute("data-held", "");
    navigator.vibrate?.(15);
  }

  move(event) {
    if (!this.tile) return;
    const away = Math.hypot(event.clientX - this.from.x, event.clientY - this.from.y);
    if (!this.held) {
      if (away > SLACK) this.end();
      return;
    }
    if (!this.isDragging && away > SLACK) this.begin();
    if (this.isDragging) this.badge.follow(event.clientX, event.clientY, this.targetAt(event.clientX, event.clientY));
  }

  begin() {
    this.isDragging = true;
    this.root.setAttribute("data-dragging", "");
    this.badge.show(this.gallery.selected.size);
  }

  lift(event) {
    const { held, isDragging } = this;
    const target = isDragging && this.targetAt(event.clientX, event.clientY);
    this.end();
    if (target) this.drop(target);
    else if (held && !isDragging) this.menu(held.dataset.cell, event.clientX, event.clientY);
  }

  end() {
    clearTimeout(this.timer);
    this.held?.removeAttribute("data-held");
    if (this.isDragging) {
      this.root.removeAttribute("data-dragging");
      this.badge.hide();
    }
    if (this.tile) this.tile.draggable = true;
    this.tile = this.held = null;
    this.isDragging = false;
  }

  /** No click follows a long press: it would fall on what has opened under the finger. */
  swallow(event) {
    if (this.wasHeld) event.preventDefault();
    this.wasHeld = false;
  }
}
