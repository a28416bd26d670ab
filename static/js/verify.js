/**
 * Compares a PDF with the issued one without sending it: its SHA-256 is taken in the browser.
 *
 * Where the browser can't (no secure context), the form sends the file and the server compares.
 */

const form = document.querySelector(".verification-file");
const input = form.querySelector("input[type=file]");
const answer = document.querySelector(".verification-answer");
const drop = form.querySelector(".verification-drop");

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns the number of the version with this hash, "" if there is none. */
function versionOf(sha256) {
  if (sha256 === form.dataset.sha256) return form.dataset.version;
  const found = Object.entries(form.dataset).find(
    ([name, value]) => /^version-?\d+$/i.test(name) && value === sha256,
  );
  return found ? found[0].replace(/\D/g, "") : "";
}

function say(tone, icon, title, text) {
  const line = document.createElement("p");
  const sign = document.createElement("i");
  const strong = document.createElement("strong");
  line.className = tone;
  sign.className = `bi ${icon}`;
  sign.setAttribute("aria-hidden", "true");
  strong.textContent = title;
  line.append(sign, " ", strong, ` ${text}`);
  answer.replaceChildren(line);
}

async function compare(file) {
  const sha256 = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const version = versionOf(sha256);
  if (version === form.dataset.version) {
    say("is-same", "bi-check-circle", "The same.", `${file.name} is this version, byte for byte.`);
  } else if (version) {
    say(
      "is-other",
      "bi-exclamation-triangle",
      "Another version.",
      `${file.name} is version ${version} of this report, byte for byte.`,
    );
  } else {
    say(
      "is-other",
      "bi-x-octagon",
      "Not the same.",
      `${file.name} is no version of this report, or was changed.`,
    );
  }
}

function stopAt(event) {
  event.preventDefault();
  drop.classList.toggle("is-over", event.type === "dragover");
}

/** Puts dropped files into the field, as if they had been chosen there. */
function take(files) {
  input.files = files;
  input.dispatchEvent(new Event("change"));
}

form.classList.add("is-scripted");
input.addEventListener("change", () => {
  if (input.files[0]) form.querySelector("[data-chosen]").textContent = input.files[0].name;
});

if (globalThis.crypto?.subtle) {
  form.querySelector("[data-where]").textContent =
    "The file is compared byte for byte in your browser and not sent.";
  form.querySelector("button").hidden = true;
  input.addEventListener("change", () => input.files[0] && compare(input.files[0]));
  for (const name of ["dragover", "dragleave"]) drop.addEventListener(name, stopAt);
  drop.addEventListener("drop", (event) => {
    stopAt(event);
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files);
  });
}
