/** Behaviour every page shares: the phone menu, menus that close, "/" to search, expired sessions. */

function toggleNavigation(button) {
  const content = document.getElementById(button.getAttribute("aria-controls"));
  const open = content.classList.toggle("open");
  button.setAttribute("aria-expanded", String(open));
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

function isTyping(target) {
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function onKey(event) {
  if (event.key === "Escape") {
    const open = document.querySelector("details.menu[open]");
    if (open) open.querySelector("summary").focus();
    closeMenus(null);
  }
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const search = document.getElementById("global-search");
  if (event.key === "/" && plain && search && !isTyping(event.target)) {
    event.preventDefault();
    if (search.offsetParent === null) toggleNavigation(document.querySelector(".topbar-toggle"));
    search.focus();
    search.select();
  }
}

/** A fragment request answered by the log-in page means that the session has ended. */
function reloadWhenLoggedOut(event) {
  const url = new URL(event.detail.xhr.responseURL || location.href, location.href);
  if (event.detail.xhr.status === 403 || url.pathname.startsWith("/account/login")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
}

/** Forms marked so ask once more before something that cannot be taken back. */
function confirmSubmit(event) {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".topbar-toggle");
  if (button) toggleNavigation(button);
  const printer = event.target.closest("[data-print]");
  if (printer) window.print();
  closeMenus(event.target.closest("details.menu"));
});
document.addEventListener("keydown", onKey);
document.addEventListener("submit", confirmSubmit);
document.addEventListener("htmx:beforeSwap", reloadWhenLoggedOut);
