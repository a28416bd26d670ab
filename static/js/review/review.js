/** The review page: keys, buttons and drops become steps; the answers become the page. */

import { Accepting } from "./accepting.js";
import { discussBeside } from "../consultation/beside.js";
import { fetchAhead, fetchSoon } from "./ahead.js";
import { BoxPanel } from "./box-panel.js";
import { Cells } from "./cells.js";
import { Comment } from "./comment.js";
import { Compare } from "./compare.js";
import { Conflicts } from "./conflicts.js";
import { enableDragging } from "./dragging.js";
import { Fields } from "./fields.js";
import { FullScreen } from "./full-screen.js";
import { Gallery } from "./gallery.js";
import { listenToKeys } from "./keys.js";
import { Library } from "./library.js";
import { Looks } from "./looks.js";
import { Menu } from "./menu.js";
import { Modes } from "./modes.js";
import { enableMorphology } from "./morphology.js";
import { Order } from "./order.js";
import { Stage } from "./stage.js";
import { Tabs } from "./tabs.js";
import { addWhy } from "./why.js";
import { Together } from "./together.js";

const TOAST_MS = 4000;
const KEYS_SETTING = "review-single-keys";

const root = document.getElementById("review");
const cells = new Cells(JSON.parse(document.getElementById("review-data").textContent));
const stage = new Stage(document.getElementById("stage"), cells);
const gallery = new Gallery(root.querySelector(".gallery"), cells, showSelection);
const help = document.querySelector("[data-hook=help]");
const singleKeys = document.querySelector("[data-hook=single-keys]");
const commentForm = document.querySelector("form[data-hook=comment]");
const comment = commentForm ? new Comment(commentForm, cells.urls.comment) : null;
const panel = new BoxPanel(document.getElementById("stage"), cells, (id) => choose(id));
const fieldsRoot = document.getElementById("fields");
const fields = fieldsRoot ? new Fields(fieldsRoot, cells, gallery, { select: choose, reshape, draft: showDraft, say: announce }) : null;
const modes = new Modes(root);
const fullScreen = new FullScreen(document.documentElement, () => root.querySelector("[data-command=full-screen]"));
const selectionListeners = [];
const paintListeners = [];
let toastTimer = null;

/** Select a cell in the gallery or on its field, whichever is shown; null selects none. */
function choose(id, mode = "only", { focus = true } = {}) {
  if (id === null) return gallery.clear();
  gallery.select(id, mode, { focus: focus && !fields?.isActive });
  if (focus && fields?.isActive) fields.focus(id);
}

function showSelection({ isQuiet = false } = {}) {
  if (fields?.draft) fields.end();
  showStage();
  const following = cells.get(gallery.neighbour("ArrowRight")?.dataset.cell);
  if (following) fetchSoon(cells.pictureOf(following).href);
  fields?.showSelection();
  for (const listener of selectionListeners) listener(cells.get(gallery.current) || null);
  if (gallery.selected.size > 1 && !isQuiet) announce(`${gallery.selected.size} cells selected.`);
}

function showStage() {
  const cell = cells.get(gallery.current) || null;
  stage.show(cell, gallery.selected.size);
  panel.show(cell);
}

