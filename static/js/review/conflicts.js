/** A step that would have overwritten what its author had not seen: shown first, then decided. */

const MOST_LISTED = 12;

const WISHES = {
  correct: (body, cells) => cells.labels.get(body.cell_type),
  remove: () => "no cell here",
  repeat: (body) => (body.repeat === "repeat" ? "seen in another field" : "a cell of its own"),
  reshape: () => "another outline",
  undo: () => "your last step taken back",
  redo: () => "the step done again",
};

export class Conflicts {
  constructor(page, retry) {
    this.page = page;
    this.retry = retry;
    this.dialog = document.querySelector("[data-hook=conflict-dialog]");
    this.waiting = [];
    // Keys that name cells mean nothing while the question is open.
    this.dialog.addEventListener("keydown", (event) => event.stopPropagation());
    this.dialog.addEventListener("close", () => this.settle(this.dialog.returnValue === "apply"));
  }

  /** Ask about a step that was refused; the page shows the present state of its cells already. */
  add(step, unseen) {
    this.waiting.push({ step, unseen });
    if (!this.dialog.open) this.open();
  }

  open() {
    const [{ step, unseen }] = this.waiting;
    const wish = WISHES[step.kind](step.body, this.page.cells);
    const count = this.page.cellsInWords(unseen.length);
    this.hook("title").textContent = `${count} changed since you saw ${unseen.length === 1 ? "it" : "them"}`;
    this.hook("wish").textContent = wish;
    const listed = unseen.slice(0, MOST_LISTED).map((cell) => this.row(cell));
    this.hook("list").replaceChildren(...listed);
    this.hook("more").textContent = unseen.length > listed.length ? `and ${unseen.length - listed.length} more` : "";
    this.dialog.returnValue = "";
    this.dialog.showModal();
  }

  settle(applies) {
    const { step } = this.waiting.shift();
    if (applies) this.retry(step);
    else this.page.toast("Nothing was changed.");
    if (this.waiting.length) this.open();
  }

  hook(name) {
    return this.dialog.querySelector(`[data-hook=conflict-${name}]`);
  }

  row(cell) {
    const item = document.createElement("li");
    const words = document.createElement("span");
    const now = document.createElement("strong");
    const isOpen = cell.state === "referred" || cell.state === "unread";
    now.textContent = cell.fate === "removed" ? "Removed: no cell" : isOpen ? "Undecided" : this.page.cells.labels.get(cell.finding);
    const by = document.createElement("span");
    by.textContent = cell.named || (cell.state === "machine" ? "left to the machine" : "");
    words.append(now, by);
    item.append(Object.assign(new Image(64, 64), { alt: "", src: this.page.cells.thumbnailOf(cell) }), words);
    return item;
  }
}
