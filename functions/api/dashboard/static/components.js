// The components of a run's page that only display: each renders a status into its section.

const WARM = new Set(["warmed", "already_warm"]);

function showHeader(page, status) {
  $("[data-chip]", page).replaceWith(runChip(status));
  const label = $("[data-label]", page);
  setText(label, status.label || "");
  label.hidden = !status.label;
  const { startedAt, endedAt } = status;
  const took = startedAt && endedAt ? `, took ${duration(secondsBetween(startedAt, endedAt))}` : "";
  setText($("[data-times]", page), startedAt ? `Started ${formatTime(startedAt)}${took}` : "");
  const result = $("[data-result]", page);
  const lines = [];
  if (status.reason === "cancelled") lines.push(make("p", {}, "The run was cancelled."));
  else if (status.error) lines.push(...errorElements(status));
  // The steps of the failures are in their section; a single one is here too.
  const steps = status.status === "IN_PROGRESS" ? [] : status.nextSteps || [];
  if (steps.length > 1) lines.push(make("p", {}, `The failed URLs have ${steps.length} different next steps, which are below.`));
  else if (steps.length) lines.push(make("p", {}, ...nextStepElements(steps[0])));
  else if (status.remedy?.how && status.remedy.kind !== "retry") lines.push(make("p", {}, ...nextStepElements(status.remedy)));
  if (status.dryRun) lines.push(make("h2", {}, "Dry run: estimate"), ...estimateElements(status.dryRun));
  updateList(result, lines);
  result.hidden = !lines.length;
  result.classList.toggle("bad", Boolean(status.error) && status.status !== "COMPLETED" && status.reason !== "cancelled");
}

// Text between backticks is a command.
const withCode = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));

// The first line of a cause is shown; the rest, which may be long, is collapsed.
function errorElements({ error, cause = "" }) {
  const [first, ...rest] = cause.split("\n");
  const details = make("details", {}, make("summary", {}, "Full cause"), make("p", { class: "lines" }, rest.join("\n")));
  return [make("p", {}, make("b", {}, error), first ? `: ${first}` : ""), ...(rest.length ? [details] : [])];
}

// A cancelled run has the contract's status FAILED.
const stateOfRun = ({ status, reason, failed }) => (reason === "cancelled" ? "CANCELLED" : shownState(status, failed));

function runChip(status) {
  const chip = statusChip(stateOfRun(status));
  chip.dataset.chip = "";
  return chip;
}

// Returns what a run is doing, as a figure: a name and counts.
function phaseText({ name, round, rounds, stage, stages, done, total }) {
  const counts = (...what) => (total ? `${number(done)} of ${plural(total, ...what)}` : "");
  const turn = (what, index, all) => (all > 1 ? `${what} ${number(index)} of ${number(all)}` : "");
  const join = (...parts) => parts.filter(Boolean).join(", ") || null;
  if (name === "resolving") return ["resolving", "finding distributions and POPs"];
  if (name === "invalidating") return ["invalidating", join(turn("round", round, rounds), counts("invalidation"))];
  if (name === "warming") return ["warming", join(turn("stage", stage, stages), counts("batch", "batches"))];
  return ["summing up", "counting results, writing the report"];
}

// What is known of a run's URLs: those that cannot become warm any more count before they are decided.
function urlsText(status, failed) {
  const { inProgress, failing = 0 } = status;
  const [failingWord, meaning] = FAILING;
  const counts = [[failed, "failed"], [failing, `${failingWord} (${meaning})`], [inProgress - failing, "in progress"]].filter(([count]) => count);
  if (status.status === "IN_PROGRESS") return counts.map(([count, word]) => `${number(count)} ${word}`).join(", ") || null;
  return failed ? `${number(failed)} ${notWarmText(status)}` : null;
}

// What the URLs are that an ended run did not warm.
const notWarmText = (status) => NOT_WARM[stateOfRun(status)] || NOT_WARM.FAILED;

