/** The consultant's page: pictures enlarged in a dialog, boxes shown or hidden, nothing lost on leaving. */

import { Zoom } from "./zoom.js";

const dialog = document.querySelector("[data-hook=zoom]");
const title = dialog.querySelector("[data-hook=zoom-title]");
const zoom = new Zoom(dialog.querySelector("[data-hook=zoom-view]"));
const links = [...document.querySelectorAll("a[data-zoom]")];
const form = document.querySelector(".opinion-form");
let shown = -1;

/** A cell lies alone in the dialog; a field with its boxes, as on the page. */
function pictureOf(link) {
  const field = link.closest(".seen-field")?.querySelector("svg");
  if (field) return field.cloneNode(true);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const image = document.createElementNS(svg.namespaceURI, "image");
  svg.setAttribute("viewBox", "0 0 480 480");
  image.setAttribute("href", link.href);
  for (const name of ["width", "height"]) image.setAttribute(name, "480");
  svg.append(image);
  return svg;
}

function show(place) {
  shown = (place + links.length) % links.length;
  const link = links[shown];
  title.textContent = link.dataset.field ? `Field ${link.dataset.field}` : link.getAttribute("aria-label");
  zoom.open(pictureOf(link));
}

const STEPS = {
  in: () => zoom.by(1.5),
  out: () => zoom.by(1 / 1.5),
  fit: () => zoom.fit(),
  previous: () => show(shown - 1),
  next: () => show(shown + 1),
  close: () => dialog.close(),
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-zoom]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    show(links.indexOf(link));
    dialog.showModal();
    dialog.querySelector("[data-hook=zoom-view]").focus();
  }
  const button = event.target.closest("[data-zoom-by]");
  if (button) STEPS[button.dataset.zoomBy]();
});

dialog.addEventListener("keydown", (event) => {
  if (event.key === "PageDown") STEPS.next();
  else if (event.key === "PageUp") STEPS.previous();
  else return;
  event.preventDefault();
});
dialog.addEventListener("close", () => links[shown]?.focus());

document.querySelector("[data-hook=boxes]")?.addEventListener("change", (event) => {
  document.body.toggleAttribute("data-no-boxes", !event.target.checked);
});

/* What was typed in the last second isn't a draft yet. */
let isDirty = false;
form.addEventListener("input", () => { isDirty = true; });
form.addEventListener("submit", () => { isDirty = false; });
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target === form && event.detail.successful && !document.querySelector("#draft-state[data-trouble]")) isDirty = false;
});
window.addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});
