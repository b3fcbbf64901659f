// Problems of a request, each next to its field, in the form's words.

// Fields of a request whose messages would name what only a caller of the API writes.
const MISSING = {
  url_list: "Enter a URL, or choose a file, a sitemap, a manifest or a list in S3",
  region: "Select at least one location, or Everywhere",
};

// The sources in which a problem's number is a line.
const LINE_FIELDS = new Set(["url_list", "url_list_s3", "sitemap", "manifest"]);

const quoteOff = (text) => text.replace(/ \(expected (?:a value|an address) such as [^)]*\)/, "");

// Returns a message of the API in the form's words: fields by their labels, "omit it" as an empty field.
function inFormWords(root, name, message) {
  if (MISSING[name] && /^is (missing|empty)/.test(message)) return MISSING[name];
  const labels = (text) =>
    text.replace(/\b[a-z]+(?:_[a-z0-9]+)+\b/g, (word) => {
      const label = root.querySelector(`[data-field="${CSS.escape(word)}"] label`)?.textContent.split(", ")[0].trim();
      return label ? `“${label}”` : word;
    });
  const text = labels(quoteOff(message)).replace("; omit it for", "; leave the field empty for");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// Returns "Line 3: " for a source's entry, the name for a header, else nothing. `lines`: the line of each entry.
function placeOf(name, path, lines) {
  const index = /^\[(\d+)\]/.exec(path)?.[1];
  if (LINE_FIELDS.has(name) && index !== undefined) return lines[name]?.[index] ? `Line ${lines[name][index]}: ` : "";
  return name === "headers" && path.startsWith(".") ? `${path.slice(1)}: ` : "";
}

// Shows each of the API's problems next to its field, and those without a field below the form.
function showProblems(root, error, lines = {}) {
  const byField = new Map();
  const general = [];
  for (const { field, message, near } of error.details || []) {
    const hint = near?.length ? `; did you mean ${near.join(" or ")}?` : "";
    const [, name, path] = /^([^[.]*)(.*)$/.exec(field || "");
    const fieldElement = name && root.querySelector(`[data-field="${CSS.escape(name)}"]`);
    const text = `${inFormWords(root, name, message)}${hint}`;
    if (!fieldElement) general.push(`${field ? `${field}: ` : ""}${text}`);
    else byField.set(name, [...(byField.get(name) || []), `${placeOf(name, path, lines)}${text}`]);
  }
  if (!byField.size && !general.length && error.message) general.push(error.message);
  for (const field of root.querySelectorAll("[data-field]")) {
    const problems = byField.get(field.dataset.field) || [];
    if (problems.length && field.closest("details")) field.closest("details").open = true;
    setText([...field.querySelectorAll("[data-error]")].at(-1), problems.join("\n"));
    for (const input of field.querySelectorAll("textarea, select, input[aria-describedby]")) input.toggleAttribute("data-invalid", problems.length > 0);
    const main = field.querySelector("textarea, select, input:not([type=search], [type=file])");
    if (main && field.tagName !== "FIELDSET") main.setAttribute("aria-invalid", String(problems.length > 0));
  }
  const loose = $("[data-form-error]", root);
  if (loose) setText(loose, general.join("\n"));
  const [first] = byField.keys();
  if (first) root.querySelector(`[data-field="${CSS.escape(first)}"]`).querySelector("textarea, select, input")?.focus();
  return general;
}

const NO_PROBLEMS = { details: [], message: "" };
