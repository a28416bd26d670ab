/**
 * Security keys and passkeys: setting one up, signing in with one, confirming identity with one.
 *
 * A form or a part of one carries the server's options in `data-key-options` (or the address that
 * gives them in `data-key-fetch`); what the key signs goes into its field `data-key-credential`.
 * With `data-key-sends` the form is sent as soon as the key has answered.
 */

const REFUSALS = {
  NotAllowedError: "The key was not used: it was cancelled, or took too long. Try again.",
  InvalidStateError: "This key is set up for your account already.",
  SecurityError: "Keys work only at the site's own name over HTTPS, not at an IP address.",
  NotSupportedError: "This key cannot be used here.",
};

function bytes(text) {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function text(buffer) {
  const characters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
  return btoa(characters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function withBytes(descriptors = []) {
  return descriptors.map((one) => ({ ...one, id: bytes(one.id) }));
}

/** Has a new key made; `isPasskey` keys know who holds them and check it themselves. */
async function create({ publicKey }, isPasskey) {
  const selection = { ...publicKey.authenticatorSelection };
  selection.residentKey = isPasskey ? "required" : "discouraged";
  selection.requireResidentKey = isPasskey;
  if (isPasskey) selection.userVerification = "required";
  const made = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
      authenticatorSelection: selection,
    },
  });
  return described(made, {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  });
}

/** Has a key sign the server's challenge. */
async function get({ publicKey }) {
  const given = await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: withBytes(publicKey.allowCredentials),
    },
  });
  const { response } = given;
  return described(given, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle ? text(response.userHandle) : null,
  });
}

function described(credential, response) {
  return {
    type: credential.type,
    id: credential.id,
    rawId: text(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

async function optionsOf(place) {
  if (!place.dataset.keyFetch) return JSON.parse(place.dataset.keyOptions);
  const headers = { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" };
  const answer = await fetch(place.dataset.keyFetch, { headers });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).request_options;
}

async function use(place, button, said) {
  const form = place.closest("form");
  const isNew = place.dataset.keyNew !== undefined;
  button.disabled = true;
  said.textContent = "Touch your key, or follow what your browser asks.";
  try {
    const options = await optionsOf(place);
    const passkey = form.elements.passwordless?.checked ?? false;
    const credential = await (isNew ? create(options, passkey) : get(options));
    place.querySelector("[data-key-credential]").value = JSON.stringify(credential);
    said.textContent = "Your key has answered.";
    if (place.dataset.keySends !== undefined) form.submit();
  } catch (error) {
    said.textContent = REFUSALS[error.name] ?? "The key could not be used. Please try again.";
    button.disabled = false;
  }
}

for (const place of document.querySelectorAll("[data-key-options], [data-key-fetch]")) {
  const button = place.querySelector("[data-key-button]");
  const said = place.querySelector("[data-key-said]");
  place.hidden = false;
  if (globalThis.PublicKeyCredential) {
    button.addEventListener("click", () => use(place, button, said));
  } else {
    button.disabled = true;
    said.textContent = "This browser offers no security keys here: it needs HTTPS.";
  }
}
