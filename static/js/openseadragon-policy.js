/** What lets OpenSeadragon live under the site's content security policy. */

/**
 * OpenSeadragon writes a style element unless it finds its own; the content policy forbids one. An
 * element of that name and of no namespace is found, and styles nothing.
 */
export function keepPolicy() {
  if (document.querySelector("[data-openseadragon-mobile-css]")) return;
  const stand = document.createElementNS("", "style");
  stand.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(stand);
}
