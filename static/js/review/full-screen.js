/** The workstation over the whole screen, or over the whole window where a browser allows no more. */

export class FullScreen {
  constructor(root, findButton) {
    this.root = root;
    this.findButton = findButton;
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement) this.set(false);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.fullscreenElement && !event.defaultPrevented) this.set(false);
    });
  }

  toggle() {
    const isOn = !this.root.hasAttribute("data-full");
    this.set(isOn);
    if (isOn) this.root.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  }

  set(isOn) {
    this.root.toggleAttribute("data-full", isOn);
    if (isOn) scrollTo(0, 0);
    const button = this.findButton();
    if (!button) return;
    button.setAttribute("aria-pressed", String(isOn));
    button.querySelector(".bi").className = `bi bi-fullscreen${isOn ? "-exit" : ""}`;
  }
}
