/** One picture to zoom and pan (OpenSeadragon), with a layer of SVG over it. */

import { keepPolicy } from "../openseadragon-policy.js";

const SVG = "http://www.w3.org/2000/svg";
const ZOOM_STEP = 1.4;
const CLOSE_UP = 4; // the view is so many times as wide as the cell that it is centred on
const PAN_STEP = 80;

/** The arrow keys, as steps right and down. */
export const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Make an SVG element with attributes. */
export function draw(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export class FieldViewer {
  /** `onMove` is called whenever the picture lies elsewhere, `onClick` with a place and its event. */
  constructor(element, { onMove, onClick }) {
    keepPolicy();
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.viewer = new window.OpenSeadragon.Viewer({
      element,
      drawer: "canvas",
      tabIndex: -1,
      keyboardNavEnabled: false,
      showNavigationControl: false,
      clickTimeThreshold: 700,
      animationTime: isCalm ? 0 : 0.35,
      maxZoomPixelRatio: 6,
      visibilityRatio: 1,
      gestureSettingsMouse: { clickToZoom: false },
      gestureSettingsPen: { clickToZoom: false },
      gestureSettingsTouch: { pinchRotate: false },
    });
    this.layer = draw("svg", { class: "field-layer" }, this.viewer.canvas);
    for (const name of ["update-viewport", "resize", "open"]) this.viewer.addHandler(name, () => this.image && onMove());
    this.viewer.addHandler("canvas-click", (event) => {
      if (event.quick && this.image) onClick([event.position.x, event.position.y], event.originalEvent);
    });
  }

  get image() {
    return this.viewer.world.getItemAt(0);
  }

  /** Resolves once the picture is shown; rejects if it can't be. */
  open(url) {
    return new Promise((resolve, reject) => {
      this.viewer.addOnceHandler("open", resolve);
      this.viewer.addOnceHandler("open-failed", reject);
      this.viewer.open({ type: "image", url });
    });
  }

  /** Pixels of the screen for each pixel of the picture. */
  get scale() {
    return this.toScreen([1, 0])[0] - this.toScreen([0, 0])[0];
  }

  get size() {
    const { x, y } = this.viewer.viewport.getContainerSize();
    return [x, y];
  }

  toScreen([x, y]) {
    const point = this.image.imageToViewerElementCoordinates(new window.OpenSeadragon.Point(x, y));
    return [point.x, point.y];
  }

  toImage([x, y]) {
    const point = this.image.viewerElementToImageCoordinates(new window.OpenSeadragon.Point(x, y));
    return [point.x, point.y];
  }

  /** Where on the picture a pointer is. */
  pointOf(event) {
    const frame = this.layer.getBoundingClientRect();
    return this.toImage([event.clientX - frame.left, event.clientY - frame.top]);
  }

  /** The middle of what is seen, in pixels of the picture. */
  get middle() {
    const [width, height] = this.size;
    return this.toImage([width / 2, height / 2]);
  }

  zoom(direction) {
    this.viewer.viewport.zoomBy(ZOOM_STEP ** direction).applyConstraints();
  }

  fit() {
    this.viewer.viewport.goHome();
  }

  pan(x, y) {
    const step = new window.OpenSeadragon.Point(x * PAN_STEP, y * PAN_STEP);
    const { viewport } = this.viewer;
    viewport.panBy(viewport.deltaPointsFromPixels(step)).applyConstraints();
  }

  /** Bring a box to the middle, close up; `isNear` leaves the zoom as it is and only pans if need be. */
  centre([x0, y0, x1, y1], { isNear = false } = {}) {
    const { viewport } = this.viewer;
    if (isNear && this.sees([x0, y0, x1, y1])) return;
    const middle = this.image.imageToViewportCoordinates((x0 + x1) / 2, (y0 + y1) / 2);
    const [width, height] = this.size;
    const wanted = Math.min(width / (x1 - x0), height / (y1 - y0)) / CLOSE_UP;
    if (!isNear) viewport.zoomTo(Math.max(viewport.getHomeZoom(), viewport.imageToViewportZoom(wanted)));
    viewport.panTo(middle).applyConstraints();
  }

  sees([x0, y0, x1, y1]) {
    const [left, top] = this.toScreen([x0, y0]);
    const [right, bottom] = this.toScreen([x1, y1]);
    const [width, height] = this.size;
    return left >= 0 && top >= 0 && right <= width && bottom <= height;
  }
}
