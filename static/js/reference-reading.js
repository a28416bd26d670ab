/** A blind reader's page: keys name the cell, the next one is there at once, marks go out in turn. */

import { newId, send } from "./review/cells.js";

const data = JSON.parse(document.getElementById("reading-data").textContent);
const root = document.getElementById("reading");
const hook = (name) => root.querySelector(`[data-hook=${name}]`);
const classes = hook("classes");
let position = data.position;
let queue = Promise.resolve();
let waiting = 0;

const pictureOf = (at) => data.picture.replace(/0\/$/, `${at}/`);

function step(by) {
  return data.positions[data.positions.indexOf(position) + by];
}

/** The next cell without a name, looking on from here and then from the start. */
function nextUnnamed() {
  const here = data.positions.indexOf(position);
  const around = [...data.positions.slice(here + 1), ...data.positions.slice(0, here)];
  return around.find((at) => !(at in data.marks));
}

function show(at) {
  position = at;
  hook("picture").src = pictureOf(at);
  hook("number").textContent = data.positions.indexOf(at) + 1;
  classes.elements.position.value = at;
  paint();
  const ahead = step(1);
  if (ahead) new Image().src = pictureOf(ahead);
}

function paint() {
  const chosen = data.marks[position];
  const contested = data.contested[position] || [];
  hook("chosen").textContent = chosen ? `Named ${data.labels[chosen]}` : "No name yet";
  hook("contested").textContent = contested.length ? `The readers said ${contested.map((name) => data.labels[name]).join(" and ")}.` : "";
  for (const button of classes.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.value === chosen));
    button.toggleAttribute("data-proposed", contested.includes(button.value));
  }
  const done = Object.keys(data.marks).length;
  hook("done").textContent = done;
  hook("bar").value = done;
  hook("complete").disabled = done < data.positions.length || waiting > 0;
  for (const link of root.querySelectorAll("[data-move]")) {
    const at = step(Number(link.dataset.move));
    link.classList.toggle("disabled", !at);
    link.setAttribute("aria-disabled", String(!at));
    if (at) link.href = `?cell=${at}`;
    else link.removeAttribute("href");
  }
}

function say(text, isTrouble = false) {
  hook("state").textContent = text;
  hook("state").toggleAttribute("data-trouble", isTrouble);
}

/** Name the cell shown and go on; should the server refuse, the cell is shown again as it was. */
function name(type) {
  const at = position;
  const former = data.marks[at];
  const body = { action_id: newId(), position: at, cell_type: type };
  data.marks[at] = type;
  waiting += 1;
  const next = former === undefined ? nextUnnamed() : step(1);
  if (next === undefined) paint();
  else show(next);
  const sent = queue.then(() => send(data.marksUrl, "POST", body));
  queue = sent.catch(() => {});
  sent.then(
    () => say(`Cell ${data.positions.indexOf(at) + 1}: ${data.labels[type]}. Stored.`),
    (refusal) => {
      if (former === undefined) delete data.marks[at];
      else data.marks[at] = former;
      show(at);
      say(`Not stored: ${refusal.message}`, true);
    },
  ).finally(() => {
    waiting -= 1;
    paint();
  });
}

classes.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.name === "cell_type") name(event.submitter.value);
});

root.addEventListener("click", (event) => {
  const link = event.target.closest("[data-move]");
  if (!link) return;
  event.preventDefault();
  const at = step(Number(link.dataset.move));
  if (at) show(at);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest("input, textarea, select")) return;
  const button = classes.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (button) name(button.value);
  else if (by && step(by)) show(step(by));
  else return;
  event.preventDefault();
});

window.addEventListener("beforeunload", (event) => {
  if (waiting) event.preventDefault();
});

show(position);
root.dataset.ready = "";
