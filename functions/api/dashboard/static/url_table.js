// The table of URLs: by state and by search; a failed URL opens to its reasons.

const SYMBOLS = { failed: "◆", "in progress": "◐", warm: "●" };

const countsText = ([warm, reachable]) => `${number(warm)} of ${number(reachable)}`;

// Returns [warm, reachable] for each URL, from stretches of URLs with the same counts.
const eachCount = (stretches = []) => stretches.flatMap(([warm, reachable, urls]) => Array(urls).fill([warm, reachable]));

function urlTable(section) {
  const [state, search] = [$("#url-state", section), $("#url-search", section)];
  const open = new Set();
  let entries = [];
  let outcomeTexts = {};
  let searchText = "";

  function details(entry) {
    const reasons = Object.entries(entry.reasons).map(([outcome, count]) => make("li", {}, `${outcomeText(outcome, outcomeTexts)} (${outcome}, ${plural(count, "target")})`));
    const step = entry.failure?.nextStep ? make("p", {}, ...nextStepElements(entry.failure.nextStep)) : null;
    const what = entry.failure?.what ? make("p", {}, entry.failure.what) : null;
    return make("tr", { class: "details" }, make("td", { colspan: "3" }, what, make("p", {}, `Warm at ${entry.coverage} % of its reachable targets.`), ...statusHistogram(entry.failure || {}), make("ul", {}, ...reasons), step));
  }

  // The form in which a browser requests the URL, where it differs from the given one.
  const fetchedForm = (entry) => (entry.fetched ? [make("small", {}, `fetched as ${entry.fetched}`)] : []);

  // A URL that a stopped run left as it was has not failed.
  const stateWord = ({ state, failure }) => (UNFINISHED.includes(failure?.nextStep?.outcome) ? "not warm" : state);

  function rowsOf(page) {
    return page.flatMap((entry) => {
      const label = make("td", { class: `state ${entry.state.replace(" ", "-")}` }, make("span", { "aria-hidden": "true" }, SYMBOLS[entry.state]), stateWord(entry));
      if (entry.state !== "failed") return [make("tr", {}, label, make("td", { class: "url" }, entry.url, ...fetchedForm(entry)), make("td", { class: "number" }, entry.counts ? countsText(entry.counts) : ""))];
      const expanded = open.has(entry.url);
      const button = make("button", { type: "button", class: "open", "aria-expanded": String(expanded), "data-id": entry.url }, entry.url);
      const row = make("tr", {}, label, make("td", { class: "url" }, button, ...fetchedForm(entry)), make("td", { class: "number" }, `${entry.coverage} %`));
      return expanded ? [row, details(entry)] : [row];
    });
  }

  const show = paged(section, rowsOf);
  const filter = (fromStart) => show(entries.filter((entry) => (!state.value || entry.state === state.value) && (!searchText || `${entry.url} ${entry.fetched || ""}`.toLowerCase().includes(searchText))), fromStart);

  $("tbody", section).addEventListener("click", (event) => {
    const button = event.target.closest("button.open");
    if (!button) return;
    const url = button.dataset.id;
    if (!open.delete(url)) open.add(url);
    filter(false);
  });
  state.addEventListener("change", () => filter(true));
  onTyping(search, (text) => {
    searchText = text;
    filter(true);
  });

  function showLists(lists, status) {
    outcomeTexts = status.words || {};
    const counts = eachCount(lists.successTargets);
    const failures = new Map(lists.failures.map((failure) => [failure.url, failure]));
    entries = [
      ...lists.failedUrl.map((url) => ({ url, state: "failed", failure: failures.get(url), reasons: failures.get(url)?.reasons ?? {}, coverage: failures.get(url)?.coverage ?? 0 })),
      ...lists.inProgressUrl.map((url) => ({ url, state: "in progress" })),
      ...lists.successUrl.map((url, index) => ({ url, state: "warm", counts: counts[index] })),
    ];
    for (const entry of entries) entry.fetched = lists.fetched?.[entry.url];
    filter(false);
  }

  return {
    show: showLists,
    onlyFailed() {
      state.value = "failed";
      filter(true);
      state.focus();
    },
  };
}
