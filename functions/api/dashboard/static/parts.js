// The parts of a run's page that only show: each is given a status and fills its place.

const WARM = new Set(["warmed", "already_warm"]);

function showHead(page, status) {
  $("[data-chip]", page).replaceWith(chipFor(status));
  const { startedAt, endedAt } = status;
  const took = startedAt && endedAt ? `, took ${duration(secondsBetween(startedAt, endedAt))}` : "";
  say($("[data-when]", page), startedAt ? `Started ${moment(startedAt)}${took}` : "");
  const ending = $("[data-ending]", page);
  const lines = [];
  if (status.reason === "cancelled") lines.push(make("p", {}, "It was cancelled."));
  else if (status.error) lines.push(...whyItEnded(status));
  const again = status.remedy?.kind === "retry";
  $("[data-helps]", page).hidden = !again;
  if (status.remedy?.how && !again) lines.push(make("p", {}, make("b", {}, "What helps: "), ...withCommands(status.remedy.how)));
  if (status.dryRun) lines.push(make("h2", {}, "A dry run: what it would do"), ...estimateOf(status.dryRun));
  refill(ending, lines);
  ending.hidden = !lines.length;
  ending.classList.toggle("bad", Boolean(status.error) && status.status !== "COMPLETED");
}

// What stands between backticks is a command.
const withCommands = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));

// The first line of a cause says it; the rest may be long.
function whyItEnded({ error, cause = "" }) {
  const [first, ...rest] = cause.split("\n");
  const all = make("details", {}, make("summary", {}, "The whole cause"), make("p", { class: "lines" }, rest.join("\n")));
  return [make("p", {}, make("b", {}, error), first ? `: ${first}` : ""), ...(rest.length ? [all] : [])];
}

function chipFor(status) {
  const chip = chipOf(status.status);
  if (status.reason === "cancelled") chip.lastChild.textContent = "cancelled";
  chip.dataset.chip = "";
  return chip;
}

function showFigures(page, status, failed, rate) {
  const { total = 0, done = 0, verified = 0, layers = {} } = status.targets || {};
  const running = status.status === "IN_PROGRESS";
  const share = percent(done, total);
  const none = running ? "being planned" : "none";
  const meter = $("[data-meter]", page);
  meter.setAttribute("aria-valuenow", share);
  meter.setAttribute("aria-valuetext", total ? `${share} %, ${number(done)} of ${plural(total, "target")}` : none);
  meter.classList.toggle("planning", running && !total);
  const outcomes = Object.entries(status.targets?.outcomes || {});
  const warm = outcomes.reduce((sum, [outcome, count]) => sum + (WARM.has(outcome) ? count : 0), 0);
  const all = outcomes.reduce((sum, [, count]) => sum + count, 0);
  const [good, bad] = meter.children;
  good.style.width = `${total ? (100 * warm) / total : 0}%`;
  bad.style.width = `${total ? (100 * (all - warm)) / total : 0}%`;
  const loaded = status.bytes ?? (status.pops ? status.pops.reduce((sum, pop) => sum + (pop.bytes || 0), 0) : null);
  const figures = [
    ["URLs", `${number(status.completed)} of ${number(status.total)}`, failed ? `${number(failed)} failed` : running ? `${number(status.inProgress)} in progress` : "none failed"],
    ["Targets", total ? `${number(done)} of ${number(total)}` : none, total ? `${share} %` : null],
    ["Proofs", number(verified), "second fetches that hit"],
  ];
  if (loaded !== null) figures.push(["Loaded", bytes(loaded), null]);
  if (running) {
    figures.push(["Rate", rate === null ? "measuring" : `${rate < 10 ? rate.toFixed(1) : number(Math.round(rate))}/s`, "targets a second"]);
    figures.push(["Left", rate ? `about ${duration((total - done) / rate)}` : "measuring", null]);
  }
  if (status.cost) figures.push(["Cost", dollars(status.cost.dollars), "estimated"]);
  const answered = Object.entries(layers).map(([layer, count]) => `${layer} ${number(count)}`);
  if (answered.length) figures.push(["Answered by", answered[0], answered.slice(1).join(", ") || null]);
  refill($("[data-figures]", page), status.dryRun ? [] : figures.map(figure));
  meter.hidden = Boolean(status.dryRun);
}

function showReasons(page, status) {
  const failures = Object.entries(status.targets?.outcomes || {}).filter(([outcome, count]) => !WARM.has(outcome) && count);
  failures.sort(([, one], [, other]) => other - one);
  const most = failures[0]?.[1] || 1;
  const lines = failures.map(([outcome, count]) => {
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.max(1, (100 * count) / most)}%`;
    return make("li", {}, make("span", {}, outcomeInWords(outcome, status.words), " ", make("code", {}, outcome)), make("b", {}, plural(count, "target")), bar);
  });
  refill($("[data-reasons]", page), lines);
  $("[data-why]", page).hidden = !lines.length;
}

function showSkipped(section, skipped) {
  const reasons = new Map();
  for (const { pop, reason, detail } of skipped) reasons.set(reason, [...(reasons.get(reason) || []), detail ? `${pop} (${detail})` : pop]);
  section.hidden = !skipped.length;
  const body = section.lastElementChild;
  const looks = JSON.stringify([...reasons]);
  // Only when it changed: somebody may have opened one.
  if (body.dataset.looks === looks) return;
  body.dataset.looks = looks;
  body.replaceChildren(
    ...[...reasons].map(([reason, pops]) => make("details", {}, make("summary", {}, `${plural(pops.length, "POP")}: ${skippedInWords(reason)}`), make("p", { class: "names" }, pops.join(", ")))),
  );
}

function showWarnings(section, warnings) {
  section.hidden = !warnings.length;
  refill($("ul", section), warnings.map((text) => make("li", {}, text)));
}

const REPORTS = { html: "Report", json: "Report as JSON", csv: "Report as CSV" };

function showLinks(section, status, run, running) {
  const reports = running || status.dryRun ? [] : Object.entries(REPORTS).map(([format, text]) => make("button", { type: "button", class: "link", "data-format": format }, text));
  const lines = [...reports, linkOut(status.consoleUrl, "Step Functions console")].filter(Boolean);
  refill(section, lines);
  section.hidden = !lines.length;
}

async function openReport(run, format, signal) {
  // Opened at once, while the click is fresh: a tab opened after an answer is a pop-up to some browsers.
  const tab = window.open("", "_blank");
  if (tab) tab.opener = null;
  try {
    const { url } = await call("GET", "/report", { query: { requestID: run, format }, signal });
    if (!/^https?:\/\//.test(url)) throw new ApiError(0, "ReportNotFound", "the report has no address", []);
    if (tab) tab.location.replace(url);
    else location.assign(url);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

// Asks before a run is cancelled; Escape means no.
function confirmed() {
  const dialog = $("[data-confirm]");
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => {
      over.abort();
      resolve(dialog.returnValue === "yes");
    };
    dialog.returnValue = "no";
    dialog.addEventListener("close", end, { signal: over.signal });
    dialog.addEventListener("click", (event) => event.target.value && dialog.close(event.target.value), { signal: over.signal });
    dialog.showModal();
  });
}
