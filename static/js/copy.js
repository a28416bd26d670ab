/** A button that copies the text of the element named in `data-copy`, and says so. */

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const said = button.parentElement.querySelector("[data-copied]");
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    said.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(source);
    said.textContent = "Selected: copy it with your keyboard.";
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
