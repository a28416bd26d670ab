/**
 * Sends many images, three at a time, each as a request of its own; whole slides in parts.
 *
 * A refused file stays in the list with the server's sentence; the others are not held up by it.
 * Accepted files leave the list and appear among the case's images.
 */

import { isTiff, partFiles, sendSlide } from "./slide-upload.js";

const AT_ONCE = 3;
const REFRESH_AFTER_MS = 600;

const panel = document.getElementById("upload");
const list = panel.querySelector(".transfer-list");
const template = document.getElementById("transfer-template");

const waiting = [];
const counts = { total: 0, accepted: 0, refused: 0, running: 0 };
let refreshTimer = null;

function csrfToken() {
  return panel.querySelector("input[name=csrfmiddlewaretoken]").value;
}

function describe() {
  const done = counts.accepted + counts.refused;
  const open = counts.total - done;
  const parts = [open ? `Uploading: ${done} of ${counts.total} done` : `${counts.accepted} of ${counts.total} added`];
  if (counts.refused) parts.push(`${counts.refused} not added, see below`);
  panel.querySelector(".transfers-summary").textContent = `${parts.join(" · ")}.`;
  const bar = panel.querySelector(".transfers-progress");
  bar.max = Math.max(counts.total, 1);
  bar.value = done;
  bar.hidden = !open;
  panel.querySelector(".transfers").hidden = counts.total === 0;
  panel.querySelector(".dismiss-all").hidden = open > 0 || counts.refused < 2;
  holdSubmit(open > 0);
}

/** The case can't be submitted while files are on their way. */
function holdSubmit(isBusy) {
  const button = document.getElementById("submit-case");
  if (!button) return;
  const hint = document.getElementById("submit-hint");
  if (isBusy && !button.dataset.hint) {
    button.dataset.hint = hint.textContent;
    button.dataset.wasDisabled = String(button.disabled);
    button.disabled = true;
    hint.textContent = "Wait until all files have arrived.";
  } else if (!isBusy && button.dataset.hint) {
    button.disabled = button.dataset.wasDisabled === "true";
    hint.textContent = button.dataset.hint;
    delete button.dataset.hint;
  }
}

function addFile(file) {
  const row = addRow(file.name);
  showPreview(row, file);
  waiting.push({ file, row });
}

/** A slide is a list of files: one, or those of a DICOM series. */
function addSlide(files) {
  const others = files.length - 1;
  const row = addRow(others ? `${files[0].name} and ${others} more` : files[0].name);
  blankPreview(row.querySelector(".transfer-preview"));
  waiting.push({ file: files[0], files, row });
}

function addRow(name) {
  const row = template.content.firstElementChild.cloneNode(true);
  row.querySelector(".transfer-name").textContent = name;
  list.append(row);
  counts.total += 1;
  return row;
}

/** Browsers can't draw every format; the dark square stays where they can't. */
function showPreview(row, file) {
  const image = row.querySelector(".transfer-preview");
  const url = URL.createObjectURL(file);
  image.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
  image.addEventListener("error", () => { URL.revokeObjectURL(url); blankPreview(image); }, { once: true });
  image.src = url;
}

function blankPreview(image) {
  const blank = document.createElement("span");
  blank.className = image.className;
  image.replaceWith(blank);
}

async function addFiles(files) {
  const { pictures, slides } = await partFiles([...files], Number(panel.dataset.limit));
  slides.forEach(addSlide);
  pictures.forEach(addFile);
  describe();
  next();
}

function next() {
  while (counts.running < AT_ONCE && waiting.length) send(waiting.shift());
}

function send(transfer) {
  counts.running += 1;
  transfer.row.querySelector(".transfer-state").textContent = "Sending";
  if (transfer.files) sendParts(transfer);
  else sendPicture(transfer);
}

async function sendParts(transfer) {
  const bar = transfer.row.querySelector("progress");
  const state = transfer.row.querySelector(".transfer-state");
  const answer = await sendSlide(transfer.files, {
    url: panel.dataset.slides,
    token: csrfToken(),
    onProgress: (sent, total) => {
      bar.max = total;
      bar.value = sent;
      state.textContent = `${inMegabytes(sent)} of ${inMegabytes(total)} MB`;
    },
  });
  finish(transfer, answer);
}

function inMegabytes(bytes) {
  return Math.floor(bytes / 1024 ** 2).toLocaleString("en");
}

