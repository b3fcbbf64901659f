// A run's request: shown on its page, and started again with changes.

const URLS_SHOWN = 10;

// Returns a run's whole request: {request, hidden}, with all pages of its URLs.
async function loadRequest(run, signal) {
  const query = { requestID: run };
  const first = await call("GET", "/request", { query, signal });
  const { request } = first;
  const hidden = [...first.hidden];
  let token = first.nextToken;
  while (token) {
    const page = await call("GET", "/request", { query: { ...query, nextToken: token }, signal });
    request.url_list.push(...(page.request.url_list || []));
    hidden.push(...page.hidden.filter((name) => !hidden.includes(name)));
    token = page.nextToken;
  }
  return { request, hidden };
}

const sourceText = (source) => {
  const address = typeof source === "string" ? source : bareAddress(source);
  if (address === null) return Object.entries(source).filter(([, value]) => value !== null && value.length !== 0).map(([name, value]) => (name === "url" ? value : `${name} ${[value].flat().join(", ")}`)).join("; ");
  const [, file] = UPLOADED.exec(address) || [];
  return file ? `uploaded file ${file}` : address;
};

// Returns a request as a list of names and values; options with their defaults are left out.
function requestElements({ request, hidden }, urls) {
  const rows = [];
  const add = (name, ...values) => rows.push(make("div", {}, make("dt", {}, name), ...values.map((value) => make("dd", {}, value))));
  const { url_list: list = [], region_type: type, region, label, headers = {}, ...others } = request;
  if (label) add("Label", label);
  const more = urls - Math.min(list.length, URLS_SHOWN);
  if (list.length) add("URLs", ...list.slice(0, URLS_SHOWN), ...(more > 0 ? [`and ${number(more)} more`] : []));
  for (const name of SOURCE_LISTS) {
    const sources = [others[name] ?? []].flat();
    if (sources.length) add({ sitemap: "Sitemaps", manifest: "Manifests", url_list_s3: "Lists" }[name], ...sources.map(sourceText));
    delete others[name];
  }
  const { [TARGETS]: pairs } = others;
  if (pairs) add("Pairs of URL and POP", sourceText(pairs));
  delete others[TARGETS];
  add("Locations", locationText({ regionType: type, region: [region ?? []].flat() }) || (pairs ? "the POPs of the pairs" : ""));
  for (const [name, value] of Object.entries(headers)) add("Header", `${name}: ${value}`);
  for (const [name, value] of Object.entries(others)) if (value !== null && !sameJson(value, DEFAULTS[name])) add("Option", optionText(name, value));
  if (hidden.length) add("Not shown", `Secrets, written as ${HIDDEN_SECRET}: ${hidden.join(", ")}`);
  return make("dl", { class: "request" }, ...rows);
}

// The section with the request, which is loaded when it is opened; and the button that starts it again.
function requestSection(section, button, run, attempt, signal) {
  const details = $("details", section);
  const body = $("[data-request-body]", section);
  function showIfOpen() {
    if (!details.open || body.childElementCount) return;
    attempt("The request cannot be shown", async () => {
      const first = await call("GET", "/request", { query: { requestID: run, limit: String(URLS_SHOWN) }, signal });
      body.replaceChildren(requestElements(first, first.urls));
    });
  }
  details.addEventListener("toggle", showIfOpen);
  // It may have been opened while the page was still loading the catalogue.
  showIfOpen();
  button.addEventListener("click", async () => {
    button.disabled = true;
    await attempt("The request cannot be started again", async () => {
      draft = draftOf(await loadRequest(run, signal), await loadCatalogue());
      location.hash = "#/";
      announce("The form has the run's request. Change it, then start the run.");
    });
    button.disabled = false;
  });
}
