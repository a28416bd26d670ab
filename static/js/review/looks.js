/**
 * How pictures look on this screen: size of the tiles, brightness, contrast, sharpness.
 *
 * Only for looking: this browser remembers it, the record never holds it.
 */

const SETTING = "review-looks";
const PLAIN = { size: 96, brightness: 100, contrast: 100, sharpness: 0 };
const ADJUSTMENTS = ["brightness", "contrast", "sharpness"];

export class Looks {
  constructor(page) {
    this.page = page;
    this.bar = page.root.querySelector("[data-hook=looks]");
    this.kernel = document.querySelector("#sharpen feConvolveMatrix");
    this.values = { ...PLAIN, ...recall() };
    page.commands["reset-looks"] = () => this.reset();
    this.panel = document.getElementById("looks-panel");
    this.panel.addEventListener("toggle", (event) => event.newState === "open" && this.place());
    for (const input of this.inputs) input.addEventListener("input", () => this.change(input));
    this.apply();
  }

  get inputs() {
    return [...this.page.root.querySelectorAll("input[data-look]")];
  }

  get isAdjusted() {
    return ADJUSTMENTS.some((name) => this.values[name] !== PLAIN[name]);
  }

  /** Below its button, as far as the window allows. */
  place() {
    const { bottom, left } = this.page.root.querySelector("[data-hook=looks-button]").getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = this.panel;
    style.left = `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`;
    style.top = `${Math.max(8, Math.min(bottom + 6, innerHeight - offsetHeight - 8))}px`;
    this.panel.querySelector("input").focus();
  }

  change(input) {
    this.values[input.dataset.look] = Number(input.value);
    this.keep();
  }

  /** Pictures as they were taken; the size of the tiles stays. */
  reset() {
    const hadFocus = this.bar.contains(document.activeElement) || document.activeElement?.dataset.command === "reset-looks";
    for (const name of ADJUSTMENTS) this.values[name] = PLAIN[name];
    this.keep();
    this.page.announce("Pictures are shown as they were taken.");
    if (hadFocus) this.page.root.querySelector("[data-hook=looks-button]").focus();
  }

  keep() {
    localStorage.setItem(SETTING, JSON.stringify(this.values));
    this.apply();
  }

  apply() {
    const { size, brightness, contrast, sharpness } = this.values;
    const { style } = document.documentElement;
    const place = this.page.gallery.holdPlace();
    style.setProperty("--tile", `${size}px`);
    place();
    style.setProperty("--picture-brightness", brightness / 100);
    style.setProperty("--picture-contrast", contrast / 100);
    // The centre less what the four neighbours take: brightness stays the same.
    const side = -sharpness / 200;
    this.kernel.setAttribute("kernelMatrix", `0 ${side} 0 ${side} ${1 - 4 * side} ${side} 0 ${side} 0`);
    document.documentElement.toggleAttribute("data-adjusted", this.isAdjusted);
    document.documentElement.toggleAttribute("data-sharpened", sharpness > 0);
    for (const input of this.inputs) this.show(input);
    for (const note of this.page.root.querySelectorAll("[data-hook=adjusted]")) note.hidden = !this.isAdjusted;
  }

  show(input) {
    const value = this.values[input.dataset.look];
    const words = input.dataset.look === "size" ? `${value} px` : `${value} %`;
    input.value = value;
    input.setAttribute("aria-valuetext", words);
    const output = this.page.root.querySelector(`output[for="${input.id}"]`);
    if (output) output.textContent = words;
  }
}

/** What was set last, as far as it is understood. */
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(SETTING));
    return Object.fromEntries(Object.entries(kept || {}).filter(([name, value]) => name in PLAIN && Number.isFinite(value)));
  } catch {
    return {};
  }
}