function sendPicture(transfer) {
  const bar = transfer.row.querySelector("progress");
  const state = transfer.row.querySelector(".transfer-state");
  const request = new XMLHttpRequest();
  request.open("POST", panel.dataset.url);
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    bar.max = event.total;
    bar.value = event.loaded;
    if (event.loaded === event.total) state.textContent = "Being checked";
  });
  request.addEventListener("loadend", () => finish(transfer, request));
  const body = new FormData();
  body.append("file", transfer.file);
  request.send(body);
}

function finish(transfer, request) {
  counts.running -= 1;
  if (request.status === 201) accept(transfer);
  else if (isSlideAfterAll(transfer, request)) waiting.push({ ...transfer, files: [transfer.file] });
  else refuse(transfer, request);
  describe();
  next();
  if (request.status === 201 || !counts.running) scheduleRefresh();
}

/** A small slide looks like a picture until the server finds its levels. */
function isSlideAfterAll(transfer, request) {
  return !transfer.files && isTiff(transfer.file) && request.response?.code === "animated";
}

function accept(transfer) {
  counts.accepted += 1;
  transfer.row.remove();
}

function refuse(transfer, request) {
  counts.refused += 1;
  const { row } = transfer;
  row.classList.add("refused");
  row.querySelector(".transfer-state").textContent = sentence(request);
  list.prepend(row);
  const dismiss = row.querySelector(".transfer-dismiss");
  dismiss.hidden = false;
  dismiss.setAttribute("aria-label", `Dismiss ${transfer.file.name}`);
  dismiss.onclick = () => forget(transfer);
  const retry = row.querySelector(".transfer-retry");
  retry.hidden = isFinal(request.status);
  retry.setAttribute("aria-label", `Try ${transfer.file.name} again`);
  retry.onclick = () => again(transfer);
}

/** What the server says of the file itself does not change by sending it again. */
function isFinal(status) {
  return [409, 413, 422, 507].includes(status);
}

function sentence(request) {
  if (request.response && request.response.detail) return request.response.detail;
  if (request.status === 0) return "The connection was lost. Try again.";
  if (request.status === 413) return "The file is too large.";
  if (request.status === 403) return "You are no longer logged in, or may not upload. Reload the page.";
  return "The server could not take this file. Try again.";
}

function forget(transfer) {
  const following = transfer.row.nextElementSibling;
  transfer.row.remove();
  counts.refused -= 1;
  counts.total -= 1;
  describe();
  (following?.querySelector(".transfer-dismiss") ?? document.getElementById("id_images")).focus();
}

function forgetAll() {
  list.replaceChildren();
  counts.total = counts.accepted = counts.refused = 0;
  describe();
  document.getElementById("id_images").focus();
}

function again(transfer) {
  transfer.row.classList.remove("refused");
  for (const button of transfer.row.querySelectorAll("button")) button.hidden = true;
  counts.refused -= 1;
  waiting.push(transfer);
  describe();
  next();
}

/** Show the case's images as the server has them, at most once in a while. */
function scheduleRefresh() {
  if (refreshTimer) return;
  refreshTimer = setTimeout(async () => {
    refreshTimer = null;
    try {
      await window.htmx.ajax("GET", panel.dataset.panel, { target: "#images", swap: "outerHTML" });
    } catch {
      // The connection is gone: the rows say so, and the next accepted file refreshes again.
    }
    describe();
  }, REFRESH_AFTER_MS);
}

function carriesFiles(event) {
  return event.dataTransfer && [...event.dataTransfer.types].includes("Files");
}

const zone = panel.querySelector(".dropzone");
// A file dropped beside the zone must not replace the page.
document.addEventListener("dragover", (event) => { if (carriesFiles(event)) { event.preventDefault(); zone.classList.add("over"); } });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  zone.classList.remove("over");
  addFiles(event.dataTransfer.files);
});
function takeChosen(picker) {
  if (!picker.files.length) return;
  addFiles(picker.files);
  picker.value = "";
}

for (const picker of panel.querySelectorAll("input[type=file]")) {
  picker.addEventListener("change", () => takeChosen(picker));
  // On a slow connection files may have been chosen before this script arrived.
  takeChosen(picker);
}
document.addEventListener("htmx:afterSwap", describe);
panel.querySelector(".dismiss-all").addEventListener("click", forgetAll);
zone.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("beforeunload", (event) => {
  if (counts.running || waiting.length) event.preventDefault();
});
