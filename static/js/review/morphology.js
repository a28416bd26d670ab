/** The morphology tab: grades by click and key, saved at once; search; the rest called absent. */

const PAUSE_MS = 500;
const OWN_KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

export class Morphology {
  /** `page` is what `review.js` offers further parts. */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.timers = new Map();
    this.search = root.querySelector("#morphology-search");
    for (const row of this.rows()) this.rove(row);
    this.listen();
  }

  listen() {
    this.root.addEventListener("submit", (event) => this.onSubmit(event));
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("change", (event) => this.onTyped(event));
    this.search.addEventListener("input", () => this.find(this.search.value));
  }

  rows() {
    return [...this.root.querySelectorAll(".morphology-row")];
  }

  visibleRows() {
    return this.rows().filter((row) => row.getClientRects().length);
  }

  radios(row) {
    return [...row.querySelectorAll("[role=radio]")];
  }

  /** Only the chosen grade, or the first one, is in the order of Tab. */
  rove(row) {
    const radios = this.radios(row);
    const chosen = radios.find((radio) => radio.getAttribute("aria-checked") === "true") || radios[0];
    for (const radio of radios) radio.tabIndex = radio === chosen ? 0 : -1;
  }

  onSubmit(event) {
    event.preventDefault();
    const form = event.target;
    const button = event.submitter;
    if (form.matches("[data-rest]")) this.callRestAbsent(form);
    else if (button?.matches("[data-withdraw]")) this.withdraw(form);
    else if (button?.matches("[role=radio]")) this.choose(form, button);
    else this.save(form, null);
  }

  onTyped(event) {
    const row = event.target.closest(".morphology-row");
    if (!row) return;
    const graded = this.gradeOf(row);
    if (event.target.name === "count" && event.target.value !== "" && event.target.checkValidity()) this.save(row, null);
    else if (graded !== null && event.target.checkValidity()) this.save(row, graded);
  }

  onKey(event) {
    const row = event.target.closest(".morphology-row");
    if (event.target === this.search) return this.onSearchKey(event);
    if (!row || !event.target.matches("[role=radio]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "?" || event.key === "Tab") return;
    event.stopPropagation();
    const radio = this.radios(row).find((one) => one.value === event.key);
    if (OWN_KEYS.includes(event.key)) this.move(row, event.target, event.key);
    else if (radio) this.choose(row, radio);
    else if (event.key.toLowerCase() === "g") this.search.focus();
    else return;
    event.preventDefault();
  }

  onSearchKey(event) {
    if (event.key === "Escape") {
      this.search.value = "";
      this.find("");
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      const first = this.visibleRows()[0];
      if (first) this.focusRow(first);
    }
  }

  /** Left and right choose another grade, up and down go to another feature. */
  move(row, radio, key) {
    if (key === "ArrowUp" || key === "ArrowDown") {
      const rows = this.visibleRows();
      const next = rows[rows.indexOf(row) + (key === "ArrowDown" ? 1 : -1)];
      if (next) this.focusRow(next);
      return;
    }
    const radios = this.radios(row);
    const ends = { Home: 0, End: radios.length - 1 };
    const place = key in ends ? ends[key] : radios.indexOf(radio) + (key === "ArrowRight" ? 1 : -1);
    this.choose(row, radios[(place + radios.length) % radios.length], PAUSE_MS);
  }

  focusRow(row) {
    this.radios(row).find((radio) => radio.tabIndex === 0).focus();
  }

  /** Show the grade at once and store it, after a pause if keys may go on to another. */
  choose(row, radio, pause = 0) {
    this.paintGrade(row, radio.value);
    radio.focus();
    clearTimeout(this.timers.get(row));
    const store = () => {
      this.timers.delete(row);
      this.save(row, Number(radio.value));
    };
    if (pause) this.timers.set(row, setTimeout(store, pause));
    else store();
  }

  save(row, grade) {
    const count = row.querySelector("[name=count]")?.value || null;
    const comment = row.querySelector("[name=comment]").value;
    return this.send(this.root.dataset.grades, { code: row.dataset.feature, grade, count, comment }, [row]);
  }

  withdraw(row) {
    return this.send(this.root.dataset.withdrawals, { code: row.dataset.feature }, [row]);
  }

  callRestAbsent(form) {
    return this.send(this.root.dataset.absences, { line: form.elements.line.value }, []);
  }

  async send(url, body, rows) {
    this.say("Saving…");
    try {
      const answer = await this.page.cells.post(url, body, (stored) => stored);
      this.show(answer);
      const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      this.say(`Saved ${time}`);
      this.page.announce(inWords(answer));
    } catch (refusal) {
      for (const row of rows) this.paintGrade(row, row.dataset.stored ?? "");
      this.say(`Not saved: ${refusal.message}`, true);
      this.page.announce(`Not saved: ${refusal.message}`);
    }
  }

  show({ features, lines }) {
    for (const feature of features) this.paint(feature);
    for (const [name, { statement, rest }] of Object.entries(lines)) {
      const line = this.root.querySelector(`[data-line="${name}"]`);
      line.querySelector("[data-hook=statement]").textContent = statement;
      line.querySelector("[data-hook=rest]").textContent = rest;
    }
  }

  paint({ code, grade, count, comment, note, signature }) {
    const row = this.root.querySelector(`[data-feature="${code}"]`);
    if (!this.timers.has(row)) this.paintGrade(row, grade === null ? "" : String(grade));
    row.dataset.stored = grade === null ? "" : String(grade);
    const fields = { count, comment };
    for (const [name, value] of Object.entries(fields)) {
      const field = row.querySelector(`[name=${name}]`);
      if (field && field !== document.activeElement) field.value = value;
    }
    row.querySelector("[data-hook=signature]").textContent = signature;
    row.querySelector("[data-withdraw]").disabled = grade === null;
    const line = row.querySelector("[data-hook=note]");
    line.textContent = note;
    line.hidden = !note;
  }

  paintGrade(row, grade) {
    row.dataset.stored ??= String(this.gradeOf(row) ?? "");
    for (const radio of this.radios(row)) radio.setAttribute("aria-checked", String(radio.value === grade));
    this.rove(row);
  }

  gradeOf(row) {
    const chosen = row.querySelector("[role=radio][aria-checked=true]");
    return chosen ? Number(chosen.value) : null;
  }

  /** Show the features whose name holds the text, those behind "more" too. */
  find(text) {
    const wanted = text.trim().toLowerCase();
    for (const row of this.rows()) row.hidden = !row.dataset.name.includes(wanted);
    for (const more of this.root.querySelectorAll(".morphology-more")) more.open = Boolean(wanted) && more.querySelector(".morphology-row:not([hidden])") !== null;
    const found = this.visibleRows().length;
    this.root.querySelector("[data-hook=morphology-none]").hidden = found > 0;
    if (wanted) this.page.announce(`${found} feature${found === 1 ? "" : "s"}.`);
  }

  say(text, isTrouble = false) {
    const state = this.root.querySelector("[data-hook=morphology-state]");
    state.textContent = text;
    state.toggleAttribute("data-trouble", isTrouble);
  }
}

function inWords({ features, lines }) {
  if (features.length === 1) {
    const [{ name, gradeName, note }] = features;
    return `${name}: ${gradeName || "not graded"}${note ? `, ${note}` : ""}.`;
  }
  const said = Object.values(lines).map((line) => line.statement);
  return features.length ? `${features.length} features graded 0. ${said.join(". ")}.` : "Nothing was left to grade.";
}

/** Make the tab's panel live and give it its key. */
export function enableMorphology(page) {
  const root = document.querySelector("[data-hook=morphology]");
  if (!root) return;
  const morphology = new Morphology(root, page);
  page.commands.morphology = () => {
    document.getElementById("tab-morphology").click();
    morphology.search.focus();
  };
  page.keys.g = "morphology";
}
