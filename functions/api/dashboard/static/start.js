// The form that starts a run, and the estimate of a dry run.

const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// Returns a number if the text is one; other text is sent unchanged, so that the API returns the error.
const numberOf = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);

function requestOf(form, selection) {
  const request = { url_list: linesOf($("#urls", form).value), ...selection() };
  for (const name of ["verify", "fail_on"]) request[name] = $(`#${name}`, form).value;
  for (const name of ["timeout_minutes", "max_rps", "max_concurrency"]) {
    const text = $(`#${name}`, form).value.trim();
    if (text) request[name] = numberOf(text);
  }
  for (const name of ["staged", "invalidate"]) if ($(`#${name}`, form).checked) request[name] = true;
  return request;
}

// Shows each of the API's problems next to its field, and those without a field below the form.
function showProblems(form, error, urls = []) {
  const byField = new Map();
  const general = [];
  for (const { field, message, near } of error.details || []) {
    const hint = near?.length ? `; did you mean ${near.join(" or ")}?` : "";
    const [, name, index] = /^([^[.]*)(?:\[(\d+)\])?/.exec(field || "");
    const fieldElement = name && form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!fieldElement) general.push(`${field ? `${field}: ` : ""}${message}${hint}`);
    else byField.set(name, [...(byField.get(name) || []), `${name === "url_list" && index && urls.length ? `Line ${Number(index) + 1}: ` : ""}${message}${hint}`]);
  }
  if (!byField.size && !general.length && error.message) general.push(error.message);
  for (const field of form.querySelectorAll("[data-field]")) {
    const problems = byField.get(field.dataset.field) || [];
    if (problems.length && field.closest("details")) field.closest("details").open = true;
    setText([...field.querySelectorAll("[data-error]")].at(-1), problems.join("\n"));
    for (const input of field.querySelectorAll("textarea, select, input[aria-describedby]")) input.toggleAttribute("data-invalid", problems.length > 0);
    const main = field.querySelector("textarea, select, input:not([type=search])");
    if (main && field.tagName !== "FIELDSET") main.setAttribute("aria-invalid", String(problems.length > 0));
  }
  setText($("[data-form-error]", form), general.join("\n"));
  const [first] = byField.keys();
  if (!first) return;
  const field = form.querySelector(`[data-field="${CSS.escape(first)}"]`);
  field.querySelector("textarea, select, input")?.focus();
}

const NO_PROBLEMS = { details: [], message: "" };

