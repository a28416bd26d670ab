/** The slide page: a slide to zoom and pan, the fields taken from it, and taking more of them. */

import { SlideViewer } from "./slide-viewer.js";

const SLIP = 6; // pixels of the screen: a shorter drag is a click
const LEAST_AIM = 14; // pixels of the screen: a smaller frame can't be aimed with

const root = document.getElementById("slide");
const slide = JSON.parse(document.getElementById("slide-data").textContent);
const hook = (name) => root.querySelector(`[data-hook=${name}]`);
const button = (name) => root.querySelector(`[data-command=${name}]`);
const mayTake = Boolean(root.dataset.take);
const usualNote = hook("note").textContent;

const viewer = new SlideViewer(hook("canvas"), slide, { onMove: place, onOpen: showFields });
let isTaking = false;

function say(text, isTrouble = false) {
  hook("note").textContent = text || usualNote;
  hook("note").toggleAttribute("data-trouble", isTrouble);
}

function place() {
  viewer.showScale(hook("bar"));
  if (mayTake) placeAim();
}

/* Taking fields --------------------------------------------------------------------------- */

/** The box of usual size in the middle of the view, moved so that it lies on the slide. */
function middleBox() {
  const size = slide.field.map((side, axis) => Math.min(side, [slide.width, slide.height][axis]));
  const middle = viewer.middle;
  const start = [slide.width, slide.height].map((whole, axis) => Math.round(Math.min(Math.max(0, middle[axis] - size[axis] / 2), whole - size[axis])));
  return [...start, start[0] + size[0], start[1] + size[1]];
}

function placeAim() {
  const aim = hook("aim");
  const [x0, y0, x1, y1] = middleBox();
  const [left, top] = viewer.toScreen([x0, y0]);
  const [right, bottom] = viewer.toScreen([x1, y1]);
  aim.hidden = right - left < LEAST_AIM || !hook("sheet").hidden;
  aim.style.transform = `translate(${left}px, ${top}px)`;
  aim.style.width = `${right - left}px`;
  aim.style.height = `${bottom - top}px`;
  button("take").disabled = isTaking || right - left < LEAST_AIM;
}

async function take(box) {
  if (isTaking) return;
  isTaking = true;
  button("take").disabled = true;
  say("The field is being taken…");
  try {
    await store(box);
  } catch {
    say("The connection was lost. Try again.", true);
  } finally {
    isTaking = false;
    placeAim();
  }
}

async function store(box) {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  const answer = await fetch(root.dataset.take, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    body: JSON.stringify({ box }),
  });
  const body = await answer.json().catch(() => ({}));
  if (answer.status !== 201) {
    say(body.detail || "The field could not be taken. Reload the page and try again.", true);
    return;
  }
  say(["The field was taken.", ...body.advice].join(" "), body.advice.length > 0);
  await window.htmx.ajax("GET", root.dataset.fields, { target: "#slide-fields", swap: "outerHTML" });
}

/* Drawing a frame of another size ------------------------------------------------------------ */

function toggleDrawing(isOn = hook("sheet").hidden) {
  hook("sheet").hidden = !isOn;
  hook("drawn").hidden = true;
  button("draw").setAttribute("aria-pressed", String(isOn));
  say(isOn ? "Drag a frame round the field. Esc cancels." : "");
  placeAim();
}

function placeOf(event) {
  const frame = hook("sheet").getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

function beginDrawing(event) {
  if (event.button !== 0) return;
  const sheet = hook("sheet");
  const from = placeOf(event);
  sheet.setPointerCapture(event.pointerId);
  const move = (moved) => showDrawn(from, placeOf(moved));
  sheet.addEventListener("pointermove", move);
  const end = (ended) => {
    sheet.removeEventListener("pointermove", move);
    sheet.removeEventListener("pointercancel", end);
    sheet.removeEventListener("pointerup", end);
    const to = placeOf(ended);
    if (ended.type === "pointercancel" || Math.hypot(to[0] - from[0], to[1] - from[1]) < SLIP) return;
    toggleDrawing(false);
    takeDrawn(from, to);
  };
  sheet.addEventListener("pointerup", end);
  sheet.addEventListener("pointercancel", end);
}

function showDrawn(from, to) {
  const drawn = hook("drawn");
  drawn.hidden = false;
  drawn.style.transform = `translate(${Math.min(from[0], to[0])}px, ${Math.min(from[1], to[1])}px)`;
  drawn.style.width = `${Math.abs(to[0] - from[0])}px`;
  drawn.style.height = `${Math.abs(to[1] - from[1])}px`;
}

function takeDrawn(from, to) {
  const whole = [slide.width, slide.height];
  const corners = [from, to].map((corner) => viewer.toSlide(corner).map((value, axis) => Math.round(Math.min(Math.max(0, value), whole[axis]))));
  const sorted = [0, 1].map((axis) => corners.map((corner) => corner[axis]).sort((one, other) => one - other));
  take([sorted[0][0], sorted[1][0], sorted[0][1], sorted[1][1]]);
}

/* The fields taken ----------------------------------------------------------------------------- */

function showFields() {
  const items = [...document.querySelectorAll("#slide-fields [data-box]")];
  viewer.showBoxes(items.map(({ dataset }) => ({ box: boxOf(dataset), number: dataset.number, url: dataset.url })));
}

function boxOf(dataset) {
  return dataset.box.split(",").map(Number);
}

const COMMANDS = {
  "zoom-in": () => viewer.zoom(1),
  "zoom-out": () => viewer.zoom(-1),
  fit: () => viewer.fit(),
  full: () => viewer.showFullDetail(),
  take: () => take(middleBox()),
  draw: () => toggleDrawing(),
};

root.addEventListener("click", (event) => {
  const command = event.target.closest("[data-command]");
  if (command) COMMANDS[command.dataset.command]();
});
document.addEventListener("click", (event) => {
  const item = event.target.closest("[data-locate]")?.closest("[data-box]");
  if (!item) return;
  viewer.centre(boxOf(item.dataset));
  root.scrollIntoView({ block: "nearest" });
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !hook("sheet").hidden) toggleDrawing(false);
});
document.addEventListener("htmx:afterSwap", showFields);
hook("sheet").addEventListener("pointerdown", beginDrawing);
