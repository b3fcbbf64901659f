// The list of runs: newest first, filtered by status, paginated and refreshed.

const RUNS_PER_PAGE = 20;
const MAX_RUNS = 100; // the API's maximum per response
const REFRESH_WHILE_RUNNING = 4_000;
const REFRESH = 12_000;

const runAddress = (requestID) => `#/run/${encodeURIComponent(requestID.split(":").at(-1))}`;

function runLine({ requestID, run, status, startedAt, endedAt }) {
  const took = endedAt ? `, took ${duration(secondsBetween(startedAt, endedAt))}` : "";
  return make("li", {}, make("a", { href: runAddress(run || requestID) }, run), statusChip(status), make("small", {}, `${formatTime(startedAt)}${took}`));
}

async function runList(section, signal) {
  const list = $("[data-runs]", section);
  const filter = $("#run-status", section);
  const moreButton = $("[data-more]", section);
  let runs = [];
  let token = null;
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
      const response = await call("GET", "/runs", { query: { limit, status: filter.value, nextToken: more ? token : "" }, signal });
      if (request !== requests) return;
      const received = new Set(response.runs.map(({ run }) => run));
      if (more) runs = [...runs.filter(({ run }) => !received.has(run)), ...response.runs];
      else if (runs.length <= limit) runs = response.runs;
      else runs = [...response.runs, ...runs.filter(({ run }) => !received.has(run))];
      if (more || runs.length <= limit) token = response.nextToken || null;
      setBanner($("[data-problem]", section), "");
      show();
      if (more) announce(`${plural(runs.length, "run")} shown`);
    } catch (error) {
      if (signal.aborted || request !== requests) return;
      if (error.keyRejected) return requestKeyAgain(error);
      setBanner($("[data-problem]", section), `The list may be out of date: ${error.message}.`);
    }
  }

  moreButton.addEventListener("click", () => load(true));
  filter.addEventListener("change", () => {
    runs = [];
    token = null;
    load(false);
  });
  while (!signal.aborted) {
    await load(false);
    await sleep(runs.some(({ status }) => status === "IN_PROGRESS") ? REFRESH_WHILE_RUNNING : REFRESH, signal);
    await untilVisible(signal);
  }
}
