/** Typing @ offers colleagues: arrows choose, Enter or Tab takes, Escape closes; names stay plain text. */

const MOST = 6;

export class MentionList {
  /** `select` holds whom to offer, and is what the form sends. */
  constructor(area, select, list, say) {
    Object.assign(this, { area, select, list, say });
    this.found = [];
    this.place = 0;
    area.setAttribute("aria-controls", list.id);
    area.addEventListener("input", () => this.look());
    area.addEventListener("keydown", (event) => this.onKey(event));
    area.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const item = event.target.closest("[role=option]");
      if (item) this.take(Number(item.dataset.place));
    });
  }

  /** The letters between an @ and the cursor. */
  typed() {
    const before = this.area.value.slice(0, this.area.selectionStart);
    return /(?:^|[\s(])@([^@\n]{0,40})$/.exec(before)?.[1] ?? null;
  }

  look() {
    const typed = this.typed();
    if (typed === null) return this.close();
    const wanted = typed.toLowerCase();
    this.found = [...this.select.options].filter((one) => one.text.toLowerCase().split(/\s+/).some((word, place, words) => words.slice(place).join(" ").startsWith(wanted))).slice(0, MOST);
    if (!this.found.length) return this.close();
    this.place = 0;
    this.draw();
    this.say(`${this.found.length} colleague${this.found.length === 1 ? "" : "s"}. ${this.found[0].text}.`);
  }

  draw() {
    this.list.replaceChildren(...this.found.map((one, place) => {
      const item = document.createElement("li");
      item.id = `mention-${one.value}`;
      item.dataset.place = place;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(place === this.place));
      item.textContent = one.text;
      return item;
    }));
    this.list.hidden = false;
    this.area.setAttribute("aria-activedescendant", `mention-${this.found[this.place].value}`);
  }

  onKey(event) {
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.place = (this.place + step + this.found.length) % this.found.length;
      this.draw();
    } else if (event.key === "Enter" || event.key === "Tab") this.take(this.place);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  take(place) {
    const chosen = this.found[place];
    const end = this.area.selectionStart;
    const start = end - this.typed().length;
    this.area.setRangeText(`${chosen.text} `, start, end, "end");
    chosen.selected = true;
    this.close();
    this.say(`${chosen.text} mentioned.`);
    this.area.focus();
  }

  close() {
    this.list.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
  }

  /** Whose name was deleted again isn't mentioned. */
  keepMentioned() {
    for (const one of [...this.select.selectedOptions]) if (!this.area.value.includes(`@${one.text}`)) one.selected = false;
  }

  restore(values) {
    for (const one of this.select.options) if (values.includes(one.value)) one.selected = true;
  }

  clear() {
    for (const one of this.select.options) one.selected = false;
    this.close();
  }
}
