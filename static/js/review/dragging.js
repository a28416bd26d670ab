/** Dragging selected cells onto a class, in the gallery or in the list of classes. */

export function enableDragging(root, gallery, assign) {
  const badge = document.createElement("div");
  badge.className = "drag-badge";
  badge.setAttribute("aria-hidden", "true");
  document.body.append(badge);
  let over = null;

  const targetOf = (event) => {
    const target = event.target.closest?.("[data-class], [data-group]");
    const type = target && (target.dataset.class || target.dataset.group);
    return type && type !== "unresolved" ? target : null;
  };
  const highlight = (target) => {
    over?.removeAttribute("data-over");
    target?.setAttribute("data-over", "");
    over = target;
  };

  root.addEventListener("dragstart", (event) => {
    const tile = event.target.closest(".cell[data-cell]");
    if (!tile) return;
    if (!gallery.selected.has(tile.dataset.cell)) gallery.select(tile.dataset.cell);
    const count = gallery.selected.size;
    badge.textContent = count === 1 ? "1 cell" : `${count} cells`;
    event.dataTransfer.setDragImage(badge, -8, -8);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", badge.textContent);
    root.setAttribute("data-dragging", "");
  });
  root.addEventListener("dragover", (event) => {
    const target = root.hasAttribute("data-dragging") ? targetOf(event) : null;
    highlight(target);
    if (target) event.preventDefault();
  });
  root.addEventListener("drop", (event) => {
    const target = root.hasAttribute("data-dragging") ? targetOf(event) : null;
    if (!target) return;
    event.preventDefault();
    assign(target.dataset.class || target.dataset.group);
  });
  root.addEventListener("dragend", () => {
    highlight(null);
    root.removeAttribute("data-dragging");
  });
}
