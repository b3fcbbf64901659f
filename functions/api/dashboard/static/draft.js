// What is written into the form, kept while one looks at other views; gone with the page, and once it is a run.

const SAME_START = 600_000; // milliseconds

const newDraft = () => ({
  fields: {}, // by id
  type: "region",
  chosen: { region: new Map(), country: new Map(), pop: new Map() },
  options: false, // whether they are open
  sent: { body: "", key: "", at: 0 }, // the start that was not answered with a run
});

let draft = newDraft();

// Fills a fresh form with the draft, and writes down whatever changes in it.
function keepDraft(form) {
  for (const [id, value] of Object.entries(draft.fields)) {
    const field = $(`#${CSS.escape(id)}`, form);
    if (field.type === "checkbox") field.checked = value;
    else field.value = value;
  }
  $(`[name=region_type][value=${draft.type}]`, form).checked = true;
  const options = $("[data-options]", form);
  options.open = draft.options;
  options.addEventListener("toggle", () => (draft.options = options.open));
  form.addEventListener("input", ({ target }) => {
    if (target.name === "region_type") draft.type = target.value;
    else if (target.id && target.type !== "search") draft.fields[target.id] = target.type === "checkbox" ? target.checked : target.value;
  });
}

// The Idempotency-Key of a request: sent again unchanged, it is the same run. It begins with a moment, as runs' names do.
function keyOf(request) {
  const body = JSON.stringify(request);
  // Later on it is no second click any more: somebody wants it warm again.
  if (draft.sent.body !== body || Date.now() - draft.sent.at > SAME_START) {
    draft.sent = { body, key: newKey(), at: Date.now() };
  }
  return draft.sent.key;
}

function newKey() {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const random = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${now}-${random.join("")}`;
}
