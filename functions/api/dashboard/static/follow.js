// Following a run: one question after the other until its end, whole lists only as often as they are worth it.

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 3_000;
const PAUSE_IN_TROUBLE = 15_000;
const LINES_A_POLL = "1000"; // a run of more URLs has its lists fetched apart, and more seldom
const LISTS_EVERY = 15_000;
const UNKNOWN_AT_FIRST = 4; // questions: Step Functions may not know at once what it has just started

const justStarted = new Set();

// Leads to the page of a run that was started a moment ago.
function leadTo(requestID) {
  location.hash = runAddress(requestID);
  justStarted.add(requestID.split(":").at(-1));
}

const LISTS = ["failedUrl", "inProgressUrl", "successUrl", "failures"];

const statusOf = (run, query, signal) => call("GET", "/status", { query: { requestID: run, ...query }, signal });

// The other pages of a status, put together with its first.
async function wholeLists(run, first, signal) {
  const lists = Object.fromEntries(LISTS.map((name) => [name, [...(first[name] || [])]]));
  let token = first.nextToken;
  while (token) {
    const page = await statusOf(run, { nextToken: token }, signal);
    for (const name of LISTS) lists[name].push(...(page[name] || []));
    token = page.nextToken;
  }
  return lists;
}

// Calls show(status, lists or null) for each answer, and tell(words) when there is none for now; returns at the run's
// end, and throws what asking again would not mend.
async function follow(run, signal, show, tell) {
  let pause = FIRST_PAUSE;
  let listsAt = -Infinity;
  let many = false;
  let unknown = 0;
  while (!signal.aborted) {
    await untilVisible(signal);
    if (signal.aborted) return;
    const due = performance.now() - listsAt >= LISTS_EVERY;
    try {
      let status = await statusOf(run, { include: "pops", limit: many && !due ? "1" : LINES_A_POLL }, signal);
      const ended = status.status !== "IN_PROGRESS";
      // The lists of the end are wanted whole, whenever the last ones were fetched.
      if (many && !due && ended) status = await statusOf(run, { include: "pops", limit: LINES_A_POLL }, signal);
      many = Boolean(status.nextToken);
      let lists = null;
      if (!many || due || ended) {
        lists = await wholeLists(run, status, signal);
        if (many) listsAt = performance.now();
      }
      unknown = 0;
      show(status, lists);
      tell("");
      if (ended) return;
      pause = Math.min(LONGEST_PAUSE, pause * 1.15);
    } catch (error) {
      if (signal.aborted) return;
      if (error.aboutKey) return askAgain(error);
      unknown += error.status === 404 ? 1 : 0;
      const waits = error.status === 404 && justStarted.has(run) && unknown < UNKNOWN_AT_FIRST;
      if (!error.passing && !waits) throw error;
      if (!waits) {
        tell(`No news of the run: ${error.message}. Asking again.`);
        pause = Math.min(PAUSE_IN_TROUBLE, pause * 1.6);
      }
    }
    await sleep(pause, signal);
  }
}

// How fast targets are done: over the last half minute, so that it follows the run's turns.
function speedometer() {
  const seen = [];
  return (done) => {
    const now = performance.now() / 1000;
    seen.push([now, done]);
    while (seen.length > 2 && now - seen[0][0] > 30) seen.shift();
    const [since, before] = seen[0];
    return now - since < 1 ? null : (done - before) / (now - since);
  };
}
