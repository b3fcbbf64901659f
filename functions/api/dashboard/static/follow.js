// Follow a run: poll its status until it ends, and fetch the complete lists of large runs less often.

const FIRST_PAUSE = 1_000;
const MAX_PAUSE = 3_000;
const MAX_ERROR_PAUSE = 15_000;
const URLS_PER_POLL = "1000"; // the lists of a run with more URLs are fetched separately and less often
const LISTS_INTERVAL = 15_000;
const NOT_FOUND_RETRIES = 4; // polls: Step Functions may not find a run that it has just started

const justStarted = new Set();

// Opens the page of a run that was just started.
function openStartedRun(requestID) {
  location.hash = runAddress(requestID);
  justStarted.add(requestID.split(":").at(-1));
}

const LISTS = ["failedUrl", "inProgressUrl", "successUrl", "failures", "successTargets"];

const statusOf = (run, query, signal) => call("GET", "/status", { query: { requestID: run, ...query }, signal });

// Returns the complete lists: the first page's and those of all further pages.
async function fullLists(run, first, signal) {
  const lists = Object.fromEntries(LISTS.map((name) => [name, [...(first[name] || [])]]));
  const fetched = { ...first.fetched };
  let token = first.nextToken;
  while (token) {
    const page = await statusOf(run, { nextToken: token }, signal);
    for (const name of LISTS) lists[name].push(...(page[name] || []));
    Object.assign(fetched, page.fetched);
    token = page.nextToken;
  }
  return { ...lists, fetched };
}

// Calls show(status, lists or null) for each response, and showProblem(text) while there is none; returns when the run
// has ended, and throws errors that a retry cannot fix.
async function follow(run, signal, show, showProblem) {
  let pause = FIRST_PAUSE;
  let listsAt = -Infinity;
  let paginated = false;
  let notFound = 0;
  while (!signal.aborted) {
    await untilVisible(signal);
    if (signal.aborted) return;
    const listsDue = performance.now() - listsAt >= LISTS_INTERVAL;
    try {
      let status = await statusOf(run, { include: "pops", limit: paginated && !listsDue ? "1" : URLS_PER_POLL }, signal);
      const ended = status.status !== "IN_PROGRESS";
      // When the run has ended, its lists are fetched completely, whenever they were last fetched.
      if (paginated && !listsDue && ended) status = await statusOf(run, { include: "pops", limit: URLS_PER_POLL }, signal);
      paginated = Boolean(status.nextToken);
      let lists = null;
      if (!paginated || listsDue || ended) {
        lists = await fullLists(run, status, signal);
        if (paginated) listsAt = performance.now();
      }
      notFound = 0;
      show(status, lists);
      showProblem("");
      if (ended) return;
      pause = Math.min(MAX_PAUSE, pause * 1.15);
    } catch (error) {
      if (signal.aborted) return;
      if (error.keyRejected) return requestKeyAgain(error);
      notFound += error.status === 404 ? 1 : 0;
      const starting = error.status === 404 && justStarted.has(run) && notFound < NOT_FOUND_RETRIES;
      if (!error.temporary && !starting) throw error;
      if (!starting) {
        showProblem(`Cannot get the run's status: ${error.message}. Retrying.`);
        pause = Math.min(MAX_ERROR_PAUSE, pause * 1.6);
      }
    }
    await sleep(pause, signal);
  }
}

// Returns a function that computes the targets per second over the last 30 seconds, null until known.
function rateMeter() {
  const samples = [];
  return (done) => {
    const now = performance.now() / 1000;
    samples.push([now, done]);
    while (samples.length > 2 && now - samples[0][0] > 30) samples.shift();
    const [since, before] = samples[0];
    return now - since < 1 ? null : (done - before) / (now - since);
  };
}
