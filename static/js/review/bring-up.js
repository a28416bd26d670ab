/** On a narrow page what was asked for may open below the fold: bring it up under the stage. */

const LOW = 0.6; // of the window's height

export function bringUp(element) {
  const stage = document.getElementById("stage");
  const { top } = element.getBoundingClientRect();
  const isAbove = stage && stage.getBoundingClientRect().width >= document.documentElement.clientWidth - 1;
  if (!isAbove || top < LOW * innerHeight) return;
  const covered = Number.parseFloat(getComputedStyle(stage).top) + stage.offsetHeight;
  scrollBy({ top: top - covered - 8, behavior: "instant" });
}
