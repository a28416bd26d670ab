/** Sends whole slides in parts; what broke off goes on where it was, also after a reload. */

const SUFFIXES = [".svs", ".ndpi"];
const HEAD_BYTES = 4096;
const WHOLE_SLIDE = /1\.2\.840\.10008\.5\.1\.4\.1\.1\.77\.1\.6(?![.\d])/;
const MOST_TRIES = 5; // for one part, in a row
const FIRST_PAUSE_MS = 1000;

const hasSuffix = (file, ...suffixes) => suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix));
export const isTiff = (file) => hasSuffix(file, ".tif", ".tiff");
const isDicom = (file) => hasSuffix(file, ".dcm");

/** Whether a DICOM file is of a whole slide; its class stands at its beginning (PS3.10). */
async function isOfSlide(file) {
  const head = await file.slice(0, HEAD_BYTES).text();
  return WHOLE_SLIDE.test(head);
}

/** Part files into pictures and slides; a slide is a list of files, one but for a DICOM series. */
export async function partFiles(files, pictureLimit) {
  const isSlide = (file) => hasSuffix(file, ...SUFFIXES) || (isTiff(file) && file.size > pictureLimit);
  const ofSlide = await Promise.all(files.map((file) => isDicom(file) && (file.size > pictureLimit || isOfSlide(file))));
  const series = files.filter((_, place) => ofSlide[place]);
  return {
    pictures: files.filter((file, place) => !ofSlide[place] && !isSlide(file)),
    slides: [...files.filter(isSlide).map((file) => [file]), ...(series.length ? [series] : [])],
  };
}

/** Send the files of a slide; the answer is that of the last request: 201 once all has arrived. */
export async function sendSlide(files, { url, token, onProgress }) {
  const offered = files.map(({ name, size, lastModified }) => ({ name, size, modified: lastModified }));
  const offer = await request("POST", url, JSON.stringify({ files: offered }), { token, type: "application/json" });
  if (offer.status !== 201) return offer;
  const wanted = offer.response.files;
  const total = wanted.reduce((sum, file) => sum + file.size, 0);
  let before = 0;
  for (const file of wanted) {
    const source = files.find((one) => one.name === file.name && one.size === file.size && one.lastModified === file.modified);
    const answer = await sendFile(source, file, offer.response.part_bytes, token, (bytes) => onProgress(before + bytes, total));
    if (answer) return answer;
    before += file.size;
  }
  return { status: 201 };
}

/** Send what is missing of a file; returns the answer that ended it early, if one did. */
async function sendFile(source, { url, size, received }, partBytes, token, onProgress) {
  let offset = received;
  let tries = 0;
  while (offset < size) {
    const part = source.slice(offset, offset + partBytes);
    const start = offset;
    const answer = await request("PUT", `${url}?offset=${offset}`, part, {
      token,
      type: "application/octet-stream",
      onProgress: (bytes) => onProgress(start + bytes),
    });
    if (answer.status === 200) {
      [offset, tries] = [answer.response.received, 0];
      document.dispatchEvent(new CustomEvent("server-contact"));
    } else if (answer.status === 409 && answer.response?.code === "offset") offset = answer.response.expected;
    else if (!isPassing(answer.status) || tries >= MOST_TRIES) return answer;
    else await pause(FIRST_PAUSE_MS * 2 ** tries++);
    onProgress(offset);
  }
  return null;
}

/** A lost connection, or a server that is being restarted. */
function isPassing(status) {
  return status === 0 || [502, 503, 504].includes(status);
}

function pause(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}

function request(method, url, body, { token, type, onProgress }) {
  return new Promise((resolve) => {
    const call = new XMLHttpRequest();
    call.open(method, url);
    call.setRequestHeader("X-CSRFToken", token);
    call.setRequestHeader("Accept", "application/json");
    call.setRequestHeader("Content-Type", type);
    call.responseType = "json";
    if (onProgress) call.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    call.addEventListener("loadend", () => resolve({ status: call.status, response: call.response }));
    call.send(body);
  });
}
