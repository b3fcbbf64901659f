// The estimate of a dry run.

// Shows an estimate; `offer`: with a button that starts the run.
function showEstimate(section, dryRun, offer) {
  section.hidden = false;
  $("div", section).replaceChildren(...estimateElements(dryRun));
  const button = $("[data-priced]", section);
  button.hidden = !offer;
  setText($("button", button), `Start the run for ${priceText(dryRun)}`);
  $("h2", section).focus();
  announce(`Estimate: ${plural(dryRun.targets, "target")}, ${priceText(dryRun)}`);
}

// The transfer is usually the largest part of the price, so a price without it says so.
const priceText = ({ cost, estimatedBytes }) => `about ${dollars(cost.dollars)}${estimatedBytes === null ? ", without transfer: size unknown" : ""}`;

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
    ["Estimated cost", dollars(dryRun.cost.dollars), `${dryRun.estimatedBytes === null ? "without transfer: size unknown; " : ""}prices of ${dryRun.cost.pricesOf}`],
    ["Batches", number(dryRun.batches), plural(dryRun.stages, "stage")],
  ];
  if (dryRun.invalidation.paths) figures.push(["Invalidation", plural(dryRun.invalidation.paths, "path"), `${plural(dryRun.invalidation.rounds, "round")}, ${dollars(dryRun.invalidation.dollars)}`]);
  for (const { tier, targets, pops, dollars: sum } of dryRun.tiers || []) {
    const places = plural(pops, tier === "edge" ? "POP" : "regional edge cache");
    figures.push([`Tier ${tier}`, dollars(sum), `${plural(targets, "target")} in ${places}${tier === dryRun.tier ? "; this run" : ""}`]);
  }
  const lines = dryRun.distributions.map(({ domain, urls, pops, skipped, skippedPops = [], skippedText = "" }) => {
    const count = Array.isArray(pops) ? pops.length : pops;
    const reasons = [...byReason(skipped || skippedPops)].map(([reason, entries]) => make("p", {}, `${plural(entries.length, "POP")} skipped: ${skipReasonText(reason)}`));
    const selected = skippedText ? [make("p", {}, `${skippedText}.`)] : [];
    return make("li", {}, `${domain}: ${plural(urls, "URL")} through ${plural(count, "POP")}`, ...selected, ...reasons);
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
