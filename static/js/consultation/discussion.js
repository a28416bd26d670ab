/**
 * The discussion beside the cells, or on its own page: comments stand there at once and are sent
 * until they are stored; what others write appears while somebody looks.
 */

import { MentionList } from "./mention-list.js";

const REFRESH_MS = 10_000;
const WAITS_MS = [500, 1500, 4000];
const OWN = { "X-Requested-With": "fetch" };

export class Discussion {
  /** `page` is the review page's, if there is one: it hears of selections and selects cells. */
  constructor(root, page = null) {
    this.root = root;
    this.page = page;
    this.form = root.querySelector("[data-hook=comment-form]");
    this.selected = null;
    if (this.form) this.prepareForm();
    root.addEventListener("submit", (event) => this.onSubmit(event));
    root.addEventListener("click", (event) => this.onClick(event));
    page?.onSelection((cell) => this.follow(cell));
    setInterval(() => this.refresh(), REFRESH_MS);
    this.markTiles();
  }

  get talk() {
    return this.root.querySelector("#talk");
  }

  get isSeen() {
    return document.visibilityState === "visible" && this.root.offsetParent !== null;
  }

  prepareForm() {
    this.area = this.form.elements.text;
    this.place = this.form.elements.place;
    const people = this.form.querySelector("select[name=mentions]");
    this.mentions = people ? new MentionList(this.area, people, this.form.querySelector("#mention-list"), (text) => this.say(text)) : null;
    this.area.addEventListener("input", () => this.showRoom());
    this.showRoom();
  }

  /** Say how much still fits, once little does. */
  showRoom() {
    const left = this.area.maxLength - this.area.value.length;
    this.form.querySelector("[data-hook=comment-room]").textContent = left < 200 ? `${left} characters left` : "";
  }

  say(text) {
    this.root.querySelector("[data-hook=discussion-live]").textContent = text;
  }

  /* The selected cell --------------------------------------------------------------------- */

  /** Offer the selected cell and its field to comment on; what was chosen to be on them follows. */
  follow(cell) {
    this.selected = cell;
    if (this.form) {
      this.offer("cell", cell, cell && `the selected cell (${cell.description.split(",")[0].toLowerCase()})`);
      this.offer("field", cell?.inField ? { id: cell.image } : null, cell && `its field (${cell.imageName})`);
    }
    this.showThread();
  }

  offer(kind, thing, label) {
    let option = this.place.querySelector(`option[data-kind=${kind}]`);
    if (!thing) return option?.remove();
    if (!option) {
      option = document.createElement("option");
      option.dataset.kind = kind;
      this.place.querySelector("option[value=case]").after(option);
    }
    option.value = `${kind}-${thing.id}`;
    option.textContent = label;
  }

  /** The thread of the selected cell stands out, and comes into view if the tab is open. */
  showThread() {
    for (const thread of this.root.querySelectorAll("[data-thread]")) {
      const isCurrent = this.selected && thread.dataset.thread === `cell-${this.selected.id}`;
      thread.toggleAttribute("data-current", Boolean(isCurrent));
      if (isCurrent && this.isSeen) thread.scrollIntoView({ block: "nearest" });
    }
  }

  /** Begin a comment on the selected cell. */
  startOnCell() {
    const option = this.place?.querySelector("option[data-kind=cell]");
    if (option) this.place.value = option.value;
    this.area?.focus();
  }

  /** Tiles of cells that somebody commented on carry a sign, for the eye and for the ear. */
  markTiles() {
    if (!this.page) return;
    const discussed = new Set();
    for (const link of this.root.querySelectorAll("[data-cell-link]")) {
      const isStanding = link.closest(".thread").querySelector(".remark:not(.remark-retracted)");
      if (isStanding) discussed.add(link.dataset.cellLink);
    }
    for (const tile of this.page.gallery.tiles()) {
      const isDiscussed = discussed.has(tile.dataset.cell);
      tile.toggleAttribute("data-discussed", isDiscussed);
      if (isDiscussed) tile.setAttribute("aria-description", "has comments");
      else tile.removeAttribute("aria-description");
    }
  }

