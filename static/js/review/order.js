/** In which order the tiles of a class stand; the reviewer chooses. */

const LAST = Number.MAX_SAFE_INTEGER;

/** Hardest first: unread, then odd cells and those no class fits, then by confidence; named last. */
export function doubt(cell) {
  if (cell.state === "human") return 10 + (cell.confidence ?? 1);
  if (cell.state === "unread") return -2;
  if (cell.hardest) return -1 + 0.5 * cell.confidence;
  return cell.confidence ?? 1;
}

const WORDS = {
  doubt: "doubt, hardest first",
  probability: "probability of the class",
  field: "field and order of upload",
  similar: "likeness to the chosen cell",
};

export class Order {
  constructor(page, select) {
    this.page = page;
    this.cells = page.cells;
    this.gallery = page.gallery;
    this.select = select;
    this.name = "doubt";
    this.likeness = new Map();
    page.gallery.rank = (cell) => this.rank(cell);
    select.addEventListener("change", () => this.change(select.value));
  }

  /** Where a cell stands among those of its class: lower is earlier. */
  rank(cell) {
    if (this.name === "doubt") return doubt(cell);
    if (this.name === "field") return this.cells.placeOf(cell.id);
    if (this.name === "similar") return this.likeness.get(cell.id) ?? LAST;
    return -(cell.chances[this.cells.placeOfClass(cell.group)] ?? Math.max(0, ...cell.chances));
  }

  async change(name) {
    if (name === "similar" && !(await this.compare())) {
      this.select.value = this.name;
      return;
    }
    this.name = name;
    this.gallery.sort();
    this.page.announce(`Sorted by ${WORDS[name]}.`);
  }

  /** Fetch the order of likeness to the chosen cell; say so where there is none. */
  async compare() {
    const { page, cells, gallery } = this;
    const chosen = gallery.current;
    if (!chosen) return page.toast("Choose a cell to sort by likeness to it.");
    const response = await fetch(cells.urls.similar.replace(cells.placeholder, chosen));
    if (response.redirected) location.reload();
    if (!response.ok) return page.toast("The order could not be fetched. Try again.", { isTrouble: true });
    const { order, reason } = await response.json();
    if (reason) return page.toast(reason);
    this.likeness = new Map(order.map((id, place) => [id, place]));
    return true;
  }
}