function startForm(section, catalogue, signal) {
  const form = $("[data-form]", section);
  const selection = locationPicker(form, catalogue);
  const buttons = [$("[data-start]", form), $("[data-estimate]", form)];
  const urls = $("#urls", form);
  const estimated = $("[data-estimated]", section);
  const count = () => {
    const distinct = new Set(linesOf(urls.value)).size;
    setText($("[data-url-count]", form), distinct ? plural(distinct, "URL") : "Hosts must belong to this account's distributions");
  };
  onTyping(urls, count);
  count();
  // A change of the form invalidates the estimate.
  form.addEventListener("input", ({ target }) => (estimated.hidden ||= target.type !== "search"));

  async function send(dryRun) {
    const filled = requestOf(form, selection);
    const request = { ...filled, ...(dryRun ? { dry_run: true } : {}) };
    const idempotencyKey = dryRun ? undefined : idempotencyKeyOf(request);
    estimated.hidden = true;
    showProblems(form, NO_PROBLEMS);
    for (const button of buttons) button.disabled = true;
    form.setAttribute("aria-busy", "true");
    announce(dryRun ? "Estimating" : "Starting the run");
    try {
      const response = await call("POST", "/prewarm", { body: request, signal, idempotencyKey });
      if (response.requestID && !dryRun) draft = emptyDraft();
      if (response.requestID) openStartedRun(response.requestID);
      else if (JSON.stringify(requestOf(form, selection)) === JSON.stringify(filled)) showEstimate(estimated, response.dryRun);
      else showProblems(form, { message: "The form has changed since the estimate was requested: estimate again." });
    } catch (error) {
      if (signal.aborted) return;
      if (error.keyRejected) return requestKeyAgain(error);
      // The key belongs to another request: the next start needs a new key.
      if (error.code === "IdempotencyConflict") draft.sent = emptyDraft().sent;
      // Enabled before showProblems moves the focus to a field.
      for (const button of buttons) button.disabled = false;
      showProblems(form, error, request.url_list);
      announce(error.details?.length ? "The request was rejected; the problems are shown next to the fields" : error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
      form.removeAttribute("aria-busy");
    }
  }

  form.addEventListener("submit", () => send(false));
  buttons[1].addEventListener("click", () => send(true));
  for (const button of buttons) button.disabled = false;
}

function showEstimate(section, dryRun) {
  section.hidden = false;
  section.lastElementChild.replaceChildren(...estimateElements(dryRun));
  $("h2", section).focus();
  announce(`Estimate: ${plural(dryRun.targets, "target")}, ${dollars(dryRun.cost.dollars)}`);
}

const DOCUMENTS_SHOWN = 20;

// Returns a document of a source with its cache headers.
function documentText({ url, xCache, age, origin }) {
  const text = origin === "s3" ? "from S3" : `X-Cache: ${xCache || "absent"}${age === null ? "" : `, Age: ${number(age)} s`}`;
  return `${url} (${text})`;
}

// Returns a dry run's results as elements.
function estimateElements(dryRun) {
  const figures = [
    ["URLs", number(dryRun.urls), dryRun.duplicates ? `${plural(dryRun.duplicates, "duplicate")} left out` : null],
    ["Targets", number(dryRun.targets)],
    ["Fetches", number(dryRun.fetches), "including verification"],
    ["Download", dryRun.estimatedBytes === null ? "unknown" : bytes(dryRun.estimatedBytes), `${number(dryRun.sizes.known)} of ${plural(dryRun.sizes.asked, "size")} known`],
    ["Estimated cost", dollars(dryRun.cost.dollars), `prices of ${dryRun.cost.pricesOf}`],
    ["Batches", number(dryRun.batches), plural(dryRun.stages, "stage")],
  ];
  if (dryRun.invalidation.paths) figures.push(["Invalidation", plural(dryRun.invalidation.paths, "path"), `${plural(dryRun.invalidation.rounds, "round")}, ${dollars(dryRun.invalidation.dollars)}`]);
  const lines = dryRun.distributions.map(({ domain, urls, pops, skipped, skippedPops = [] }) => {
    const count = Array.isArray(pops) ? pops.length : pops;
    const skippedCount = (skipped || skippedPops).length;
    return make("li", {}, `${domain}: ${plural(urls, "URL")} through ${plural(count, "POP")}${skippedCount ? `, ${number(skippedCount)} skipped` : ""}`);
  });
  if (dryRun.noDistribution.urls) {
    lines.push(make("li", { class: "bad" }, `No allowed distribution serves ${plural(dryRun.noDistribution.urls, "URL")} of ${dryRun.noDistribution.hosts.join(", ")}`));
  }
  for (const { source, documents = [], documentsRead = 0 } of dryRun.sources || []) {
    lines.push(...documents.slice(0, DOCUMENTS_SHOWN).map((each) => make("li", {}, `${source}: ${documentText(each)}`)));
    if (documentsRead > DOCUMENTS_SHOWN) lines.push(make("li", {}, `${source}: ${plural(documentsRead, "document")} in all`));
  }
  const parts = dryRun.cost.parts.map(({ name, quantity, unit, dollars: sum }) =>
    make("tr", {}, make("td", {}, name), make("td", { class: "number" }, `${number(quantity)} ${unit}`), make("td", { class: "number" }, dollars(sum))),
  );
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Item"), make("th", { scope: "col", class: "number" }, "Quantity"), make("th", { scope: "col", class: "number" }, "Dollars")));
  const table = make("div", { class: "scroll", role: "region", "aria-label": "Cost breakdown", tabindex: "0" }, make("table", {}, head, make("tbody", {}, ...parts)));
  const first = dryRun.mostlySkipped ? [make("p", { class: "banner" }, dryRun.mostlySkipped)] : [];
  const notTaken = sourceLines(dryRun.sources);
  const sources = notTaken.length ? [make("h3", {}, "Not taken from the sources"), make("ul", {}, ...notTaken)] : [];
  const warnings = dryRun.warnings.length ? [make("h3", {}, "Warnings"), make("ul", {}, ...dryRun.warnings.map((text) => make("li", {}, text)))] : [];
  return [...first, make("dl", { class: "figures" }, ...figures.map(figure)), make("ul", {}, ...lines), ...sources, ...warnings, make("details", {}, make("summary", {}, "Cost breakdown"), table)];
}

// Returns a figure: a name, a value and an optional note.
function figure([name, value, note]) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value, note ? make("small", {}, note) : null));
}
