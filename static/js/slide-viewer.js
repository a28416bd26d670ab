/** A whole slide in OpenSeadragon, tile by tile, with the outlines of fields over it. */

import { keepPolicy } from "./openseadragon-policy.js";

const ZOOM_STEP = 1.6;
const CLOSE_UP = 2.5; // the view is so many times as wide as the field that it is centred on
const LEAST_LEVEL = 8; // coarser tiles are smaller than one tile of it
const BAR_WIDTH = 130; // pixels of the screen, at most
const ALLOWED_KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "+", "=", "-", "_", "0"];

export class SlideViewer {
  /** `onMove` is called whenever the slide lies elsewhere, `onOpen` once it is shown. */
  constructor(element, slide, { onMove, onOpen }) {
    keepPolicy();
    this.slide = slide;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.viewer = new window.OpenSeadragon.Viewer({
      element,
      drawer: "canvas",
      tileSources: tilesOf(slide),
      showNavigationControl: false,
      showNavigator: true,
      navigatorPosition: "TOP_RIGHT",
      navigatorSizeRatio: 0.17,
      navigatorAutoFade: false,
      animationTime: isCalm ? 0 : 0.4,
      maxZoomPixelRatio: 4,
      visibilityRatio: 0.6,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsPen: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: false },
    });
    this.viewer.canvas.setAttribute("role", "application");
    this.viewer.canvas.setAttribute("aria-label", "Slide: arrow keys move, plus and minus zoom, 0 shows all of it");
    this.viewer.addHandler("canvas-key", (event) => {
      if (!ALLOWED_KEYS.includes(event.originalEvent.key)) event.preventDefaultAction = true;
    });
    for (const name of ["update-viewport", "resize"]) this.viewer.addHandler(name, () => this.image && onMove());
    this.viewer.addHandler("open", () => { onOpen(); onMove(); });
  }

  get image() {
    return this.viewer.world.getItemAt(0);
  }

  toScreen([x, y]) {
    const point = this.image.imageToViewerElementCoordinates(new window.OpenSeadragon.Point(x, y));
    return [point.x, point.y];
  }

  toSlide([x, y]) {
    const point = this.image.viewerElementToImageCoordinates(new window.OpenSeadragon.Point(x, y));
    return [point.x, point.y];
  }

  /** The middle of what is seen, in pixels of the slide. */
  get middle() {
    const { x, y } = this.viewer.viewport.getContainerSize();
    return this.toSlide([x / 2, y / 2]);
  }

  zoom(direction) {
    this.viewer.viewport.zoomBy(ZOOM_STEP ** direction).applyConstraints();
  }

  fit() {
    this.viewer.viewport.goHome();
  }

  /** One pixel of the slide for each of the screen. */
  showFullDetail() {
    this.viewer.viewport.zoomTo(this.image.imageToViewportZoom(1)).applyConstraints();
  }

  /** Bring a box to the middle, close up. */
  centre([x0, y0, x1, y1]) {
    const { viewport } = this.viewer;
    const { x: width, y: height } = viewport.getContainerSize();
    const wanted = Math.min(width / (x1 - x0), height / (y1 - y0)) / CLOSE_UP;
    viewport.zoomTo(this.image.imageToViewportZoom(wanted));
    viewport.panTo(this.image.imageToViewportCoordinates((x0 + x1) / 2, (y0 + y1) / 2)).applyConstraints();
  }

  /** Outline the fields, each a link to its picture. */
  showBoxes(fields) {
    if (!this.image) return;
    this.viewer.clearOverlays();
    for (const { box: [x0, y0, x1, y1], number, url } of fields) {
      const location = this.image.imageToViewportRectangle(x0, y0, x1 - x0, y1 - y0);
      this.viewer.addOverlay({ element: linkTo(url, number), location });
    }
  }

  /** Set a bar to a round number of micrometres, if the slide tells its scale. */
  showScale(bar) {
    if (!bar) return;
    const pixels = this.toScreen([1, 0])[0] - this.toScreen([0, 0])[0];
    const most = (BAR_WIDTH / pixels) * this.slide.microns_per_pixel;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].find((step) => step * power <= most) * power;
    bar.hidden = false;
    bar.style.width = `${(length / this.slide.microns_per_pixel) * pixels}px`;
    bar.textContent = length >= 1000 ? `${length / 1000} mm` : `${length} µm`;
  }
}

function tilesOf({ width, height, tile_size, overlap, tiles }) {
  return {
    width,
    height,
    tileSize: tile_size,
    tileOverlap: overlap,
    minLevel: LEAST_LEVEL,
    getTileUrl: (level, column, row) => `${tiles}${level}/${column}_${row}.jpeg`,
  };
}

/** OpenSeadragon keeps clicks from what lies on its canvas, so it has to be told of them. */
function linkTo(url, number) {
  const link = document.createElement("a");
  Object.assign(link, { href: url, target: "_blank", rel: "noopener", className: "slide-box", textContent: number });
  link.setAttribute("aria-label", `Field ${number}`);
  new window.OpenSeadragon.MouseTracker({
    element: link,
    clickHandler: (event) => { if (event.quick) window.open(url, "_blank", "noopener"); },
  });
  link.addEventListener("click", (event) => { if (event.detail) event.preventDefault(); });
  return link;
}
