/** The map over a cell's picture: its strength, the picture alone, keys, and what is announced. */

const STRENGTH = "why-strength";
const STEP = 10;

let isBare = false;
let said = "";

/** How strong the map is drawn, 0 to 100; remembered while the tab is open. */
function strength() {
  return Number(sessionStorage.getItem(STRENGTH) ?? 70);
}

function paint() {
  const panel = document.getElementById("why");
  const slider = document.getElementById("why-strength");
  if (!panel || !slider) return;
  slider.value = strength();
  for (const layer of panel.querySelectorAll(".why-layer")) layer.setAttribute("opacity", strength() / 100);
  panel.querySelector(".why-picture").toggleAttribute("data-bare", isBare);
  document.getElementById("why-hide").setAttribute("aria-pressed", String(isBare));
}

/** Tell those who don't see the map when it changes. */
function tell() {
  const panel = document.getElementById("why");
  const line = document.querySelector("[data-hook=live]");
  if (!panel || !line || panel.dataset.said === said) return;
  said = panel.dataset.said;
  line.textContent = said;
}

function setStrength(value) {
  sessionStorage.setItem(STRENGTH, Math.min(100, Math.max(0, value)));
  paint();
}

function hide() {
  isBare = !isBare;
  paint();
}

/** Follow the link beside the current one. */
function step(list, by) {
  const links = [...document.querySelectorAll(`${list} a`)];
  const place = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[(place + by + links.length) % links.length];
  if (!next) return;
  // Marked at once, so that the next key counts from here even before the answer has come.
  links[place]?.removeAttribute("aria-current");
  next.setAttribute("aria-current", "true");
  next.click();
}

const KEYS = {
  h: hide,
  "+": () => setStrength(strength() + STEP),
  "=": () => setStrength(strength() + STEP),
  "-": () => setStrength(strength() - STEP),
  ",": () => step(".why-methods", -1),
  ".": () => step(".why-methods", 1),
  ";": () => step(".why-classes", 1),
};

/** Act on a key; false if it means nothing here. */
export function onWhyKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return false;
  const act = KEYS[event.key];
  if (!act) return false;
  act();
  return true;
}

export function isTypingIn(target) {
  return target.matches("input:not([type=range]):not([type=checkbox]), textarea, select") || target.isContentEditable;
}

document.addEventListener("input", (event) => {
  if (event.target.id === "why-strength") setStrength(Number(event.target.value));
});
document.addEventListener("click", (event) => {
  if (event.target.closest("#why-hide")) hide();
});
document.addEventListener("htmx:afterSettle", () => {
  paint();
  tell();
});
paint();
if (document.querySelector(".page-why")) {
  document.addEventListener("keydown", (event) => {
    if (!isTypingIn(event.target) && onWhyKey(event)) event.preventDefault();
  });
}
