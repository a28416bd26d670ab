/** The numbers in the bar at the top: what waits for this person, asked for while the page is seen. */

const EVERY_MS = 60_000;
const KEPT = "waiting";
const WORDS = { news: "unread", consultations: "to answer", notices: "unread" };
const bar = document.querySelector("[data-waiting-url]");

function show(counts) {
  for (const badge of document.querySelectorAll("[data-waiting]")) {
    const count = counts[badge.dataset.waiting] || 0;
    const words = document.createElement("span");
    words.className = "visually-hidden";
    words.textContent = ` ${WORDS[badge.dataset.waiting]}`;
    badge.replaceChildren(count > 99 ? "99+" : String(count), words);
    badge.hidden = !count;
  }
}

async function ask() {
  if (document.visibilityState !== "visible") return;
  const response = await fetch(bar.dataset.waitingUrl, { headers: { Accept: "application/json", "X-Background": "1" } }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const counts = await response.json();
  sessionStorage.setItem(KEPT, JSON.stringify(counts));
  show(counts);
}

if (bar) {
  show(JSON.parse(sessionStorage.getItem(KEPT) || "{}"));
  ask();
  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
} else {
  sessionStorage.removeItem(KEPT);
}
