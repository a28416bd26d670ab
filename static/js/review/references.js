/** Reference cells beside those that are compared: of a class, and those most like the chosen cell. */

import { picture } from "./scale.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const LIKELIEST = "likeliest";
const STILL = { zoom: 1, offset: [0, 0] };

export class References {
  constructor(root, cells) {
    this.root = root;
    this.cells = cells;
    this.tabs = [...root.querySelectorAll("[data-references]")];
    this.panel = root.querySelector("[data-hook=reference-strips]");
    this.nearest = root.querySelector("[data-hook=nearest-strip]");
    this.tab = LIKELIEST;
    this.fetched = new Map();
    const list = root.querySelector("[data-hook=reference-tabs]");
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[data-references]");
      if (tab) this.open(tab);
    });
    list.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const place = this.tabs.indexOf(event.target);
    const ends = { Home: 0, End: this.tabs.length - 1 };
    const next = event.key in ends ? ends[event.key] : place + STEPS[event.key];
    if (place < 0 || Number.isNaN(next)) return;
    const tab = this.tabs[(next + this.tabs.length) % this.tabs.length];
    this.open(tab);
    tab.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  open(chosen) {
    for (const tab of this.tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", chosen.id);
    this.tab = chosen.dataset.references;
    this.showClasses();
  }

  /** Show what a cell is to be compared with, at the scale of the others. */
  show(cell, span) {
    [this.cell, this.span] = [cell, span];
    this.showClasses();
    this.showNearest();
  }

  /** The machine's likeliest class and the one after it; of a cell it never read, none. */
  likeliest() {
    const chances = this.cell?.chances || [];
    const order = chances.map((chance, place) => [chance, this.cells.classes[place].type]).filter(([chance]) => chance > 0);
    return order.sort(([one], [other]) => other - one).slice(0, 2).map(([, type]) => type);
  }

  async showClasses() {
    const types = this.tab === LIKELIEST ? this.likeliest() : [this.tab];
    const asked = (this.asked = Symbol("classes"));
    const strips = await Promise.all(types.map(async (type) => this.strip(this.cells.labels.get(type), await this.ofClass(type))));
    if (asked !== this.asked) return;
    if (!strips.length) strips.push(note("The machine named no class for this cell: choose one above."));
    this.panel.replaceChildren(...strips);
  }

  async showNearest() {
    const asked = (this.askedNearest = Symbol("nearest"));
    const found = this.cell ? await this.get(this.cells.urls.nearest.replace(this.cells.placeholder, this.cell.id)) : [];
    if (asked !== this.askedNearest) return;
    const words = "None can be told: the library holds no cell that the model which read this one has looked at.";
    this.nearest.replaceChildren(found?.length ? this.list("Most similar reference cells", found) : note(found ? words : TROUBLE));
  }

  ofClass(type) {
    return this.get(this.cells.urls.references.replace("cell-class", type));
  }

  /** Ask once for each address; null if the server can't tell now. */
  async get(url) {
    if (!this.fetched.has(url)) {
      const found = await fetch(url).then((answer) => (answer.ok ? answer.json() : null), () => null);
      if (!found) return null;
      this.fetched.set(url, found.cells);
    }
    return this.fetched.get(url);
  }

  strip(label, found) {
    const strip = document.createElement("div");
    strip.className = "reference-strip";
    const title = document.createElement("h4");
    title.textContent = label;
    if (found?.length) strip.append(title, this.list(`Reference cells: ${label}`, found));
    else strip.append(title, note(found ? `The library shows no ${label.toLowerCase()} yet.` : TROUBLE));
    return strip;
  }

  list(label, found) {
    const list = document.createElement("ul");
    list.className = "strip";
    list.tabIndex = 0;
    list.setAttribute("aria-label", label);
    list.append(...found.map((reference) => this.item(reference)));
    return list;
  }

  item(reference) {
    const item = document.createElement("li");
    const figure = document.createElement("figure");
    const middle = reference.size.map((side) => side / 2);
    const href = this.cells.urls.referencePicture.replace(this.cells.placeholder, reference.id);
    const caption = document.createElement("figcaption");
    const name = document.createElement("strong");
    name.textContent = reference.label;
    caption.append(name);
    if (reference.similarity !== null) caption.append(line(`similarity ${reference.similarity.toFixed(2)}`));
    if (reference.teaching) caption.append(line(reference.teaching));
    caption.append(line([reference.source, reference.licence].filter(Boolean).join(" · ")));
    if (this.span.micrometres && !reference.scale) caption.append(line("No scale"));
    figure.append(picture({ href, size: reference.size, middle, scale: reference.scale }, this.span, STILL), caption);
    item.append(figure);
    return item;
  }
}

const TROUBLE = "The reference cells can't be fetched now.";

function line(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

function note(text) {
  const paragraph = document.createElement("p");
  paragraph.className = "strip-note";
  paragraph.textContent = text;
  return paragraph;
}
