"""What benchmarks run inside the browser: scripts that take times while a page loads and moves."""

from __future__ import annotations

import shutil

CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

MEASURE = """
window.figures = { shift: 0 };
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.figures.shift += one.value;
}).observe({ type: "layout-shift", buffered: true });
const onScreen = () => [...document.querySelectorAll(".cell img")].filter((image) => {
  const place = image.closest("li").getBoundingClientRect();
  return place.height && place.top < innerHeight && place.bottom > 0;
});
const isThere = (image) => image.complete && image.naturalWidth > 0;
const look = () => {
  const { figures } = window;
  const images = onScreen();
  const now = performance.now();
  if (!figures.first && images.some(isThere)) figures.first = now;
  const isWhole = document.readyState !== "loading" && images.length && images.every(isThere);
  if (!figures.pictures && isWhole) figures.pictures = now;
  if (!figures.ready && document.querySelector(".cell[role=option]")) figures.ready = now;
  if (!figures.pictures || !figures.ready) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Times in milliseconds since the page was asked for, taken at the next frame."""

FIRST_PICTURES = """
() => performance.getEntriesByType("resource")
  .filter((one) => one.initiatorType === "img" && one.startTime < window.figures.pictures)
  .reduce((sum, one) => sum + one.encodedBodySize, 0)
"""
"""Bytes of the pictures that were asked for until those on the first screen were there."""

SCROLL = """
() => new Promise((resolve) => {
  const frames = [];
  let last = performance.now();
  const step = (now) => {
    frames.push(now - last);
    last = now;
    const end = document.documentElement.scrollHeight - innerHeight;
    if (scrollY >= end - 1) {
      const sorted = frames.slice(1).sort((one, other) => one - other);
      const slow = sorted.filter((frame) => frame > 51).length / sorted.length;
      resolve({ longest: sorted.at(-1), median: sorted[sorted.length >> 1], slow: 100 * slow });
      return;
    }
    scrollTo({ top: scrollY + 120, behavior: "instant" });
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""
"""Scrolls 120 pixels a frame, as fast as a wheel turns, to the end of the page."""


def find_chromium() -> str:
    """The system's Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("Install the system's package chromium.")
    return path
