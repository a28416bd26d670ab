/**
 * What the gallery's place shows: one panel at a time.
 *
 * A panel carries `data-panel="name"`, its button in the switch `data-mode="name"`. A part of the
 * page that has a panel adds `{ show(), hide() }` under its name; both may be left out.
 */

import { bringUp } from "./bring-up.js";

const FIRST = "cells";

export class Modes {
  constructor(root) {
    this.root = root;
    this.parts = new Map();
  }

  get current() {
    return this.root.dataset.mode;
  }

  /** The part whose panel is shown; beside `show` and `hide` it may have `key` and `successor`. */
  get part() {
    return this.parts.get(this.current);
  }

  add(name, part) {
    this.parts.set(name, part);
  }

  go(name) {
    if (this.current === name) return;
    this.parts.get(this.current)?.hide?.();
    this.root.dataset.mode = name;
    for (const panel of this.root.querySelectorAll("[data-panel]")) panel.toggleAttribute("data-shown", panel.dataset.panel === name);
    for (const button of this.root.querySelectorAll("button[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === name));
    this.parts.get(name)?.show?.();
    if (name !== FIRST) bringUp(this.root.querySelector(".gallery"));
  }

  /** Go there, or back to the cells from there. */
  toggle(name) {
    this.go(this.current === name ? FIRST : name);
  }
}
