/** The chosen cell, large, with what machine and human say of it. */

const percent = (cell) => `${Math.floor(cell.confidence * 100)} %`;

const WORDS = {
  machine: (cell) => `Machine ${percent(cell)}, not confirmed`,
  referred: (cell, suggestion) => `Machine not sure: ${suggestion} ${percent(cell)}`,
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

  show(cell, selected) {
    this.showPicture(cell);
    this.showWords(cell);
    this.showChances(cell);
    const count = this.hook("selected");
    if (!count) return;
    count.textContent = selected === 1 ? "1 cell selected" : `${selected} cells selected`;
    count.toggleAttribute("data-many", selected > 1);
    this.root.querySelector("[name=cell]").value = cell.id;
  }

  showPicture(cell) {
    const picture = this.hook("picture");
    const image = picture.querySelector("image");
    const source = this.cells.imageOf(cell);
    picture.setAttribute("viewBox", cell.box);
    picture.setAttribute("aria-label", cell.description);
    if (image.getAttribute("href") === source) return;
    image.setAttribute("width", cell.size[0]);
    image.setAttribute("height", cell.size[1]);
    image.setAttribute("href", source);
  }

  showWords(cell) {
    const isOpen = cell.group === "unresolved";
    this.hook("state").dataset.state = cell.state;
    this.hook("finding").textContent = isOpen ? "Undecided" : this.cells.labels.get(cell.group);
    const suggestion = this.cells.labels.get(cell.suggestion);
    this.hook("who").textContent = WORDS[cell.state](cell, suggestion);
    const isSettled = cell.state === "human" && suggestion;
    this.hook("machine").textContent = isSettled ? `Machine: ${suggestion} ${percent(cell)}` : "";
    const accept = this.root.querySelector("[data-command=accept]");
    if (accept) accept.disabled = !suggestion;
  }

  showChances(cell) {
    this.cells.classes.forEach((item, place) => {
      const row = this.root.querySelector(`[data-class=${item.type}]`);
      const chance = cell.chances[place] || 0;
      row.querySelector("meter").value = chance;
      row.querySelector("[data-hook=chance-text]").textContent = chance >= 10 ? `${Math.floor(chance / 10)} %` : "";
      row.toggleAttribute("data-finding", item.type === cell.group);
    });
  }
}
