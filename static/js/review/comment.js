/** The interpretation: saved by itself, never over somebody else's words. */

import { send } from "./cells.js";

const PAUSE_MS = 900;

export class Comment {
  constructor(form, url) {
    this.form = form;
    this.url = url;
    this.area = form.querySelector("textarea");
    this.saved = this.area.value;
    this.revision = form.querySelector("[name=revision]").value;
    this.conflict = form.querySelector("[data-hook=conflict]");
    this.saving = null;
    this.timer = null;
    this.listen();
  }

  get isDirty() {
    return this.area.value !== this.saved;
  }

  listen() {
    this.area.addEventListener("input", () => {
      this.say(this.isDirty ? "Not saved yet" : "Saved");
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), PAUSE_MS);
    });
    this.area.addEventListener("blur", () => this.save());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.form.querySelector("[data-command=keep-mine]").addEventListener("click", () => this.settle(this.area.value));
    this.form.querySelector("[data-command=take-stored]").addEventListener("click", () => this.settle(this.stored.text));
  }

  say(text, isTrouble = false) {
    const state = this.form.querySelector("[data-hook=comment-state]");
    state.textContent = text;
    state.toggleAttribute("data-trouble", isTrouble);
  }

  /** Save what stands there; resolves to whether all of it is stored. */
  async save({ keepalive = false } = {}) {
    clearTimeout(this.timer);
    await this.saving;
    if (!this.isDirty) return true;
    if (!this.conflict.hidden) return false;
    const text = this.area.value;
    this.say("Saving…");
    this.saving = send(this.url, "PUT", { text, revision: this.revision }, { keepalive }).then(
      (answer) => this.onSaved(text, answer),
      (refusal) => this.onRefused(refusal),
    );
    await this.saving;
    return !this.isDirty;
  }

  onSaved(text, answer) {
    this.revision = answer.revision;
    this.saved = text;
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    this.say(this.isDirty ? "Not saved yet" : `Saved ${time}`);
  }

  onRefused(refusal) {
    if (refusal.status === 409 && refusal.body.revision) this.showConflict(refusal.body);
    else this.say(`Not saved: ${refusal.message}`, true);
  }

  showConflict(stored) {
    this.stored = stored;
    this.form.querySelector("[data-hook=stored]").textContent = stored.text || "(empty)";
    this.conflict.hidden = false;
    this.say("Not saved", true);
  }

  settle(text) {
    this.revision = this.stored.revision;
    this.saved = this.stored.text;
    this.area.value = text;
    this.conflict.hidden = true;
    this.say("Saved");
    this.save();
    this.area.focus();
  }
}
