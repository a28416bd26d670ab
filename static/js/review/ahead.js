/**
 * Fetches the pictures that are still off the screen, a few at a time, in the order of the gallery,
 * so that they are there when the reviewer comes to them. Without it they are fetched on the way.
 */

const AT_ONCE = 8;

export async function fetchAhead(pictures) {
  if (navigator.connection?.saveData) return;
  const waiting = pictures.filter((picture) => picture.loading === "lazy");
  while (waiting.length) {
    await isQuiet();
    const some = waiting.splice(0, AT_ONCE);
    for (const picture of some) picture.loading = "eager";
    await Promise.all(some.map(isSettled));
  }
}

/** Fetch a large picture that is likely to be wanted next; the browser keeps it. */
export function fetchSoon(address) {
  if (navigator.connection?.saveData) return;
  new Image().src = address;
}

/** Nothing is fetched ahead while the page is hidden or the browser is busy. */
async function isQuiet() {
  while (document.hidden) await happens(document, "visibilitychange");
  await new Promise((resolve) => {
    if (window.requestIdleCallback) requestIdleCallback(resolve);
    else setTimeout(resolve, 50);
  });
}

function isSettled(picture) {
  return picture.complete ? null : Promise.race([happens(picture, "load"), happens(picture, "error")]);
}

function happens(target, kind) {
  return new Promise((resolve) => target.addEventListener(kind, resolve, { once: true }));
}
