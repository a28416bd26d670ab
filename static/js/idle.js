/**
 * Keeps a session in use alive, warns two minutes before an unused one ends, and leaves when it has.
 *
 * The server ends sessions by the requests it sees; a reader who works for long on one page sends
 * none, so a touch or a key is reported at most once a minute. All tabs share what they know.
 */

const WARNING_SECONDS = 120;
const REPORT_AFTER_SECONDS = 60;
const CLOCK_SECONDS = 5;
/** The server notes activity to within a quarter of a minute; rather leave early than late. */
const MARGIN_SECONDS = 15;
const STORE = "hematovision-last-contact";

const dialog = document.getElementById("idle-warning");
const idleSeconds = Number(dialog.dataset.idleSeconds);
let isUsed = false;

function noteContact() {
  localStorage.setItem(STORE, String(Date.now()));
}

function secondsSinceContact() {
  return (Date.now() - Number(localStorage.getItem(STORE))) / 1000;
}

async function report() {
  isUsed = false;
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const response = await fetch(dialog.dataset.keepAlive, { method: "POST", headers, redirect: "manual" });
  if (response.status === 204) noteContact();
}

function warn(left) {
  dialog.querySelector("output").textContent = String(Math.max(0, Math.round(left)));
  if (!dialog.open) dialog.showModal();
}

function tick() {
  const left = idleSeconds - MARGIN_SECONDS - secondsSinceContact();
  // Asked too early, the server would take the question for activity.
  if (secondsSinceContact() > idleSeconds) location.reload();
  else if (left <= WARNING_SECONDS) warn(left);
  else if (dialog.open) dialog.close();
  else if (isUsed && secondsSinceContact() > REPORT_AFTER_SECONDS) report().catch(() => {});
}

for (const name of ["pointerdown", "keydown", "wheel"]) {
  document.addEventListener(name, () => { isUsed = true; }, { passive: true });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.requestConfig.headers["X-Background"] !== "1") noteContact();
});
// Parts of a large file go on arriving while nobody touches the page.
document.addEventListener("server-contact", noteContact);
dialog.addEventListener("submit", () => { report().catch(() => {}); });
dialog.addEventListener("cancel", () => { report().catch(() => {}); });

noteContact();
setInterval(tick, CLOCK_SECONDS * 1000);
