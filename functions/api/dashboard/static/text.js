// Display texts for the API's values. OUTCOMES, SKIPPED, FAILING, NOT_WARM and UNFINISHED are inserted by page.py from the service's own texts.

const STATUS = {
  IN_PROGRESS: ["in progress", "◐"],
  COMPLETED: ["completed", "●"],
  FAILED: ["failed", "◆"],
  TIMEOUT: ["timed out", "◷"],
  CANCELLED: ["cancelled", "■"],
  // A COMPLETED run may have URLs that are not warm (fail_on: none); it must not look like a warm one.
  NOT_WARM: ["not warm", "◆"],
};

const REGIONS = {
  apac: "Asia-Pacific",
  au: "Australia and New Zealand",
  jp: "Japan",
  us: "United States",
  ca: "Canada",
  mx: "Mexico",
  eu: "Europe",
  sa: "South America and South Africa",
  me: "Middle East",
  af: "Africa",
};

const STATES = {
  cold: "cold",
  warming: "warming",
  warm: "warm",
  partly: "partly warm",
  failed: "failed",
  unjudged: "not judged",
  skipped: "skipped",
};

const countries = new Intl.DisplayNames(["en"], { type: "region" });

function countryName(code) {
  try {
    return countries.of(code) || code;
  } catch {
    return code;
  }
}

const titleCase = (name) => name.replaceAll("_", " ").replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
const outcomeText = (outcome, serviceTexts = {}) => serviceTexts[outcome] || OUTCOMES[outcome] || outcome.replaceAll("_", " ");
const skipReasonText = (reason) => SKIPPED[reason] || OUTCOMES[reason] || reason.replaceAll("_", " ");

const shownState = (state, failed) => (state === "COMPLETED" && failed ? "NOT_WARM" : state);

function statusChip(status) {
  const [text, symbol] = STATUS[status] || [status, "○"];
  return make("span", { class: `chip ${status.toLowerCase()}` }, make("span", { "aria-hidden": "true" }, symbol), text);
}

// Returns the state of a POP or a city from its counts; once the run has ended, the state is never "warming".
function stateOf({ targets, done, warm, failed, pops }, ended) {
  if (!targets) return pops ? "unjudged" : "skipped";
  if (!done) return "cold";
  if (done < targets && !ended) return "warming";
  if (warm >= targets && !failed) return "warm";
  return warm ? "partly" : "failed";
}

// Splits a run's POPs into used and skipped ones. A POP that went dark during the run is in both of the API's lists until
// the end; one that another distribution could warm stays in both, and counts as used.
function splitPops(pops, skipped, ended) {
  const counts = new Map(pops.map((entry) => [entry.pop, entry]));
  const skippedIds = new Set(skipped.map(({ pop }) => pop).filter((pop) => !counts.has(pop) || (ended && !counts.get(pop).warm)));
  return { used: pops.filter(({ pop }) => !skippedIds.has(pop)), skipped: [...skippedIds] };
}
