// A file with URLs: short lists go into the form, longer ones and other formats to the service's storage.

const READ_INTO_FORM = 1_000_000; // bytes: what a text field still handles well
const SAFE_NAME = /[^A-Za-z0-9._-]+/g;

const isPlainList = (text) => !text.includes("\u0000") && linesOf(text).every((line) => /^https?:\/\/\S+$/i.test(line));

const HEAD_BYTES = 8_192; // more than the first line of a CSV of pairs has
const UTF16 = { "255,254": "utf-16le", "254,255": "utf-16be" };

// Returns the first characters of a file, unpacked if it is gzip; empty where it cannot be unpacked.
async function headOf(file) {
  let head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    head = (await reader.read().catch(() => ({}))).value?.slice(0, HEAD_BYTES) ?? new Uint8Array();
    reader.cancel().catch(() => null);
  }
  return new TextDecoder(UTF16[String(head.slice(0, 2))] || "utf-8").decode(head);
}

// Returns whether a file begins as a CSV of pairs of URL and POP does: with its line of traffic, or with both columns.
function isTargets(head) {
  const line = linesOf(head)[0] || "";
  const columns = line.split(",").map((name) => name.trim().replace(/^"(.*)"$/, "$1").toLowerCase());
  return columns[0] === "#traffic" || ["url", "pop"].every((name) => columns.includes(name));
}

// Returns the SHA-256 of a file in hexadecimal, so that the same file has the same address; null where browsers do not
// compute it (a page by http: from another machine).
async function digestOf(file) {
  if (!crypto.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Returns a name that the service accepts, with the file's own ending, which decides on the format.
function uploadName(name) {
  const safe = name.normalize("NFKD").replace(/\p{M}/gu, "").replace(SAFE_NAME, "-").replace(/^[^A-Za-z0-9]+/, "").slice(-100).replace(/^[^A-Za-z0-9]+/, "");
  return safe || "urls.txt";
}

// Sends a form with a file, and returns the status of the response. `progress` is called with the percentage sent.
// XMLHttpRequest, since fetch does not report what has been sent.
function sendForm({ url, fields }, file, progress, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file); // the last field: S3 ignores what follows it
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(Math.floor((100 * loaded) / (total || 1))));
    request.addEventListener("loadend", () => resolve(request.status));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.open("POST", url);
    request.send(form);
  });
}

function uploadFailure(status) {
  if (status === 0) return "the connection broke; choose the file again";
  if (status === 400 || status === 403) return `the storage refused it (${status}): the file has changed, or the 15 minutes for the upload are over; choose it again`;
  return `the storage returned ${status}; choose the file again in a minute`;
}

// Stores a list; returns {name, address, size}, or throws an ApiError.
async function storeList(file, name, progress, signal) {
  const sha256 = await digestOf(file);
  const form = await call("POST", "/uploads", { body: { name: uploadName(name), ...(sha256 ? { sha256 } : {}) }, signal });
  const status = await sendForm(form, file, progress, signal);
  if (status < 200 || status >= 300) throw new ApiError(status, "UploadFailed", `${name} was not uploaded: ${uploadFailure(status)}`, []);
  return { name, address: form.address, size: file.size };
}

// Makes the form accept files, by a button or dropped onto it. Returns a promise for each upload in progress by
// `pending()`; `changed` is called after every change.
function fileField(form, signal, changed) {
  const field = $("[data-field=url_list]", form);
  const [input, chosen, text, bar] = [$("[data-file]", field), $("[data-file-chosen]", field), $("[data-file-text]", field), $("progress", field)];
  let uploading = null;

  function show(message = "", sent = null) {
    const { file } = draft;
    setText(text, message || (file ? `${file.name}${file.size === null ? " (the file of the earlier run)" : `, ${bytes(file.size)}, is ready`}${file.targets ? ": pairs of URL and POP, which need no locations" : ""}` : ""));
    chosen.hidden = !text.textContent;
    bar.hidden = sent === null;
    if (sent !== null) bar.value = sent;
  }

  function problem(message) {
    setText($("[data-error]", field), message);
    announce(message);
  }

  async function take(file) {
    uploading?.abort();
    problem("");
    if (file.size === 0) return problem(`${file.name} is empty. Choose a file with at least one URL.`);
    if (file.size > MAX_LIST_BYTES) return problem(`${file.name} has ${bytes(file.size)}; a list may have ${bytes(MAX_LIST_BYTES)}. Split it, or compress it with gzip.`);
    const content = file.size <= READ_INTO_FORM ? await file.text() : "";
    if (content && isPlainList(content)) return fill(file, content);
    const own = (uploading = new AbortController());
    const both = AbortSignal.any([signal, own.signal]);
    draft.file = null;
    changed();
    show(`Reading ${file.name}`, 0);
    try {
      const targets = isTargets(await headOf(file));
      const stored = await storeList(file, file.name, (sent) => show(`Uploading ${file.name}: ${sent} %`, sent), both);
      if (both.aborted) return;
      draft.file = { ...stored, targets };
      announce(`${file.name} is uploaded`);
    } catch (error) {
      if (both.aborted) return;
      if (error.keyRejected) return requestKeyAgain(error);
      problem(`${error.message}.`);
    } finally {
      if (uploading === own) {
        uploading = null;
        show();
        changed();
      }
    }
  }

  function fill(file, content) {
    const urls = $("#urls", form);
    const before = urls.value.trim();
    urls.value = [before, linesOf(content).join("\n")].filter(Boolean).join("\n");
    urls.dispatchEvent(new Event("input", { bubbles: true }));
    announce(`${plural(linesOf(content).length, "URL")} of ${file.name} added`);
  }

  $("[data-choose-file]", field).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  $("[data-remove-file]", field).addEventListener("click", () => {
    uploading?.abort();
    uploading = null;
    draft.file = null;
    show();
    changed();
    $("[data-choose-file]", field).focus();
  });
  const isFile = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  form.addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    field.classList.add("drop");
  });
  form.addEventListener("dragleave", () => field.classList.remove("drop"));
  form.addEventListener("drop", (event) => {
    field.classList.remove("drop");
    if (!isFile(event)) return;
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    if (files.length > 1) return problem("Drop one file at a time.");
    if (files.length) take(files[0]);
  });
  // A file that misses the form must not replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => isFile(event) && event.preventDefault(), { signal });
  show();
  return { busy: () => uploading !== null, show };
}
