// The form's fields as a request, and an earlier request as the form's fields.

const CHOICES = ["verify", "fail_on", "tier"];
const NUMBERS = ["timeout_minutes", "max_rps", "max_concurrency"];
const FLAGS = ["staged", "invalidate"];
const SOURCE_LISTS = ["sitemap", "manifest", "url_list_s3"];
const HIDDEN_SECRET = "…"; // stands for a secret in GET /request

const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// Returns the numbers of the lines that have an entry, for messages.
const numbersOfLines = (text) => text.split("\n").flatMap((line, index) => (line.trim() ? [index + 1] : []));

// Returns a number if the text is one; other text is sent unchanged, so that the API returns the error.
const numberOf = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);

const sameJson = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// Returns headers from lines such as "Accept-Language: de"; a line without a colon is a problem.
function headersOf(text) {
  const problems = [];
  const headers = {};
  for (const line of linesOf(text)) {
    const [, name, value] = /^([^:]*):(.*)$/.exec(line) || [];
    if (name === undefined) problems.push({ field: "headers", message: `'${line}' is not a header; write it as Name: value` });
    else headers[name.trim()] = value.trim();
  }
  return { headers, problems };
}

function requestOf(form, selection) {
  const text = (id) => $(`#${id}`, form).value.trim();
  const request = { ...draft.carried, ...selection() };
  const urls = linesOf(text("urls"));
  if (urls.length) request.url_list = urls;
  for (const name of SOURCE_LISTS) {
    const entries = [...linesOf(text(name)), ...(draft.carried[name] || [])];
    if (entries.length) request[name] = entries;
  }
  if (draft.file) request.url_list_s3 = [...(request.url_list_s3 || []), draft.file.address];
  for (const name of CHOICES) request[name] = text(name);
  if (request.tier === DEFAULTS.tier) delete request.tier;
  for (const name of NUMBERS) if (text(name)) request[name] = numberOf(text(name));
  for (const name of FLAGS) {
    if ($(`#${name}`, form).checked) request[name] = draft.carried[name] || true;
    else delete request[name];
  }
  const { headers } = headersOf(text("headers"));
  if (Object.keys(headers).length) request.headers = headers;
  if (text("label")) request.label = text("label");
  // Without any source, the API names the field.
  if (!request.url_list && !request.targets_s3 && !SOURCE_LISTS.some((name) => request[name])) request.url_list = [];
  return request;
}

// Returns what is wrong with the form before a request is sent, in the shape of the API's errors.
function problemsOfForm(form) {
  const details = [...headersOf($("#headers", form).value).problems];
  if (draft.secrets.length) {
    for (const [name, id] of [["url_list", "urls"], ["headers", "headers"]]) {
      linesOf($(`#${id}`, form).value).forEach((line, index) => {
        if (line.includes(HIDDEN_SECRET)) details.push({ field: name === "headers" ? name : `${name}[${index}]`, message: `${HIDDEN_SECRET} stands for a secret of the earlier run, which is not shown; type it again` });
      });
    }
  }
  return details;
}

// Returns the line of each entry by field, for messages.
const linesOfForm = (form) => Object.fromEntries([["url_list", "urls"], ...SOURCE_LISTS.map((name) => [name, name])].map(([name, id]) => [name, numbersOfLines($(`#${id}`, form).value)]));

// A source's address where the source has no other settings, else null.
function bareAddress(source) {
  if (typeof source === "string") return source;
  const settings = Object.entries(source).filter(([name, value]) => name !== "url" && value !== null && !(Array.isArray(value) && !value.length) && value !== "all");
  return settings.length ? null : source.url;
}

const UPLOADED = /^s3:\/\/[^/]+\/uploads\/[0-9a-f]+\/(.+)$/;

// Returns the draft of a form that would send an earlier run's request again.
function draftOf({ request, hidden }, catalogue) {
  const filled = emptyDraft();
  const { url_list: urls = [], region_type: type, region = [], headers = {}, label, ...others } = request;
  filled.fields.urls = urls.join("\n");
  filled.secrets = hidden;
  for (const name of SOURCE_LISTS) {
    const sources = [others[name] ?? []].flat();
    const bare = sources.filter((source) => bareAddress(source) !== null).map(bareAddress);
    const special = sources.filter((source) => bareAddress(source) === null);
    const uploaded = name === "url_list_s3" ? bare.find((address) => UPLOADED.test(address)) : undefined;
    if (uploaded) filled.file = { name: UPLOADED.exec(uploaded)[1], address: uploaded, size: null };
    filled.fields[name] = bare.filter((address) => address !== uploaded).join("\n");
    if (special.length) filled.carried[name] = special;
    if (filled.fields[name] || special.length) filled.open["more-sources"] = true;
    delete others[name];
  }
  const names = [region].flat();
  filled.type = names.length === 1 && names[0].trim().toLowerCase() === "all" ? "all" : type;
  const counts = { region: catalogue.regions, country: catalogue.countries }[type] || {};
  if (filled.type !== "all") for (const name of names) filled.chosen[type]?.set(name, counts[name] ?? 1);
  filled.fields.headers = Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n");
  filled.fields.label = label || "";
  for (const [name, value] of Object.entries(others)) {
    if (name === "dry_run" || sameJson(value, DEFAULTS[name]) || value === null) continue;
    filled.open.options = true;
    if (NUMBERS.includes(name)) filled.fields[name] = String(value);
    else if (CHOICES.includes(name)) filled.fields[name] = value;
    else if (FLAGS.includes(name)) filled.fields[name] = true;
    // Path patterns of `invalidate`, and options without a field.
    if (!(name in filled.fields) || Array.isArray(value)) filled.carried[name] = value;
  }
  if (filled.fields.headers || label) filled.open.options = true;
  return filled;
}

// Returns an option of a request as text: its name in words and its value.
const optionText = (name, value) => `${name.replaceAll("_", " ")}: ${typeof value === "string" ? value : JSON.stringify(value)}`;
