// The form that starts a run, and what a dry run would do.

const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// A number goes as a number; anything else goes as it was written, and the API says what is wrong with it.
const numberOf = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);

function requestOf(form, selection) {
  const request = { url_list: linesOf($("#urls", form).value), ...selection() };
  for (const name of ["verify", "fail_on"]) request[name] = $(`#${name}`, form).value;
  for (const name of ["timeout_minutes", "max_rps", "max_concurrency"]) {
    const written = $(`#${name}`, form).value.trim();
    if (written) request[name] = numberOf(written);
  }
  for (const name of ["staged", "invalidate"]) if ($(`#${name}`, form).checked) request[name] = true;
  return request;
}

// Puts each of the API's problems beside the field that it names; what names none is told below.
function showProblems(form, error, urls = []) {
  const told = new Map();
  const loose = [];
  for (const { field, message, near } of error.details || []) {
    const hint = near?.length ? `; did you mean ${near.join(" or ")}?` : "";
    const [, name, index] = /^([^[.]*)(?:\[(\d+)\])?/.exec(field || "");
    const where = name && form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!where) loose.push(`${field ? `${field}: ` : ""}${message}${hint}`);
    else told.set(name, [...(told.get(name) || []), `${name === "url_list" && index && urls.length ? `Line ${Number(index) + 1}: ` : ""}${message}${hint}`]);
  }
  if (!told.size && !loose.length && error.message) loose.push(error.message);
  for (const field of form.querySelectorAll("[data-field]")) {
    const problems = told.get(field.dataset.field) || [];
    if (problems.length && field.closest("details")) field.closest("details").open = true;
    say([...field.querySelectorAll("[data-error]")].at(-1), problems.join("\n"));
    for (const input of field.querySelectorAll("textarea, select, input[aria-describedby]")) input.toggleAttribute("data-wrong", problems.length > 0);
    const main = field.querySelector("textarea, select, input:not([type=search])");
    if (main && field.tagName !== "FIELDSET") main.setAttribute("aria-invalid", String(problems.length > 0));
  }
  say($("[data-loose]", form), loose.join("\n"));
  const [first] = told.keys();
  if (!first) return;
  const field = form.querySelector(`[data-field="${CSS.escape(first)}"]`);
  field.querySelector("textarea, select, input")?.focus();
}

const NO_PROBLEMS = { details: [], message: "" };

function startForm(section, known, signal) {
  const form = $("[data-form]", section);
  const selection = placePicker(form, known);
  const buttons = [$("[data-start]", form), $("[data-estimate]", form)];
  const urls = $("#urls", form);
  const estimated = $("[data-estimated]", section);
  const count = () => {
    const found = new Set(linesOf(urls.value)).size;
    say($("[data-url-count]", form), found ? plural(found, "URL") : "On hosts of this account's distributions");
  };
  whenTyped(urls, count);
  count();
  // An estimate is one of what was asked for then.
  form.addEventListener("input", ({ target }) => (estimated.hidden ||= target.type !== "search"));

  async function send(dry) {
    const asked = requestOf(form, selection);
    const request = { ...asked, ...(dry ? { dry_run: true } : {}) };
    const once = dry ? undefined : keyOf(request);
    estimated.hidden = true;
    showProblems(form, NO_PROBLEMS);
    for (const button of buttons) button.disabled = true;
    form.setAttribute("aria-busy", "true");
    announce(dry ? "Estimating" : "Starting the run");
    try {
      const answer = await call("POST", "/prewarm", { body: request, signal, once });
      if (answer.requestID && !dry) draft = newDraft();
      if (answer.requestID) leadTo(answer.requestID);
      else if (JSON.stringify(requestOf(form, selection)) === JSON.stringify(asked)) showEstimate(estimated, answer.dryRun);
      else showProblems(form, { message: "The form has changed since it was sent: estimate again." });
    } catch (error) {
      if (signal.aborted) return;
      if (error.aboutKey) return askAgain(error);
      // A key that has had its run: what is sent next is a start of its own.
      if (error.code === "IdempotencyConflict") draft.sent = newDraft().sent;
      // The buttons must be usable again before a field is given the focus.
      for (const button of buttons) button.disabled = false;
      showProblems(form, error, request.url_list);
      announce(error.details?.length ? "The request was refused; the problems stand beside the fields" : error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
      form.removeAttribute("aria-busy");
    }
  }

  form.addEventListener("submit", () => send(false));
  buttons[1].addEventListener("click", () => send(true));
  for (const button of buttons) button.disabled = false;
}

function showEstimate(section, told) {
  section.hidden = false;
  section.lastElementChild.replaceChildren(...estimateOf(told));
  $("h2", section).focus();
  announce(`A dry run: ${plural(told.targets, "target")}, ${dollars(told.cost.dollars)}`);
}

// What a dry run tells, as elements.
function estimateOf(told) {
  const figures = [
    ["URLs", number(told.urls)],
    ["Targets", number(told.targets)],
    ["Fetches", number(told.fetches), "with the proofs"],
    ["Bytes", told.estimatedBytes === null ? "unknown" : bytes(told.estimatedBytes), `${number(told.sizes.known)} of ${plural(told.sizes.asked, "size")} told`],
    ["Dollars", dollars(told.cost.dollars), `prices of ${told.cost.pricesOf}`],
    ["Batches", number(told.batches), plural(told.stages, "stage")],
  ];
  if (told.invalidation.paths) figures.push(["Invalidation", plural(told.invalidation.paths, "path"), plural(told.invalidation.rounds, "round")]);
  const lines = told.distributions.map(({ domain, urls, pops, skipped, skippedPops = [] }) => {
    const count = Array.isArray(pops) ? pops.length : pops;
    const left = (skipped || skippedPops).length;
    return make("li", {}, `${domain}: ${plural(urls, "URL")} through ${plural(count, "POP")}${left ? `, ${number(left)} left out` : ""}`);
  });
  if (told.noDistribution.urls) {
    lines.push(make("li", { class: "bad" }, `No allowed distribution serves ${plural(told.noDistribution.urls, "URL")} of ${told.noDistribution.hosts.join(", ")}`));
  }
  const parts = told.cost.parts.map(({ name, quantity, unit, dollars: sum }) =>
    make("tr", {}, make("td", {}, name), make("td", { class: "number" }, `${number(quantity)} ${unit}`), make("td", { class: "number" }, dollars(sum))),
  );
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Part"), make("th", { scope: "col", class: "number" }, "Quantity"), make("th", { scope: "col", class: "number" }, "Dollars")));
  const table = make("div", { class: "scroll", role: "region", "aria-label": "Parts of the cost", tabindex: "0" }, make("table", {}, head, make("tbody", {}, ...parts)));
  const warnings = told.warnings.length ? [make("h3", {}, "Warnings"), make("ul", {}, ...told.warnings.map((text) => make("li", {}, text)))] : [];
  return [make("dl", { class: "figures" }, ...figures.map(figure)), make("ul", {}, ...lines), ...warnings, make("details", {}, make("summary", {}, "What the dollars are made of"), table)];
}

// One figure: a name, a number, and what to know of it.
function figure([name, value, more]) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value, more ? make("small", {}, more) : null));
}