// What a run's targets are: a product of URLs and POPs, or what each of them is where URLs differ in their POPs.
function targetText({ total, popsPerUrl, variants }) {
  const urls = total / (popsPerUrl * variants);
  if (!popsPerUrl || !variants || !Number.isInteger(urls)) return "each one URL at one POP";
  return [plural(urls, "URL"), plural(popsPerUrl, "POP"), ...(variants > 1 ? [`${variants} encodings`] : [])].join(" × ");
}

function showFigures(page, status, failed, rate) {
  const { total = 0, done = 0, verified = 0, verifiedInPop = 0, verifiedElsewhere = 0, addresses = 0, addressesProven = 0, layers = {} } = status.targets || {};
  const running = status.status === "IN_PROGRESS";
  const share = percent(done, total);
  const phase = status.phase || { name: "warming" };
  const noTargets = running ? "being planned" : "none";
  const meter = $("[data-meter]", page);
  meter.setAttribute("aria-valuenow", share);
  meter.setAttribute("aria-valuetext", total ? `${share} %, ${number(done)} of ${plural(total, "target")}` : noTargets);
  meter.classList.toggle("planning", running && !total);
  const outcomes = Object.entries(status.targets?.outcomes || {});
  const kinds = { warm: 0, failed: 0, cancelled: 0 };
  for (const [outcome, count] of outcomes) kinds[WARM.has(outcome) ? "warm" : outcome === "cancelled" ? outcome : "failed"] += count;
  Object.values(kinds).forEach((count, index) => (meter.children[index].style.width = `${total ? (100 * count) / total : 0}%`));
  const downloaded = status.bytes ?? (status.pops ? status.pops.reduce((sum, pop) => sum + (pop.bytes || 0), 0) : null);
  const figures = [
    ...(running ? [["Phase", ...phaseText(phase)]] : []),
    ["URLs warm", `${number(Math.max(0, status.completed - failed))} of ${number(status.total)}`, urlsText(status, failed)],
    ["Targets tried", total ? `${number(done)} of ${number(total)}` : noTargets, total ? `${share} %; ${targetText(status.targets)}` : null],
    ["Verified", number(verified), verified ? `by a second fetch; ${number(verifiedInPop)} ${PROOFS.inPop}` : "by a second fetch"],
  ];
  if (verified && addresses) figures.push(["Addresses with a proof", `${number(addressesProven)} of ${number(addresses)}`, `${plural(verifiedElsewhere, "copy", "copies")} ${PROOFS.elsewhere}`]);
  if (status.uncompressedUrls) figures.push(["Served uncompressed", plural(status.uncompressedUrls, "URL"), "at some POPs"]);
  if (status.duplicates) figures.push(["Duplicates", number(status.duplicates), "other spellings, left out"]);
  if (downloaded !== null) figures.push(["Downloaded", bytes(downloaded), null]);
  if (running) {
    figures.push(["Rate", rate === null ? "measuring" : `${rate < 10 ? rate.toFixed(1) : number(Math.round(rate))}/s`, "targets per second"]);
    if (phase.name === "warming") figures.push(["Time left", timeLeft(phase.secondsLeft ?? (rate ? (total - done) / rate : null)), null]);
  }
  if (status.cost) figures.push(["Cost", dollars(status.cost.dollars), "estimated"]);
  const layerCounts = Object.entries(layers).map(([layer, count]) => `${layer} ${number(count)}`);
  if (layerCounts.length) figures.push(["Served by", layerCounts[0], layerCounts.slice(1).join(", ") || null]);
  updateList($("[data-figures]", page), status.dryRun ? [] : figures.map(figure));
  meter.hidden = Boolean(status.dryRun);
}

const timeLeft = (seconds) => (seconds === null ? "measuring" : `about ${duration(seconds)}`);

