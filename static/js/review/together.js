/** Others at this case: who they are, and what they say of its cells, shown as it happens. */

const ASK_MS = 5000;

export class Together {
  constructor(page) {
    this.page = page;
    this.place = document.querySelector("[data-hook=present]");
    this.moved = document.querySelector("[data-hook=moved]");
    this.known = page.cells.latest;
    this.stage = page.cells.stage;
    this.names = new Set();
    this.etag = "";
    this.timer = null;
    document.addEventListener("visibilitychange", () => this.askNow());
    this.askNow();
  }

  /** Ask at once and from then on, for as long as the page is seen. */
  askNow() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    this.ask().catch(() => {}).finally(() => {
      clearTimeout(this.timer);
      if (!document.hidden) this.timer = setTimeout(() => this.askNow(), ASK_MS);
    });
  }

  async ask() {
    const { cells } = this.page;
    if (cells.waiting) return;
    const answer = await fetch(`${cells.urls.presence}?known=${this.known}`, {
      cache: "no-store",
      headers: { "X-Background": "1", ...(this.etag && { "If-None-Match": this.etag }) },
    });
    if (!answer.ok || answer.redirected) return;
    const told = await answer.json();
    this.showPeople(told.people);
    this.moved.hidden = told.stage === this.stage;
    // A step of this page that is on its way may overtake the answer: ask again after it.
    if (cells.waiting) return;
    this.etag = answer.headers.get("ETag");
    this.known = told.last;
    this.showChanges(told);
  }

  showPeople(people) {
    const arrived = people.filter((person) => !this.names.has(person.name));
    this.names = new Set(people.map((person) => person.name));
    this.place.hidden = !people.length;
    this.place.replaceChildren(...people.map((person) => chip(person)));
    if (arrived.length) this.page.announce(arrived.map((person) => `${person.name} is ${person.doing} here too.`).join(" "));
  }

  /** Show what this page doesn't know yet; its own steps it does. */
  showChanges({ changes, cells: states }) {
    const { cells, repaint, toast, cellsInWords } = this.page;
    const news = new Map(states.filter((state) => state.revision !== cells.get(state.id)?.revision).map((state) => [state.id, state]));
    if (!news.size) return;
    repaint([...news.values()]);
    const sentences = changes.map(({ by, own, verb, cells: ids }) => {
      const count = ids.filter((id) => news.has(id)).length;
      return count && `${own ? "You" : by} ${verb} ${cellsInWords(count)}${own ? " in another window" : ""}.`;
    });
    toast(sentences.filter(Boolean).join(" "));
  }
}

function chip({ name, initials, doing, since }) {
  const item = document.createElement("li");
  item.className = "present-person";
  item.title = `Since ${since}`;
  const letters = document.createElement("span");
  letters.className = "avatar";
  letters.setAttribute("aria-hidden", "true");
  letters.textContent = initials;
  const words = document.createElement("span");
  words.textContent = `${name}, ${doing}`;
  item.append(letters, words);
  return item;
}
