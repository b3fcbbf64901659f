// The list of runs: newest first, filtered by status, paginated and refreshed.

const RUNS_PER_PAGE = 20;
const MAX_RUNS = 100; // the API's maximum per response
const REFRESH_WHILE_RUNNING = 4_000;
const REFRESH = 12_000;

const runAddress = (requestID) => `#/run/${encodeURIComponent(requestID.split(":").at(-1))}`;

// Returns the chosen locations as text, such as "Europe, Japan · 140 POPs".
function locationText({ regionType, region = [], pops }) {
  const names = region.length === 1 && region[0] === "all" ? ["everywhere"] : region.map((name) => (regionType === "region" ? REGIONS[name] : regionType === "country" ? titleCase(name) : "") || name);
  return [names.join(", "), pops ? plural(pops, "POP") : ""].filter(Boolean).join(" · ");
}

function countText({ total, warm, failed, dryRun, status }) {
  // Before the plan, the URLs of a list or sitemap are not counted.
  if (!total) return dryRun ? "dry run" : "";
  if (dryRun) return `dry run of ${plural(total, "URL")}`;
  if (warm === null || warm === undefined || status === "IN_PROGRESS") return plural(total, "URL");
  return `${number(warm)} of ${plural(total, "URL")} warm${failed ? `, ${number(failed)} failed` : ""}`;
}

const starters = { direct: "started without the API", iam: "started with IAM permissions" };
const starterText = (startedBy) => (startedBy ? starters[startedBy] || `started by API key ${startedBy}` : "");

function hostText({ hosts = [], hostCount }) {
  const more = (hostCount || 0) - Math.min(hosts.length, 3);
  return `${hosts.slice(0, 3).join(", ")}${more > 0 ? ` and ${number(more)} more` : ""}`;
}

function runLine(entry) {
  const { requestID, run, status, startedAt, endedAt, label, dollars: cost } = entry;
  const took = endedAt ? `, took ${duration(secondsBetween(startedAt, endedAt))}` : "";
  const second = [label ? run : "", `${formatTime(startedAt)}${took}`, starterText(entry.startedBy)];
  const third = [countText(entry), hostText(entry), locationText(entry), cost === null || cost === undefined ? "" : dollars(cost)];
  const lines = [second, third].map((parts) => parts.filter(Boolean).join(" · ")).filter(Boolean);
  return make("li", {}, make("a", { href: runAddress(run || requestID), class: label ? "labelled" : "" }, label || run), statusChip(shownState(status, entry.failed)), ...lines.map((text) => make("small", {}, text)));
}

// Filters by label, host and time. Returns the query; calls `changed` when other runs are to be shown.
function runFinder(section, changed) {
  const form = $("[data-find-form]", section);
  let query = {};
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = (name) => $(`#find-${name}`, form).value.trim();
    query = { label: value("label"), host: value("host").toLowerCase(), since: value("since"), until: value("until") };
    changed();
  });
  form.addEventListener("reset", () => {
    query = {};
    changed();
  });
  return { query: () => query, showProblems: (error) => showProblems(form, error) };
}

async function runList(section, signal) {
  const list = $("[data-runs]", section);
  const filter = $("#run-status", section);
  const moreButton = $("[data-more]", section);
  let runs = [];
  let token = null;
  const finder = runFinder(section, () => reset());
  let requests = 0; // counts requests, so that an outdated response is ignored

  function show() {
    const focused = document.activeElement?.closest?.("[data-runs]") ? document.activeElement.getAttribute("href") : null;
    if (updateList(list, runs.map(runLine)) && focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    moreButton.hidden = !token;
    $("[data-empty]", section).hidden = runs.length > 0;
    setText($("[data-empty]", section), token ? "No matching runs among the newest; load more." : "No runs to show.");
  }

  async function load(more) {
    const request = (requests += 1);
    // A refresh covers all runs shown so far, up to one response's maximum.
    const limit = more ? RUNS_PER_PAGE : Math.min(MAX_RUNS, Math.max(RUNS_PER_PAGE, runs.length));
    try {
      const response = await call("GET", "/runs", { query: { limit, status: filter.value, nextToken: more ? token : "", ...finder.query() }, signal });
      if (request !== requests) return;
      const received = new Set(response.runs.map(({ run }) => run));
      if (more) runs = [...runs.filter(({ run }) => !received.has(run)), ...response.runs];
      else if (runs.length <= limit) runs = response.runs;
      else runs = [...response.runs, ...runs.filter(({ run }) => !received.has(run))];
      if (more || runs.length <= limit) token = response.nextToken || null;
      setBanner($("[data-problem]", section), "");
      finder.showProblems(NO_PROBLEMS);
      show();
      if (more) announce(`${plural(runs.length, "run")} shown`);
    } catch (error) {
      if (signal.aborted || request !== requests) return;
      if (error.keyRejected) return requestKeyAgain(error);
      const general = error.status === 400 ? finder.showProblems(error) : [];
      if (error.status === 400 && !general.length) return show();
      setBanner($("[data-problem]", section), `The list may be out of date: ${error.message}.`);
    }
  }

  moreButton.addEventListener("click", () => load(true));
  filter.addEventListener("change", () => reset());
  function reset() {
    runs = [];
    token = null;
    load(false);
  }
  while (!signal.aborted) {
    await load(false);
    await sleep(runs.some(({ status }) => status === "IN_PROGRESS") ? REFRESH_WHILE_RUNNING : REFRESH, signal);
    await untilVisible(signal);
  }
}
