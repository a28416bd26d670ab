/** The cells as the server stores them, and the queue of steps on their way to it. */

const WAITS_MS = [400, 1000, 2500, 5000];

/** A refusal in the server's words. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail || "The server refused this.");
    this.status = status;
    this.body = body;
  }
}

export class Cells {
  constructor(data) {
    this.byId = new Map(data.cells.map((cell) => [cell.id, cell]));
    this.classes = data.classes;
    this.urls = data.urls;
    this.placeholder = data.placeholder;
    this.isEditable = data.editable;
    this.labels = new Map(data.classes.map((item) => [item.type, item.label]));
    this.queue = Promise.resolve();
    this.waiting = 0;
  }

  get(id) {
    return this.byId.get(id);
  }

  store(states) {
    for (const state of states) this.byId.set(state.id, state);
  }

  get unresolved() {
    let left = 0;
    for (const cell of this.byId.values()) if (cell.group === "unresolved") left += 1;
    return left;
  }

  imageOf(cell) {
    return this.urls.image.replace(this.placeholder, cell.image);
  }

  /**
   * Send a step after those before it. Its id stays the same over repetitions, so that a lost
   * answer does no harm. Resolves to the touched cells; rejects with a Refusal.
   */
  step(kind, body) {
    const payload = { action_id: newId(), ...body };
    this.waiting += 1;
    const sent = this.queue.then(() => send(this.urls[kind], "POST", payload));
    this.queue = sent.catch(() => {});
    return sent
      .then((answer) => {
        this.store(answer.cells);
        return answer.cells;
      })
      .finally(() => {
        this.waiting -= 1;
      });
  }
}

/** Send JSON; repeat while the network or the server fails, give up on a refusal. */
export async function send(url, method, payload, { keepalive = false } = {}) {
  for (let attempt = 0; ; attempt += 1) {
    const response = await tryOnce(url, method, payload, keepalive);
    if (response && response.redirected) location.reload();
    if (response && response.ok) return response.json();
    if (response && response.status < 500) throw new Refusal(response.status, await words(response));
    if (attempt === WAITS_MS.length) throw new Refusal(0, { detail: "The server can't be reached. Nothing was changed." });
    await new Promise((resolve) => setTimeout(resolve, WAITS_MS[attempt]));
  }
}

/** A random UUID; `crypto.randomUUID` is missing where the site is served without TLS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function tryOnce(url, method, payload, keepalive) {
  try {
    return await fetch(url, {
      method,
      keepalive,
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(payload),
    });
  } catch {
    return null;
  }
}

async function words(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value;
}
