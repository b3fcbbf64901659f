// The list of runs: newest first, by status, more by the page, and fresh.

const RUNS_A_PAGE = 20;
const RUNS_AT_MOST = 100; // what one answer holds
const FRESH_WHILE_RUNNING = 4_000;
const FRESH = 12_000;

const runAddress = (requestID) => `#/run/${encodeURIComponent(requestID.split(":").at(-1))}`;

function runLine({ requestID, run, status, startedAt, endedAt }) {
  const took = endedAt ? `, took ${duration(secondsBetween(startedAt, endedAt))}` : "";
  return make("li", {}, make("a", { href: runAddress(run || requestID) }, run), chipOf(status), make("small", {}, `${moment(startedAt)}${took}`));
}

async function runList(section, signal) {
  const list = $("[data-runs]", section);
  const filter = $("#run-status", section);
  const more = $("[data-more]", section);
  let runs = [];
  let token = null;
  let asked = 0; // counts questions, so that an answer that comes too late is dropped

  function show() {
    const focused = document.activeElement?.closest?.("[data-runs]") ? document.activeElement.getAttribute("href") : null;
    if (refill(list, runs.map(runLine)) && focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    more.hidden = !token;
    $("[data-none]", section).hidden = runs.length > 0;
    say($("[data-none]", section), token ? "None among the newest; look further." : "No runs to show.");
  }

  async function ask(further) {
    const mine = (asked += 1);
    // A fresh look takes in what was shown before, as far as one answer holds it.
    const limit = further ? RUNS_A_PAGE : Math.min(RUNS_AT_MOST, Math.max(RUNS_A_PAGE, runs.length));
    try {
      const answer = await call("GET", "/runs", { query: { limit, status: filter.value, nextToken: further ? token : "" }, signal });
      if (mine !== asked) return;
      const fresh = new Set(answer.runs.map(({ run }) => run));
      if (further) runs = [...runs.filter(({ run }) => !fresh.has(run)), ...answer.runs];
      else if (runs.length <= limit) runs = answer.runs;
      else runs = [...answer.runs, ...runs.filter(({ run }) => !fresh.has(run))];
      if (further || runs.length <= limit) token = answer.nextToken || null;
      trouble($("[data-trouble]", section), "");
      show();
      if (further) announce(`${plural(runs.length, "run")} shown`);
    } catch (error) {
      if (signal.aborted || mine !== asked) return;
      if (error.aboutKey) return askAgain(error);
      trouble($("[data-trouble]", section), `The list may be old: ${error.message}.`);
    }
  }

  more.addEventListener("click", () => ask(true));
  filter.addEventListener("change", () => {
    runs = [];
    token = null;
    ask(false);
  });
  while (!signal.aborted) {
    await ask(false);
    await sleep(runs.some(({ status }) => status === "IN_PROGRESS") ? FRESH_WHILE_RUNNING : FRESH, signal);
    await untilVisible(signal);
  }
}
