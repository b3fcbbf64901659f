// The form's contents, kept across views; cleared when the page is closed or a run is started.

const SAME_KEY_FOR = 600_000; // milliseconds

const emptyDraft = () => ({
  fields: {}, // by id
  type: "region",
  chosen: { region: new Map(), country: new Map(), pop: new Map() },
  open: {}, // by name: whether a group of fields is open
  file: null, // an uploaded file: {name, address, size, targets}, with `targets` for pairs of URL and POP
  carried: {}, // fields of an earlier request that the form has no field for
  secrets: [], // fields of an earlier request whose secrets are not shown
  priced: "", // the request through all POPs whose price was shown
  sent: { body: "", key: "", at: 0 }, // the last start without a response
});

let draft = emptyDraft();

// Fills a new form from the draft, and records changes of the form in the draft.
function bindDraft(form) {
  for (const [id, value] of Object.entries(draft.fields)) {
    const field = $(`#${CSS.escape(id)}`, form);
    if (field.type === "checkbox") field.checked = value;
    else field.value = value;
  }
  $(`[name=region_type][value=${draft.type}]`, form).checked = true;
  for (const name of ["options", "more-sources"]) {
    const group = $(`[data-${name}]`, form);
    group.open = Boolean(draft.open[name]);
    group.addEventListener("toggle", () => (draft.open[name] = group.open));
  }
  form.addEventListener("input", ({ target }) => {
    if (target.name === "region_type") draft.type = target.value;
    else if (target.id && !["search", "file"].includes(target.type)) draft.fields[target.id] = target.type === "checkbox" ? target.checked : target.value;
  });
}

// Returns the Idempotency-Key of a request: an unchanged request, sent again, returns the same run.
function idempotencyKeyOf(request) {
  const body = JSON.stringify(request);
  // After SAME_KEY_FOR it is a new request rather than a second click: the URLs are to be warmed again.
  if (draft.sent.body !== body || Date.now() - draft.sent.at > SAME_KEY_FOR) {
    draft.sent = { body, key: newIdempotencyKey(), at: Date.now() };
  }
  return draft.sent.key;
}

// Returns a random key that starts with the time, as run names do.
function newIdempotencyKey() {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const random = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${now}-${random.join("")}`;
}
