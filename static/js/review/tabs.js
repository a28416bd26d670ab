/** The tabs of the side column: arrows move between them; without scripts all panels are open. */

import { bringUp } from "./bring-up.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class Tabs {
  constructor(root) {
    this.tabs = [...root.querySelectorAll("[role=tab]")];
    root.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) this.open(tab);
    });
    root.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const place = this.tabs.indexOf(event.target);
    if (place < 0) return;
    const count = this.tabs.length;
    const ends = { Home: 0, End: count - 1 };
    const next = event.key in ends ? ends[event.key] : place + STEPS[event.key];
    if (Number.isNaN(next)) return;
    const tab = this.tabs[(next + count) % count];
    this.open(tab);
    tab.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  open(chosen) {
    for (const tab of this.tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).toggleAttribute("data-shown", tab === chosen);
    }
    bringUp(chosen);
  }
}
