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

// What several POPs' counts, or one's, come to.
function stateOf({ targets, done, warm, failed }) {
  if (!targets) return "skipped";
  if (done < targets) return done ? "warming" : "cold";
  if (!failed) return "warm";
  return warm ? "partly" : "failed";
}
