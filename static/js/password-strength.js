/** Says how hard a new password is to guess, while it is typed. Nothing leaves the page. */

const SAYS = ["Guessed at once", "Easily guessed", "Could be guessed", "Hard to guess", "Very hard to guess"];
const WAIT_MS = 150;
const LONGEST = 128;

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
}

/** The dictionaries are large: they come once somebody goes into the field. Without, no meter. */
async function estimator() {
  const addresses = document.querySelector("#password-strength").dataset;
  await Promise.all([addresses.core, addresses.common, addresses.english].map(load));
  const { core, "language-common": common, "language-en": english } = window.zxcvbnts;
  return new core.ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    translations: english.translations,
  });
}

function draw(field) {
  const frame = document.createElement("div");
  frame.className = "password-strength";
  frame.hidden = true;
  const meter = document.createElement("meter");
  Object.assign(meter, { min: 0, max: 4, low: 2, high: 3, optimum: 4 });
  meter.setAttribute("aria-label", "How hard the password is to guess");
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  frame.append(meter, words);
  (field.closest(".shown-password") ?? field).after(frame);
  return { frame, meter, words };
}

function say({ frame, meter, words }, { score, feedback }) {
  frame.hidden = false;
  meter.value = score;
  const advice = [feedback.warning, ...(feedback.suggestions ?? [])].filter(Boolean);
  words.textContent = [`${SAYS[score]}.`, ...(score < 3 ? advice.slice(0, 2) : [])].join(" ");
}

function follow(field) {
  const shown = draw(field);
  let loading;
  let timer;
  const ready = () => (loading ??= estimator().catch(() => null));
  const judge = async () => {
    const judged = await ready();
    if (!judged || !field.value) shown.frame.hidden = true;
    else say(shown, judged.check(field.value.slice(0, LONGEST), ["hematovision"]));
  };
  field.addEventListener("focus", ready);
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(judge, WAIT_MS);
  });
}

const field = document.querySelector('input[autocomplete="new-password"]');
if (field) follow(field);
