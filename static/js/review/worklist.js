/** A scanner types into whatever has focus: when nothing has, it means the search box. */

document.addEventListener("keydown", (event) => {
  const isCharacter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!isCharacter || event.key === "/" || event.key === " " || document.activeElement !== document.body) return;
  const box = [...document.querySelectorAll("input[type=search][name=q]")].find((input) => input.offsetParent !== null);
  if (!box) return;
  box.value = "";
  box.focus();
});
