// A run's page: its actions, progress and result.

async function runView(page, run, signal) {
  setText($("[data-name]", page), run);
  const part = (name) => $(`[data-${name}]`, page);
  const catalogue = await loadCatalogue();
  if (signal.aborted) return;
  const table = popTable(part("pops"), catalogue);
  const showMap = worldMap(part("map"), catalogue, (location) => table.filterLocation(location));
  const showUrls = urlTable(part("urls"));
  const showFailed = failedSection(part("failed"), () => showUrls.onlyFailed());
  const rate = rateMeter();
  let failed = 0; // URLs, in the last complete lists
  let announced = "";
  let shown = false;

  function show(status, lists) {
    shown = true;
    const running = status.status === "IN_PROGRESS";
    const pops = status.pops || [];
    if (lists) failed = lists.failedUrl.length;
    showHeader(page, status);
    showFigures(page, status, failed, running ? rate(status.targets?.done ?? 0) : null);
    part("cancel").hidden = !running;
    showActions(part("retry"), part("again"), status, failed);
    part("map").hidden = part("pops").hidden = !pops.length && !status.skippedPops?.length;
    if (!part("map").hidden) {
      const { used, skipped } = splitPops(pops, status.skippedPops || [], !running);
      setText(part("judged"), judgedText(status, used));
      part("judged").hidden = !part("judged").textContent;
      showMap(used, skipped, !running);
      table.show(used, !running);
    }
    part("urls").hidden = Boolean(status.dryRun);
    if (lists && !status.dryRun) {
      showUrls.show(lists, status);
      showFailed(lists.failures, status);
    }
    showTimes(part("ttfb"), status);
    showGain(part("gain"), status.gain);
    showReasons(page, status);
    showSkipped(part("skipped"), status);
    // A dry run's own are in its estimate.
    showSources(part("sources"), part("mostly-skipped"), status.dryRun ? {} : status);
    showWarnings(part("warnings"), status.warnings || []);
    showLinks(part("links"), status, run, running);
    announceProgress(status, running);
  }

  // In steps of a quarter, so that a screen reader is not interrupted every second.
  function announceProgress(status, running) {
    const done = percent(status.targets?.done ?? 0, status.targets?.total ?? 0);
    const [statusText] = STATUS[stateOfRun(status)] || [status.status];
    document.title = `${running ? `${done} %` : statusText} · ${run} · CloudFront Prewarm`;
    const text = running ? `${25 * Math.floor(done / 25)} % of the targets were tried` : `The run has ended: ${statusText}, ${number(status.completed - failed)} of ${plural(status.total, "URL")} warm`;
    if (text !== announced) announce(text);
    announced = text;
  }

  part("cancel").addEventListener("click", async () => {
    if (!(await confirmCancel())) return;
    part("cancel").disabled = true;
    await attempt("The run could not be cancelled", async () => {
      const status = await call("DELETE", "/prewarm", { query: { requestID: run }, signal });
      show(status, await fullLists(run, status, signal));
    });
    part("cancel").disabled = false;
  });
  // The same key for every click, so that a click after a lost response returns the same run.
  const retryKey = newIdempotencyKey();
  part("retry").addEventListener("click", async () => {
    part("retry").disabled = true;
    await attempt("The retry could not be started", async () => {
      const { requestID } = await call("POST", "/retry", { query: { requestID: run }, idempotencyKey: retryKey, signal });
      openStartedRun(requestID);
    });
    part("retry").disabled = false;
  });

  // An action's error has its own banner, which a status update does not clear.
  async function attempt(failure, act) {
    try {
      setBanner(part("action-error"), "");
      await act();
    } catch (error) {
      if (signal.aborted) return;
      if (error.keyRejected) return requestKeyAgain(error);
      setBanner(part("action-error"), `${failure}: ${error.message}.`);
    }
  }

  requestSection(part("request"), part("again"), run, attempt, signal);
  part("links").addEventListener("click", (event) => {
    const format = event.target.closest("[data-format]")?.dataset.format;
    if (format) attempt("The report cannot be opened", () => openReport(run, format, signal));
  });

  function showProblem(text, stopped = false) {
    setText($("span", part("problem")), text);
    part("resume").hidden = !stopped;
    part("problem").hidden = !text;
  }

  while (!signal.aborted) {
    try {
      return await follow(run, signal, show, showProblem);
    } catch (error) {
      if (!shown || !(error instanceof ApiError)) throw error;
      showProblem(`Live updates stopped: ${error.message}.`, true);
      await clicked(part("resume"), signal);
      showProblem("");
    }
  }
}
