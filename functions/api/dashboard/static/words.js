// What the API's words mean to people. OUTCOMES comes from the service itself: see dashboard.py.

const STATUS = {
  IN_PROGRESS: ["in progress", "◐"],
  COMPLETED: ["completed", "●"],
  FAILED: ["failed", "◆"],
  TIMEOUT: ["timed out", "◷"],
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

const SKIPPED = {
  outside_price_class: "outside the distribution's price class: CloudFront sends no viewers there",
  unresolved_pop: "its name does not resolve: it may be retired",
  dns_silent: "no nameserver answered for it",
  outside_edge_networks: "its address is not in CloudFront's networks",
};

const STATES = {
  cold: "cold",
  warming: "warming",
  warm: "warm",
  partly: "partly warm",
  failed: "failed",
  skipped: "left out",
};

const countries = new Intl.DisplayNames(["en"], { type: "region" });

function countryName(code) {
  try {
    return countries.of(code) || code;
  } catch {
    return code;
  }
}

const titled = (name) => name.replaceAll("_", " ").replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
const outcomeInWords = (outcome, told = {}) => told[outcome] || OUTCOMES[outcome] || outcome.replaceAll("_", " ");
const skippedInWords = (reason) => SKIPPED[reason] || OUTCOMES[reason] || reason.replaceAll("_", " ");

function chipOf(status) {
  const [words, sign] = STATUS[status] || [status, "○"];
  return make("span", { class: `chip ${status.toLowerCase()}` }, make("span", { "aria-hidden": "true" }, sign), words);
}

// What one POP's counts, or a city's, come to; once a run has ended, nothing is warming any more.
function stateOf({ targets, done, warm, failed }, ended) {
  if (!targets) return "skipped";
  if (!done) return "cold";
  if (done < targets && !ended) return "warming";
  if (warm >= targets && !failed) return "warm";
  return warm ? "partly" : "failed";
}

// A run's POPs and those that it left out. One that went dark on the way is in both lists until the end, one that
// another distribution could be warmed through for good.
function usedAndLeftOut(pops, skipped, ended) {
  const counts = new Map(pops.map((entry) => [entry.pop, entry]));
  const out = new Set(skipped.map(({ pop }) => pop).filter((pop) => !counts.has(pop) || (ended && !counts.get(pop).warm)));
  return { used: pops.filter(({ pop }) => !out.has(pop)), out: [...out] };
}
