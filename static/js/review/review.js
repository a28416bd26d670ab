/** The review page: keys, buttons and drops become steps; the answers become the page. */

import { Cells } from "./cells.js";
import { Comment } from "./comment.js";
import { enableDragging } from "./dragging.js";
import { Gallery } from "./gallery.js";
import { Stage } from "./stage.js";

const TOAST_MS = 4000;
const KEYS_SETTING = "review-single-keys";
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

const root = document.getElementById("review");
const cells = new Cells(JSON.parse(document.getElementById("review-data").textContent));
const stage = new Stage(document.getElementById("stage"), cells);
const gallery = new Gallery(root.querySelector(".gallery"), cells, showSelection);
const help = document.querySelector("[data-hook=help]");
const singleKeys = document.querySelector("[data-hook=single-keys]");
const commentForm = document.querySelector("form[data-hook=comment]");
const comment = commentForm ? new Comment(commentForm, cells.urls.comment) : null;
let toastTimer = null;

function showSelection() {
  const cell = cells.get(gallery.current);
  stage.show(cell, gallery.selected.size);
  if (gallery.selected.size > 1) announce(`${gallery.selected.size} cells selected.`);
}

function announce(text) {
  document.querySelector("[data-hook=live]").textContent = text;
}

function toast(text, { isTrouble = false } = {}) {
  const line = document.querySelector("[data-hook=toast]");
  line.textContent = text;
  line.toggleAttribute("data-trouble", isTrouble);
  line.hidden = false;
  clearTimeout(toastTimer);
  if (!isTrouble) toastTimer = setTimeout(() => { line.hidden = true; }, TOAST_MS);
  announce(text);
}

function cellsInWords(count) {
  return count === 1 ? "1 cell" : `${count} cells`;
}

function leftInWords() {
  return cells.unresolved ? `${cells.unresolved} undecided left.` : "None undecided.";
}

/** Send a step, then show what is stored; `describe` turns the touched cells into a sentence. */
async function take(kind, body, pending, describe) {
  gallery.setPending(pending, true);
  try {
    const states = await cells.step(kind, body);
    gallery.paint(states);
    if (gallery.current) stage.show(cells.get(gallery.current), gallery.selected.size);
    toast(`${describe(states)} ${leftInWords()}`);
    refreshSummary();
    return states;
  } catch (refusal) {
    toast(refusal.message, { isTrouble: true });
    if (refusal.status === 403 || refusal.status === 409) refreshSummary();
    return [];
  } finally {
    gallery.setPending(pending, false);
  }
}

function refreshSummary() {
  if (!cells.waiting) document.body.dispatchEvent(new CustomEvent("review-changed"));
}

/** Take the selected cells and go on to the next one at once, before the server answers. */
function takeSelected() {
  const ids = [...gallery.selected];
  const next = gallery.successor();
  if (next) gallery.select(next, "only", { focus: document.activeElement?.matches(".cell") });
  return ids;
}

function assign(type) {
  if (!gallery.current) return;
  const reason = document.getElementById("step-reason");
  const body = { cell_ids: takeSelected(), cell_type: type, reason: reason.value };
  reason.value = "";
  const label = cells.labels.get(type);
  take("correct", body, body.cell_ids, (states) => states.length ? `${cellsInWords(states.length)}: ${label}.` : `Already ${label}.`);
}

function accept() {
  if (!gallery.current) return;
  const body = { cell_ids: takeSelected() };
  take("accept", body, body.cell_ids, (states) => {
    const names = new Set(states.map((state) => cells.labels.get(state.human)));
    return states.length ? `${cellsInWords(states.length)} confirmed: ${[...names].join(", ")}.` : "Already confirmed.";
  });
}

async function undo() {
  const states = await take("undo", {}, [], (touched) => `Undone for ${cellsInWords(touched.length)}.`);
  if (!states.length) return;
  gallery.select(states[0].id);
  gallery.mark(states.map((state) => state.id));
  stage.show(cells.get(gallery.current), gallery.selected.size);
}