function showReasons(page, status) {
  const failures = Object.entries(status.targets?.outcomes || {}).filter(([outcome, count]) => !WARM.has(outcome) && count);
  failures.sort(([, one], [, other]) => other - one);
  const most = failures[0]?.[1] || 1;
  const lines = failures.map(([outcome, count]) => {
    const bar = make("span", { class: `bar ${outcome === "cancelled" ? outcome : ""}`, "aria-hidden": "true" });
    bar.style.width = `${Math.max(1, (100 * count) / most)}%`;
    return make("li", {}, make("span", {}, outcomeText(outcome, status.words), " ", make("code", {}, outcome)), make("b", {}, plural(count, "target")), bar);
  });
  updateList($("[data-reasons]", page), lines);
  $("[data-failures]", page).hidden = !lines.length;
}

// Returns the skipped POPs by reason, that of most POPs first.
function byReason(skipped) {
  const reasons = new Map();
  for (const entry of skipped) reasons.set(entry.reason, [...(reasons.get(entry.reason) || []), entry]);
  return new Map([...reasons].sort(([, one], [, other]) => other.length - one.length));
}

function showSkipped(section, { skippedPops: skipped = [], skippedText = "" }) {
  const reasons = byReason(skipped);
  section.hidden = !skipped.length;
  const body = section.lastElementChild;
  const signature = JSON.stringify([skippedText, ...reasons]);
  // Only if it has changed, so that opened details stay open.
  if (body.dataset.signature === signature) return;
  body.dataset.signature = signature;
  body.replaceChildren(
    ...(skippedText ? [make("p", {}, `${skippedText}.`)] : []),
    ...[...reasons].map(([reason, pops]) => make("details", {}, make("summary", {}, `${plural(pops.length, "POP")}: ${skipReasonText(reason)}`), make("p", { class: "names" }, pops.map(({ pop, detail }) => (detail ? `${pop} (${detail})` : pop)).join(", ")))),
  );
}

function showWarnings(section, warnings) {
  section.hidden = !warnings.length;
  updateList($("ul", section), warnings.map((text) => make("li", {}, text)));
}

// Returns what a run does not take from its sources: one line per reason, with the first examples.
function sourceLines(sources = []) {
  return sources.flatMap(({ source, leftOut }) =>
    leftOut.map(({ reason, count, skipped, examples }) =>
      make("li", { class: skipped ? "bad" : "" }, `${source}: ${plural(count, "entry", "entries")} ${skipped ? "skipped" : "left out"}: ${reason}`, ...(examples.length ? [make("p", { class: "names" }, `such as ${examples.join(", ")}`)] : [])),
    ),
  );
}

function showSources(section, banner, { sources, mostlySkipped }) {
  setBanner(banner, mostlySkipped || "");
  const lines = sourceLines(sources);
  section.hidden = !lines.length;
  updateList($("ul", section), lines);
}

const REPORTS = { html: "Report", json: "Report as JSON", csv: "Report as CSV" };

function showLinks(section, status, run, running) {
  const reports = running || status.dryRun ? [] : Object.entries(REPORTS).map(([format, text]) => make("button", { type: "button", class: "link", "data-format": format }, text));
  const lines = [...reports, HAS_CONSOLE ? externalLink(status.consoleUrl, "Step Functions console") : null].filter(Boolean);
  updateList(section, lines);
  section.hidden = !lines.length;
}

async function openReport(run, format, signal) {
  // Opened during the click: some browsers block a tab that is opened after a response as a pop-up.
  const tab = window.open("", "_blank");
  if (tab) tab.opener = null;
  try {
    const { url } = await call("GET", "/report", { query: { requestID: run, format }, signal });
    if (!/^https?:\/\//.test(url)) throw new ApiError(0, "ReportNotFound", "the report has no valid address", []);
    if (tab) tab.location.replace(url);
    else location.assign(url);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

// Asks for confirmation before a run is cancelled; Escape means no. Resolves to whether it was confirmed.
function confirmCancel() {
  const dialog = $("[data-confirm]");
  return new Promise((resolve) => {
    const closed = new AbortController();
    const finish = () => {
      closed.abort();
      resolve(dialog.returnValue === "yes");
    };
    dialog.returnValue = "no";
    dialog.addEventListener("close", finish, { signal: closed.signal });
    dialog.addEventListener("click", (event) => event.target.value && dialog.close(event.target.value), { signal: closed.signal });
    dialog.showModal();
  });
}