  onClick(event) {
    const link = event.target.closest("[data-cell-link]");
    if (!link || !this.page?.cells.get(link.dataset.cellLink)) return;
    event.preventDefault();
    this.page.choose(link.dataset.cellLink, "only", { focus: false });
    this.page.gallery.tile(link.dataset.cellLink)?.scrollIntoView({ block: "nearest" });
  }

  /* Writing ------------------------------------------------------------------------------- */

  onSubmit(event) {
    const form = event.target;
    if (form === this.form) this.comment();
    else if (form.dataset.hook === "retract") this.retract(form);
    else if (form.dataset.hook === "quote" && this.quote(form)) this.say("Quoted in the interpretation.");
    else return;
    event.preventDefault();
  }

  /** Show the comment at once; should it be refused, its words come back. */
  async comment() {
    const text = this.area.value.trim();
    if (!text) return;
    this.mentions?.keepMentioned();
    const data = new FormData(this.form);
    const pending = this.showPending(text);
    this.reset();
    try {
      this.replaceTalk(await this.send(this.form.action, data));
      this.say("Comment added.");
    } catch (refusal) {
      pending.remove();
      this.area.value = this.area.value ? `${text}\n${this.area.value}` : text;
      this.mentions?.restore(data.getAll("mentions"));
      this.problem(refusal.message);
    }
  }

  showPending(text) {
    const item = document.createElement("p");
    item.className = "remark-text remark-pending";
    item.textContent = text;
    this.root.querySelector("[data-hook=no-comments]")?.remove();
    this.root.querySelector("[data-hook=threads]").append(item);
    return item;
  }

  reset() {
    this.area.value = "";
    this.form.elements.comment_id.value = newId();
    this.mentions?.clear();
    this.problem("");
    this.showRoom();
  }

  problem(text) {
    const line = this.form.querySelector("[data-hook=comment-problem]");
    line.textContent = text;
    line.hidden = !text;
  }

  async retract(form) {
    if (!window.confirm("Take this comment back? That it stood here stays visible.")) return;
    try {
      this.replaceTalk(await this.send(form.action, new FormData(form)));
      this.say("Comment taken back.");
    } catch (refusal) {
      this.say(refusal.message);
    }
  }

  /** Write the opinion into the interpretation, which saves itself; false leaves it to the server. */
  quote(form) {
    const area = document.querySelector("form[data-hook=comment] textarea");
    const words = form.dataset.words;
    if (!area || !words) return false;
    if (!area.value.includes(words)) area.value = `${area.value}\n\n${words}`.trim();
    document.getElementById("tab-result")?.click();
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }

  /* Sending and refreshing ---------------------------------------------------------------- */

  /** Post a form; repeat while network or server fail, as its id makes repetition harmless. */
  async send(url, data) {
    for (let attempt = 0; ; attempt += 1) {
      const response = await fetch(url, { method: "POST", body: data, headers: OWN }).catch(() => null);
      if (response?.redirected) location.reload();
      if (response?.ok) return response.text();
      if (response && response.status < 500) throw new Error(response.status === 422 ? await response.text() : "You may not do this any more.");
      if (attempt === WAITS_MS.length) throw new Error("The server can't be reached. Your comment was not sent.");
      await new Promise((resolve) => setTimeout(resolve, WAITS_MS[attempt]));
    }
  }

  async refresh() {
    if (!this.isSeen || this.talk.contains(document.activeElement?.closest("input, textarea"))) return;
    const url = `${this.talk.dataset.refresh}?seen=${this.talk.dataset.token}`;
    const response = await fetch(url, { headers: { ...OWN, "X-Background": "1" } }).catch(() => null);
    if (response?.status === 200 && !response.redirected) this.replaceTalk(await response.text());
  }

  replaceTalk(html) {
    const part = new DOMParser().parseFromString(html, "text/html").getElementById("talk");
    if (!part) return location.reload();
    this.talk.replaceWith(part);
    this.markTiles();
    this.showThread();
  }
}

/** A random UUID; `crypto.randomUUID` is missing where the site is served without TLS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
