/** The chosen cell, large, with what machine and human say of it. */

const percent = (cell) => `${Math.floor(cell.confidence * 100)} %`;
const wasNamed = (cell) => cell.confidence !== null;

const WORDS = {
  machine: (cell) => wasNamed(cell) ? `Machine ${percent(cell)}, not confirmed` : "Found by the machine, not confirmed",
  referred: (cell, suggestion) => (cell.odd ? `Unlike the cells the machine knows; nearest: ${suggestion}` : `Machine not sure: ${suggestion} ${percent(cell)}`),
  unread: (cell) => `Not read: ${cell.error || "no classification"}`,
  human: (cell) => `Reviewer: ${cell.named}`,
};

export class Stage {
  constructor(root, cells) {
    this.root = root;
    this.cells = cells;
  }

  hook(name) {
    return this.root.querySelector(`[data-hook=${name}]`);
  }

  /** Show a cell, or that none is chosen. */
  show(cell, selected) {
    this.root.toggleAttribute("data-empty", !cell);
    this.root.removeAttribute("data-draft");
    if (!cell) return this.showNone();
    this.showPicture(cell);
    this.showWords(cell);
    this.showChances(cell);
    this.showCount(selected);
    const field = this.root.querySelector("[name=cell]");
    if (field) field.value = cell.id;
  }

  showNone() {
    this.showChances({ chances: [] });
    this.showCount(0);
    const accept = this.root.querySelector("[data-command=accept]");
    if (accept) accept.disabled = true;
  }

  /** Show a cell that waits for its class to be added. */
  showDraft(field, [x0, y0, x1, y1]) {
    const side = Math.round(1.5 * Math.max(x1 - x0, y1 - y0));
    const view = `${Math.floor((x0 + x1 - side) / 2)} ${Math.floor((y0 + y1 - side) / 2)} ${side} ${side}`;
    this.root.removeAttribute("data-empty");
    this.root.toggleAttribute("data-draft", true);
    const [width, height] = field.size;
    this.showPicture({ view, description: "New cell" }, { href: this.cells.imageOf(field), x: 0, y: 0, width, height });
    this.hook("state").dataset.state = "human";
    this.hook("finding").textContent = "New cell";
    this.hook("who").textContent = "Choose its class.";
    this.hook("machine").textContent = this.hook("doubt").textContent = "";
    this.showNone();
    const count = this.hook("selected");
    if (count) count.textContent = "1 new cell";
  }

  showCount(selected) {
    const count = this.hook("selected");
    if (!count) return;
    count.textContent = selected === 1 ? "1 cell selected" : selected ? `${selected} cells selected` : "No cell selected";
    count.toggleAttribute("data-many", selected > 1);
  }

  showPicture(cell, shown = this.cells.pictureOf(cell)) {
    const picture = this.hook("picture");
    const image = picture.querySelector("image");
    picture.setAttribute("viewBox", cell.view);
    picture.setAttribute("aria-label", cell.description);
    if (image.getAttribute("href") === shown.href) return;
    for (const [name, value] of Object.entries(shown)) image.setAttribute(name, value);
  }

  showWords(cell) {
    const isOpen = cell.state === "referred" || cell.state === "unread";
    this.hook("state").dataset.state = cell.state;
    this.hook("finding").textContent = isOpen ? "Undecided" : this.cells.labels.get(cell.finding);
    const suggestion = this.cells.labels.get(cell.suggestion);
    this.hook("who").textContent = WORDS[cell.state](cell, suggestion);
    const isSettled = cell.state === "human" && suggestion;
    this.hook("machine").textContent = isSettled ? `Machine: ${suggestion} ${percent(cell)}` : "";
    this.hook("doubt").textContent = cell.doubt;
    const accept = this.root.querySelector("[data-command=accept]");
    if (accept) accept.disabled = !suggestion;
  }

  showChances(cell) {
    this.cells.classes.forEach((item, place) => {
      const row = this.root.querySelector(`[data-class=${item.type}]`);
      const chance = cell.chances[place] || 0;
      row.querySelector("meter").value = chance;
      row.querySelector("[data-hook=chance-text]").textContent = chance >= 10 ? `${Math.floor(chance / 10)} %` : "";
      row.toggleAttribute("data-finding", item.type === cell.finding && cell.state !== "referred" && cell.state !== "unread");
    });
  }
}