function next() {
  const tile = gallery.nextUndecided();
  if (tile) gallery.select(tile.dataset.cell);
  else toast("No undecided cell is left.");
}

function several(button) {
  gallery.severalMode = !gallery.severalMode;
  button.setAttribute("aria-pressed", String(gallery.severalMode));
}

const COMMANDS = {
  next,
  undo,
  accept,
  several,
  help: () => help.showModal(),
};

/* Keys ---------------------------------------------------------------------------------- */

function isTyping(target) {
  return target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT" || (target.tagName === "INPUT" && target.type !== "checkbox");
}

function onKey(event) {
  if (help?.open || event.altKey || isTyping(event.target)) return;
  const isHandled = event.ctrlKey || event.metaKey ? onChord(event) : onMove(event) || onLetter(event);
  if (isHandled) event.preventDefault();
}

function onChord(event) {
  const key = event.key.toLowerCase();
  if (key === "z" && !event.shiftKey && cells.isEditable) undo();
  else if (key === "a" && gallery.current) gallery.selectGroup();
  else if (event.key === " " && gallery.current) gallery.select(gallery.current, "toggle");
  else return false;
  return true;
}

function onMove(event) {
  if (!gallery.current) return false;
  const inGallery = event.target === document.body || event.target.matches(".cell[data-cell]");
  if (ARROWS.includes(event.key) && inGallery) {
    const tile = gallery.neighbour(event.key);
    if (tile) gallery.select(tile.dataset.cell, event.shiftKey ? "range" : "only");
    return true;
  }
  if (event.key === " " && inGallery) gallery.select(gallery.current, "toggle");
  else if (event.key === "Enter" && inGallery) gallery.select(gallery.current, "only");
  else if (event.key === "Escape") gallery.select(gallery.current, "only");
  else return false;
  return true;
}

function onLetter(event) {
  if (!cells.isEditable || event.repeat) return false;
  if (event.key === "?") {
    help.showModal();
    return true;
  }
  if (!singleKeys.checked) return false;
  const key = event.key.toLowerCase();
  const command = { n: next, u: undo, a: accept }[key];
  const item = cells.classes.find((one) => one.key === key);
  if (command) command();
  else if (item) assign(item.type);
  else return false;
  return true;
}

/* Wiring -------------------------------------------------------------------------------- */

document.addEventListener("keydown", onKey);

root.addEventListener("click", (event) => {
  const button = event.target.closest("button[type=button][data-command]");
  const command = button && COMMANDS[button.dataset.command];
  if (command) command(button);
});

root.addEventListener("submit", (event) => {
  const button = event.submitter;
  const command = event.target.dataset.command || button?.dataset.command;
  if (event.target.matches(".palette") && button?.name === "cell_type") assign(button.value);
  else if (command in COMMANDS) COMMANDS[command]();
  else return;
  event.preventDefault();
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "summary") return;
  const button = root.querySelector("[data-hook=undo]");
  if (button) button.disabled = document.getElementById("summary").dataset.canUndo !== "true";
});

root.addEventListener("click", async (event) => {
  const link = event.target.closest(".sign-bar a");
  if (!link || !(comment?.isDirty || cells.waiting)) return;
  event.preventDefault();
  await cells.queue;
  if (!comment || (await comment.save())) location.assign(link.href);
});

window.addEventListener("beforeunload", (event) => {
  if (comment?.isDirty) comment.save({ keepalive: true });
  if (cells.waiting || comment?.isDirty) event.preventDefault();
});

if (cells.isEditable) {
  enableDragging(root, gallery, assign);
  singleKeys.checked = localStorage.getItem(KEYS_SETTING) !== "off";
  singleKeys.addEventListener("change", () => localStorage.setItem(KEYS_SETTING, singleKeys.checked ? "on" : "off"));
}

const asked = new URL(location.href).searchParams.get("cell");
const first = (asked && gallery.tile(asked)) || gallery.tiles()[0];
if (first) gallery.select(first.dataset.cell, "only", { focus: false });
