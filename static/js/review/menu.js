/** The menu of the selected cells: by right click, long press, Menu key or Shift+F10. */

const MARGIN = 8;

export class Menu {
  /** `page` is that of review.js; `isEditable` decides which entries there are. */
  constructor(page) {
    this.page = page;
    this.root = document.createElement("div");
    this.root.className = "cell-menu";
    this.root.setAttribute("role", "menu");
    this.root.hidden = true;
    document.body.append(this.root);
    this.listen();
  }

  listen() {
    const { root: workstation } = this.page;
    workstation.addEventListener("contextmenu", (event) => {
      const tile = event.target.closest(".cell[data-cell], .box[data-cell]");
      if (!tile) return;
      event.preventDefault();
      if (event.pointerType === "touch") return; // a long press opens it, see touch.js
      this.openAt(tile.dataset.cell, event.clientX || undefined, event.clientY || undefined);
    });
    document.addEventListener("keydown", (event) => this.onPageKey(event));
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("click", (event) => this.choose(event.target.closest("[role=menuitem]")));
    this.root.addEventListener("focusout", (event) => {
      if (!this.root.contains(event.relatedTarget)) this.close({ refocus: false });
    });
    document.addEventListener("pointerdown", (event) => {
      if (!this.root.hidden && !this.root.contains(event.target)) this.close({ refocus: false });
    });
  }

  onPageKey(event) {
    const asks = event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey);
    const tile = asks && event.target.closest?.(".cell[data-cell], .box[data-cell]");
    if (!tile) return;
    event.preventDefault();
    this.openAt(tile.dataset.cell);
  }

  /** Open at a point of the window, or beside the cell; a cell that isn't selected is selected. */
  openAt(id, x, y) {
    const { page } = this;
    if (page.gallery.current !== id || !page.gallery.selected.has(id)) page.choose(id, "keep");
    this.opener = document.activeElement;
    this.fill();
    this.root.hidden = false;
    const tile = (page.fields?.isActive ? this.opener : page.gallery.tile(id)).getBoundingClientRect();
    this.place(x ?? tile.left + tile.width / 2, y ?? tile.top + tile.height / 2);
    this.items[0]?.focus({ preventScroll: true });
  }

  place(x, y) {
    const { offsetWidth, offsetHeight, style } = this.root;
    style.left = `${Math.max(MARGIN, Math.min(x, innerWidth - offsetWidth - MARGIN))}px`;
    style.top = `${Math.max(MARGIN, Math.min(y, innerHeight - offsetHeight - MARGIN))}px`;
  }

  get items() {
    return [...this.root.querySelectorAll("[role=menuitem]:not([aria-disabled=true])")];
  }

  fill() {
    const { page } = this;
    const count = page.gallery.selected.size;
    const cell = page.cells.get(page.gallery.current);
    const { commands } = page;
    const group = page.gallery.tile(cell.id)?.closest("[data-group]");
    const acceptClass = group?.querySelector("[data-command=accept-class]:not([hidden])");
    const name = count === 1 ? cell.description : page.cellsInWords(count);
    this.root.setAttribute("aria-label", name);
    this.root.replaceChildren();
    this.heading(count === 1 ? cell.tag : `${page.cellsInWords(count)} selected`);
    if (page.cells.isEditable) {
      this.entry("Accept machine", "A", () => page.run("accept"), { isOff: !cell.suggestion });
      if (acceptClass) this.entry(acceptClass.innerText.replace(/:.*/s, "").trim(), "Shift+A", () => commands["accept-class"](acceptClass), { isOff: acceptClass.disabled });
      this.classes();
      this.line();
      this.entry("Undo", "U", () => page.run("undo"), { isOff: isOff(page, "undo") });
      this.entry("Redo", "Shift+U", () => page.run("redo"), { isOff: isOff(page, "redo") });
    }
    if (commands.compare) this.entry("Compare", keyOf(page, "compare"), () => page.run("compare"));
    if (commands.why) this.entry("Why this class?", keyOf(page, "why"), () => page.run("why"));
    if (cell.inField && page.fields) this.entry("Show on its field", "F", () => page.run("locate"));
  }

  heading(text) {
    this.root.append(Object.assign(document.createElement("p"), { className: "menu-head", textContent: text, role: "presentation" }));
  }

  classes() {
    const group = document.createElement("div");
    group.className = "menu-classes";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Class");
    for (const item of this.page.cells.classes) this.entry(item.label, item.key.toUpperCase(), () => this.page.assign(item.type), { parent: group });
    this.root.append(group);
  }

  line() {
    const line = document.createElement("hr");
    line.setAttribute("role", "separator");
    this.root.append(line);
  }

  entry(text, key, run, { isOff = false, parent = this.root } = {}) {
    const item = document.createElement("button");
    item.type = "button";
    item.tabIndex = -1;
    item.setAttribute("role", "menuitem");
    item.setAttribute("aria-disabled", String(isOff));
    item.append(text);
    if (key) {
      const hint = Object.assign(document.createElement("kbd"), { textContent: key });
      hint.setAttribute("aria-hidden", "true");
      item.setAttribute("aria-keyshortcuts", key);
      item.append(hint);
    }
    item.run = run;
    parent.append(item);
  }

  onKey(event) {
    const { items } = this;
    const place = items.indexOf(document.activeElement);
    const moves = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 };
    event.stopPropagation();
    if (event.key in moves) items[(moves[event.key] + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else if (event.key === "Enter" || event.key === " ") this.choose(document.activeElement);
    else if (event.key.length === 1) this.byLetter(event.key.toLowerCase(), items, place);
    else return;
    event.preventDefault();
  }

  /** A class's own key chooses it; any other letter goes to the next entry that starts with it. */
  byLetter(letter, items, place) {
    const own = items.find((item) => item.closest(".menu-classes") && item.getAttribute("aria-keyshortcuts").toLowerCase() === letter);
    if (own) return this.choose(own);
    const order = [...items.slice(place + 1), ...items.slice(0, place + 1)];
    order.find((item) => item.textContent.toLowerCase().startsWith(letter))?.focus();
  }

  choose(item) {
    if (!item?.run || item.getAttribute("aria-disabled") === "true") return;
    this.close();
    item.run();
  }

  close({ refocus = true } = {}) {
    if (this.root.hidden) return;
    this.root.hidden = true;
    if (refocus && this.opener?.isConnected) this.opener.focus({ preventScroll: true });
  }
}

const isOff = (page, name) => page.root.querySelector(`[data-hook=${name}]`)?.disabled ?? false;

function keyOf(page, command) {
  const [key] = Object.entries(page.keys).find(([, name]) => name === command) || [""];
  return key.toUpperCase();
}
