/** Which boxes are drawn: a checkbox for each class of the field, remembered by this browser. */

const SETTING = "review-hidden-boxes";
const HIDDEN_AT_FIRST = ["removed"];
const UNDECIDED = { type: "unresolved", short: "Undecided", label: "Cells that need your decision" };
const REMOVED = { type: "removed", short: "Removed, first boxes", label: "Removed boxes, and boxes before they were drawn anew" };

export class Filter {
  constructor(root, classes, onChange) {
    this.root = root;
    this.kinds = [UNDECIDED, ...classes, REMOVED];
    this.hidden = new Set(remembered());
    this.chips = new Map();
    root.addEventListener("change", (event) => {
      const type = event.target.value;
      if (event.target.checked) this.hidden.delete(type);
      else this.hidden.add(type);
      localStorage.setItem(SETTING, JSON.stringify([...this.hidden]));
      onChange();
    });
  }

  get showsRemoved() {
    return !this.hidden.has(REMOVED.type);
  }

  shows(cell) {
    return !this.hidden.has(kindOf(cell));
  }

  /** Offer the classes that these cells have. */
  offer(cells) {
    for (const kind of this.kinds) {
      const count = cells.filter((cell) => belongs(cell, kind.type)).length;
      const chip = this.chips.get(kind.type) || (count ? this.make(kind) : null);
      if (!chip) continue;
      chip.hidden = count === 0;
      chip.querySelector(".count").textContent = count;
    }
  }

  make(kind) {
    const chip = document.createElement("label");
    chip.className = "filter-chip";
    chip.dataset.class = kind.type;
    chip.title = kind.label;
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "form-check-input";
    box.value = kind.type;
    box.checked = !this.hidden.has(kind.type);
    const words = document.createElement("span");
    words.textContent = kind.short;
    const count = document.createElement("span");
    count.className = "count";
    chip.append(box, words, count);
    this.chips.set(kind.type, chip);
    const place = this.kinds.indexOf(kind);
    const follower = this.kinds.slice(place + 1).map((other) => this.chips.get(other.type)).find(Boolean);
    this.root.insertBefore(chip, follower || null);
    return chip;
  }
}

function kindOf(cell) {
  if (cell.fate === "removed") return REMOVED.type;
  return cell.state === "referred" || cell.state === "unread" ? UNDECIDED.type : cell.finding;
}

function belongs(cell, type) {
  return kindOf(cell) === type || (type === REMOVED.type && String(cell.firstBox) !== String(cell.box));
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(SETTING)) || HIDDEN_AT_FIRST;
  } catch {
    return HIDDEN_AT_FIRST;
  }
}
