/** A button on each password field that shows what was typed, until it is sent. */

function say(field, button) {
  const isShown = field.type === "text";
  button.querySelector("i").className = isShown ? "bi bi-eye-slash" : "bi bi-eye";
  button.querySelector("span").textContent = isShown ? "Hide what is typed" : "Show what is typed";
  button.title = isShown ? "Hide" : "Show";
}

function offer(field) {
  const frame = document.createElement("div");
  frame.className = "shown-password";
  frame.classList.toggle("is-invalid", field.classList.contains("is-invalid"));
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-controls", field.id);
  const words = document.createElement("span");
  words.className = "visually-hidden";
  button.append(document.createElement("i"), words);
  button.firstChild.setAttribute("aria-hidden", "true");
  field.replaceWith(frame);
  frame.append(field, button);
  say(field, button);
  button.addEventListener("click", () => {
    field.type = field.type === "text" ? "password" : "text";
    say(field, button);
  });
  // Browsers keep what was sent in plain fields, to propose it again.
  field.form?.addEventListener("submit", () => {
    field.type = "password";
    say(field, button);
  });
}

for (const field of document.querySelectorAll('input[type="password"]')) {
  const hadFocus = field === document.activeElement;
  offer(field);
  if (hadFocus) field.focus();
}
