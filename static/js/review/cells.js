/** The cells as the server stores them, and the queue of steps on their way to it. */

const WAITS_MS = [400, 1000, 2500, 5000];
const OVERWRITING = ["correct", "remove", "repeat", "reshape", "undo", "redo"];

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
    this.byId = new Map(data.cells.map((cell) => [cell.id, { ...data.usual, ...cell, ...saidByTile(cell.id) }]));
    this.forReview = new Set(this.byId.keys());
    this.places = new Map([...this.byId.keys()].map((id, place) => [id, place]));
    this.fields = data.fields;
    this.loaded = new Map();
    this.classes = data.classes;
    this.urls = data.urls;
    this.caseId = data.case;
    this.latest = data.latest;
    this.stage = data.stage;
    this.inLibrary = new Set(data.inLibrary);
    this.placeholder = data.placeholder;
    this.isEditable = data.editable;
    this.labels = new Map(data.classes.map((item) => [item.type, item.label]));
    this.shortNames = new Map(data.classes.map((item) => [item.type, item.short]));
    this.queue = Promise.resolve();
    this.waiting = 0;
  }

  get(id) {
    return this.byId.get(id);
  }

  /** In which order cells were uploaded; what is added comes last. */
  placeOf(id) {
    if (!this.places.has(id)) this.places.set(id, this.places.size);
    return this.places.get(id);
  }

  /** Where the machine's probability of a class stands among a cell's `chances`. */
  placeOfClass(type) {
    return this.classes.findIndex((item) => item.type === type);
  }

  /** Keep what a step has changed; whatever a human has touched is to be reviewed. */
  store(states) {
    for (const state of states) {
      this.byId.set(state.id, state);
      this.forReview.add(state.id);
      this.loaded.get(state.image)?.add(state.id);
    }
  }

  /** The gallery holds white cells and what a human touched; red cells and platelets are only drawn. */
  isForReview(id) {
    return this.forReview.has(id);
  }

  /** Fetch all cells of a field, once. */
  async loadField(image) {
    if (this.loaded.has(image)) return;
    const response = await fetch(this.urls.field.replace(this.placeholder, image));
    if (response.redirected) location.reload();
    if (!response.ok) throw new Refusal(response.status, await words(response));
    const { cells } = await response.json();
    for (const cell of cells) if (!this.byId.has(cell.id)) this.byId.set(cell.id, cell);
    this.loaded.set(image, new Set(cells.map((cell) => cell.id)));
  }

  /** The cells of a field that was fetched, line by line. */
  ofField(image) {
    const cells = [...this.loaded.get(image)].map((id) => this.byId.get(id));
    return cells.sort((one, other) => one.box[1] - other.box[1] || one.box[0] - other.box[0]);
  }

  get unresolved() {
    let left = 0;
    for (const cell of this.byId.values()) if (cell.group === "unresolved") left += 1;
    return left;
  }

  imageOf(cell) {
    return this.urls.image.replace(this.placeholder, cell.image);
  }

  /** The cell large, without the rest of its field: what `surroundings` of the server cuts. */
  pictureOf(cell) {
    const [width, height] = cell.size;
    if (!cell.inField) return { href: this.imageOf(cell), x: 0, y: 0, width, height };
    const [x0, y0, x1, y1] = cell.box;
    const side = Math.floor((5 * Math.max(x1 - x0, y1 - y0)) / 2);
    const [left, top] = [Math.floor((x0 + x1 - side) / 2), Math.floor((y0 + y1 - side) / 2)];
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    const href = `${this.urls.picture.replace(this.placeholder, cell.id)}?box=${cell.box.join("-")}`;
    return { href, x, y, width: Math.min(width, left + side) - x, height: Math.min(height, top + side) - y };
  }

  /** The small picture of a cell; another one for another box. */
  thumbnailOf(cell) {
    return `${this.urls.thumbnail.replace(this.placeholder, cell.id)}?box=${cell.box.join("-")}`;
  }

  /**
   * Send a step after those before it. Its id stays the same over repetitions, so that a lost
   * answer does no harm; a body that depends on the steps before it is a function. Resolves to the
   * answer; rejects with a Refusal.
   */
  step(kind, body) {
    const wish = () => (typeof body === "function" ? body() : body);
    return this.post(this.urls[kind], () => this.withSeen(kind, wish()), (answer) => {
      this.store([...answer.cells, ...(answer.left_out || [])]);
      return answer;
    });
  }

  /** Say what this page knows of the cells that a step would change; taking back may change any. */
  withSeen(kind, wish) {
    if (!OVERWRITING.includes(kind)) return wish;
    const ids = wish.cell_ids || (wish.cell_id ? [wish.cell_id] : this.byId.keys());
    const known = [...ids].map((id) => [id, this.byId.get(id)?.revision || 0]);
    return { ...wish, seen: Object.fromEntries(known.filter(([, revision]) => revision)) };
  }

  /** Send any step of the review in its turn; resolves to what `keep` makes of the answer. */
  post(url, body, keep) {
    const action = { action_id: newId() };
    const payload = () => ({ ...action, ...(typeof body === "function" ? body() : body) });
    this.waiting += 1;
    const sent = this.queue.then(() => send(url, "POST", payload())).then(keep);
    this.queue = sent.catch(() => {});
    return sent.finally(() => {
      this.waiting -= 1;
    });
  }
}

/** What the tile says isn't sent a second time with the data. */
function saidByTile(id) {
  const tile = document.getElementById(`cell-${id}`);
  return {
    group: tile.closest("[data-group]").dataset.group,
    state: tile.dataset.state,
    tag: tile.querySelector("[data-hook=tag]").textContent,
    description: tile.getAttribute("aria-label"),
  };
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
export function newId() {
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