/** Show a cell that is being added, or the selected one again. */
function showDraft(field, box) {
  if (!box) return showStage();
  stage.showDraft(field, box);
  panel.show(null);
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

/** How many are still to be decided stands on the stage, which never scrolls away. */
function showLeft() {
  const line = root.querySelector("[data-hook=left-line]");
  line.toggleAttribute("data-none", !cells.unresolved);
  line.querySelector("[data-hook=left-words]").textContent = cells.unresolved ? `${cells.unresolved} left to decide` : "Every cell is decided";
}

/** What was just done can be undone, and redone if it was an undo; the summary tells the rest later. */
function offerWayBack(kind) {
  if (kind !== "undo") enable("undo", true);
  if (kind !== "redo") enable("redo", kind === "undo");
}

function enable(name, isOn) {
  const button = root.querySelector(`[data-hook=${name}]`);
  if (button) button.disabled = !isOn;
}

/** Send a step, then show what is stored; `describe` turns the touched cells into a sentence. */
async function take(kind, body, pending, describe) {
  setPending(pending, true);
  try {
    const answer = await cells.step(kind, body);
    const states = answer.cells;
    const changed = [...states, ...(answer.left_out || [])];
    paint(changed);
    if (states.length) offerWayBack(kind);
    toast(`${describe(states, answer)} ${leftInWords()}`);
    refreshSummary();
    return states;
  } catch (refusal) {
    if (refusal.body?.unseen) askAgain({ kind, body, pending, describe }, refusal.body.unseen);
    else toast(refusal.message, { isTrouble: true });
    if (refusal.status === 403 || refusal.status === 409) refreshSummary();
    return null;
  } finally {
    fields?.redraw();
    setPending(pending, false);
  }
}

/** Show states that are stored here already. */
function paint(changed) {
  gallery.paint(changed);
  for (const listener of paintListeners) listener(changed);
  showLeft();
  if (!fields?.draft) showStage();
}

/** Show what others have said of cells meanwhile. */
function repaint(states) {
  cells.store(states);
  paint(states);
  fields?.redraw();
  refreshSummary();
}

/** A step would have overwritten what this page didn't know: show that, and let its author decide. */
function askAgain(step, unseen) {
  repaint(unseen);
  conflicts.add(step, unseen);
}

function setPending(ids, isPending) {
  gallery.setPending(ids, isPending);
  fields?.setPending(ids, isPending);
}

function refreshSummary() {
  if (!cells.waiting) document.body.dispatchEvent(new CustomEvent("review-changed"));
}

/** Take the selected cells and go on to the next one at once, before the server answers. */
function takeSelected() {
  const ids = [...gallery.selected];
  const next = modes.part?.successor ? modes.part.successor() : gallery.successor();
  if (next) choose(next, "only", { focus: document.activeElement?.matches(".cell, .box") });
  return ids;
}

function assign(type) {
  if (fields?.draft) return add(type);
  if (!gallery.current) return;
  const reason = document.getElementById("step-reason");
  const body = { cell_ids: takeSelected(), cell_type: type, reason: reason.value };
  reason.value = "";
  const label = cells.labels.get(type);
  take("correct", body, body.cell_ids, (states) => states.length ? `${cellsInWords(states.length)}: ${label}.` : `Already ${label}.`);
}

/** Add the cell that was drawn; should it be refused, its box stays to be drawn better. */
async function add(type) {
  const body = { image_id: fields.field.image, box: fields.draft, cell_type: type };
  const states = await take("add", body, [], () => `Added: ${cells.labels.get(type)}.`);
  if (!states) return;
  fields.end();
  choose(states[0].id);
}

function reshape(id, box) {
  take("reshape", { cell_id: id, box }, [id], () => "Box drawn anew.");
}

function remove() {
  const ids = boxed();
  if (!ids.length) return toast("No box to remove is selected.");
  take("remove", { cell_ids: ids }, ids, (states) => `${cellsInWords(states.length)} removed.`);
}

/** Say that cells were seen in another field already, or that they are cells of their own. */
function repeat(button) {
  const ids = boxed();
  const isRepeat = button.dataset.repeat === "repeat";
  take("repeat", { cell_ids: ids, repeat: button.dataset.repeat }, ids, (states) => `${cellsInWords(states.length)} ${isRepeat ? "not counted again" : "counted"}.`);
}

/** The selected cells that lie on fields and weren't removed. */
function boxed() {
  return [...gallery.selected].filter((id) => cells.get(id).inField && cells.get(id).fate !== "removed");
}

async function goBack(kind, done) {
  const states = await take(kind, {}, [], (touched) => `${done} for ${cellsInWords(touched.length)}.`);
  if (!states?.length) return;
  choose(states[0].id);
  gallery.mark(states.map((state) => state.id));
  showSelection({ isQuiet: true });
}

function next() {
  const tile = gallery.nextUndecided();
  if (tile) choose(tile.dataset.cell);
  else toast("No undecided cell is left.");
}

function several(button) {
  gallery.severalMode = !gallery.severalMode;
  button.setAttribute("aria-pressed", String(gallery.severalMode));
}

/** Back among the tiles, the selected cell or the first one has the focus. */
function returnToTile() {
  const tile = gallery.tile(gallery.current) || gallery.tiles()[0];
  if (tile) choose(tile.dataset.cell, "keep");
}

/** Show the selected cell where it lies on its field. */
function locate() {
  if (fields.isActive) fields.locate();
  else modes.go("fields");
}

const byKey = (event) => !event || event.detail === 0;

const COMMANDS = {
  next,
  undo: () => goBack("undo", "Undone"),
  redo: () => goBack("redo", "Redone"),
  several,
  remove,
  repeat,
  locate,
  help: () => help.showModal(),
  mode: (button) => modes.go(button.dataset.mode),
  "previous-field": () => fields.step(-1),
  "next-field": () => fields.step(1),
  "zoom-in": () => fields.viewer.zoom(1),
  "zoom-out": () => fields.viewer.zoom(-1),
  fit: () => fields.viewer.fit(),
  "full-screen": () => fullScreen.toggle(),
  measure: (_button, event) => fields.toggle("measure", { byKey: byKey(event) }),
  add: (_button, event) => fields.toggle("add", { byKey: byKey(event) }),
};

/* Wiring -------------------------------------------------------------------------------- */

/**
 * What a further part of the page may use. It adds its buttons' commands to `commands`, its single
 * keys to `keys` (key: command), its panel to `modes`, and hears of every selection.
 */
const page = {
  root,
  cells,
  gallery,
  fields,
  stage,
  modes,
  help,
  commands: COMMANDS,
  keys: {},
  usesSingleKeys: () => singleKeys.checked,
  choose,
  assign,
  take,
  takeSelected,
  announce,
  toast,
  cellsInWords,
  refreshSummary,
  repaint,
  onSelection: (listener) => selectionListeners.push(listener),
  onPaint: (listener) => paintListeners.push(listener),
  run: (name) => COMMANDS[name](),
};

modes.add("cells", { show: returnToTile });
if (fields) {
  modes.add("fields", {
    show: () => fields.activate(true),
    hide: () => fields.activate(false),
    key: (event) => fields.key(event),
    successor: () => fields.successor(),
  });
  COMMANDS.fields = () => modes.toggle("fields");
  page.keys.f = "fields";
}
new Compare(page);
new Library(page);
new Together(page);
const conflicts = cells.isEditable ? new Conflicts(page, ({ kind, body, pending, describe }) => take(kind, body, pending, describe)) : null;
new Tabs(document.getElementById("side"));
enableMorphology(page);
discussBeside(page);
addWhy(page);
listenToKeys(page);

root.addEventListener("click", (event) => {
  const button = event.target.closest("button[type=button][data-command]");
  const command = button && COMMANDS[button.dataset.command];
  if (command) command(button, event);
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
  const { dataset } = document.getElementById("summary");
  enable("undo", dataset.canUndo === "true");
  enable("redo", dataset.canRedo === "true");
  fields?.count(event.target);
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

const menu = new Menu(page);
new Looks(page);
new Order(page, root.querySelector("[data-hook=order]"));
if (cells.isEditable) {
  enableDragging(root, gallery, { assign, menu: (...place) => menu.openAt(...place) });
  new Accepting(page);
}
singleKeys.checked = localStorage.getItem(KEYS_SETTING) !== "off";
singleKeys.addEventListener("change", () => localStorage.setItem(KEYS_SETTING, singleKeys.checked ? "on" : "off"));

const asked = new URL(location.href).searchParams.get("cell");
const first = (asked && gallery.tile(asked)) || gallery.tiles()[0];
if (first) gallery.select(first.dataset.cell, "only", { focus: false });
else showStage();

addEventListener("load", () => fetchAhead([...root.querySelectorAll(".cell img")]));
root.dataset.ready = ""; // keys and buttons answer from here on
