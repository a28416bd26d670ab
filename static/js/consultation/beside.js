/** The discussion in the side column of the review: its tab, its count, the key that comments on a cell. */

import { Discussion } from "./discussion.js";

export function discussBeside(page) {
  const panel = document.getElementById("side-discussion");
  const tab = document.getElementById("tab-discussion");
  let discussion = null;

  /** The panel's content comes by itself after the page. */
  function begin() {
    const root = panel.querySelector("[data-hook=discussion]");
    if (!root || discussion?.root === root) return;
    discussion = new Discussion(root, page);
    discussion.follow(page.cells.get(page.gallery.current) || null);
    new MutationObserver(showCount).observe(root, { childList: true });
    showCount();
  }

  function showCount() {
    const count = panel.querySelectorAll(".remark:not(.remark-retracted), .opinion").length;
    const badge = tab.querySelector("[data-hook=discussion-count]");
    badge.textContent = count;
    badge.hidden = !count;
  }

  tab.addEventListener("click", () => discussion?.showThread());
  panel.addEventListener("htmx:afterSettle", begin);
  page.commands.discuss = () => {
    tab.click();
    discussion?.startOnCell();
  };
  page.keys.t = "discuss";
  if (new URL(location.href).searchParams.get("tab") === "discussion") tab.click();
  begin();
}
