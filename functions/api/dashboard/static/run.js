// A run's page: what is asked of it, how far it is, and how it ended.

async function runView(page, run, signal) {
  say($("[data-name]", page), run);
  const part = (name) => $(`[data-${name}]`, page);
  const known = await catalogue();
  if (signal.aborted) return;
  const table = popTable(part("pops"), known);
  const showMap = worldMap(part("map"), known, (city) => table.only(city));
  const showUrls = urlTable(part("urls"));
  const speed = speedometer();
  let failed = 0; // URLs, by the last whole lists
  let told = "";
  let shown = false;

  function show(status, lists) {
    shown = true;
    const running = status.status === "IN_PROGRESS";
    const pops = status.pops || [];
    if (lists) failed = lists.failedUrl.length;
    showHead(page, status);
    showFigures(page, status, failed, running ? speed(status.targets?.done ?? 0) : null);
    part("cancel").hidden = !running;
    part("retry").hidden = running || !(failed || status.remedy?.kind === "retry");
    part("map").hidden = part("pops").hidden = !pops.length && !status.skippedPops?.length;
    if (!part("map").hidden) {
      const { used, out } = usedAndLeftOut(pops, status.skippedPops || [], !running);
      showMap(used, out, !running);
      table.show(used, !running);
    }
    part("urls").hidden = Boolean(status.dryRun);
    if (lists && !status.dryRun) showUrls(lists, status.words);
    showReasons(page, status);
    showSkipped(part("skipped"), status.skippedPops || []);
    showWarnings(part("warnings"), status.warnings || []);
    showLinks(part("links"), status, run, running);
    tellProgress(status, running);
  }

  // By quarters, since a voice that counts every second cannot be listened to.
  function tellProgress(status, running) {
    const done = percent(status.targets?.done ?? 0, status.targets?.total ?? 0);
    const [words] = STATUS[status.status] || [status.status];
    document.title = `${running ? `${done} %` : words} · ${run} · CloudFront Prewarm`;
    const now = running ? `${25 * Math.floor(done / 25)} % of the targets are done` : `The run has ended: ${words}, ${number(status.completed - failed)} of ${plural(status.total, "URL")} warm`;
    if (now !== told) announce(now);
    told = now;
  }

  part("cancel").addEventListener("click", async () => {
    if (!(await confirmed())) return;
    part("cancel").disabled = true;
    await attempt("Cancel did not work", async () => {
      const status = await call("DELETE", "/prewarm", { query: { requestID: run }, signal });
      show(status, await wholeLists(run, status, signal));
    });
    part("cancel").disabled = false;
  });
  // Clicked again after an answer that was lost, it is the same run.
  const again = newKey();
  part("retry").addEventListener("click", async () => {
    part("retry").disabled = true;
    await attempt("Retry did not work", async () => {
      const { requestID } = await call("POST", "/retry", { query: { requestID: run }, once: again, signal });
      leadTo(requestID);
    });
    part("retry").disabled = false;
  });

  // What came of an action stands in a place of its own, which no news of the run clears.
  async function attempt(what, act) {
    try {
      trouble(part("refused"), "");
      await act();
    } catch (error) {
      if (signal.aborted) return;
      if (error.aboutKey) return askAgain(error);
      trouble(part("refused"), `${what}: ${error.message}.`);
    }
  }

  part("links").addEventListener("click", (event) => {
    const format = event.target.closest("[data-format]")?.dataset.format;
    if (format) attempt("The report cannot be opened", () => openReport(run, format, signal));
  });

  function tell(words, stopped = false) {
    say($("span", part("trouble")), words);
    part("go-on").hidden = !stopped;
    part("trouble").hidden = !words;
  }

  while (!signal.aborted) {
    try {
      return await follow(run, signal, show, tell);
    } catch (error) {
      if (!shown || !(error instanceof ApiError)) throw error;
      tell(`Watching has stopped: ${error.message}.`, true);
      await clicked(part("go-on"), signal);
      tell("");
    }
  }
}
