/** The keys of the review page. */

const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
const EDITING = { n: "next", u: "undo", a: "accept" };
const SHIFTED = { u: "redo", a: "accept-class" };
const LOOKING = { "[": "previous-field", "]": "next-field", w: "fit", m: "measure" };

/** `page` has the parts that keys act on, `choose`, `assign`, `run`, and the `keys` of further parts. */
export function listenToKeys(page) {
  document.addEventListener("keydown", (event) => {
    if (page.help.open || isTyping(event.target)) return;
    if (onKey(page, event)) event.preventDefault();
  });
}

function isTyping(target) {
  return target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT" || (target.tagName === "INPUT" && target.type !== "checkbox");
}

function onKey(page, event) {
  if (page.modes.part?.key?.(event)) return true;
  if (event.altKey) return false;
  if (event.ctrlKey || event.metaKey) return onChord(page, event);
  return onMove(page, event) || onRemove(page, event) || onLetter(page, event);
}

function onChord({ cells, gallery, fields, choose, run }, event) {
  const key = event.key.toLowerCase();
  if (key === "z" && cells.isEditable) run(event.shiftKey ? "redo" : "undo");
  else if (key === "y" && cells.isEditable) run("redo");
  else if (key === "a" && gallery.current && !fields?.isActive) gallery.selectGroup();
  else if (event.key === " " && gallery.current) choose(gallery.current, "toggle");
  else return false;
  return true;
}

function onMove({ gallery, fields, choose }, event) {
  if (!gallery.current) return false;
  const isOnCell = event.target === document.body || event.target.matches(".cell[data-cell], .box");
  if (ARROWS.includes(event.key) && isOnCell && !fields?.isActive) {
    const tile = gallery.neighbour(event.key);
    if (tile) choose(tile.dataset.cell, event.shiftKey ? "range" : "only");
    return true;
  }
  if (event.key === " " && isOnCell) choose(gallery.current, "toggle");
  else if (event.key === "Enter" && isOnCell) choose(gallery.current, "only");
  else if (event.key === "Escape") choose(gallery.current, "only");
  else return false;
  return true;
}

function onRemove({ cells, fields, run }, event) {
  if (event.key !== "Delete" || event.repeat || !cells.isEditable || !fields) return false;
  run("remove");
  return true;
}

function onLetter(page, event) {
  if (event.repeat) return false;
  if (event.key === "?") {
    page.run("help");
    return true;
  }
  return page.usesSingleKeys() && onSingleKey(page, event.key.toLowerCase(), event.shiftKey);
}

function onSingleKey({ cells, fields, keys, assign, run }, key, isShifted) {
  if (isShifted && cells.isEditable && key in SHIFTED) {
    run(SHIFTED[key]);
    return true;
  }
  const item = cells.isEditable && cells.classes.find((one) => one.key === key);
  const command = (cells.isEditable && EDITING[key]) || (fields?.isActive && LOOKING[key]) || keys[key];
  if (command) run(command);
  else if (item) assign(item.type);
  else if (key === "d" && fields?.isActive && cells.isEditable) run("add");
  else return false;
  return true;
}
