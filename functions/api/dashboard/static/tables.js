// Tables of any length: filtered, sorted, and paginated, so that only one page is in the document.

const ROWS = 25;

// Paginates the table in `section`; rowsOf(items) returns a page's rows. Returns a function that shows items, on the
// current page or from the start.
function paged(section, rowsOf) {
  const body = $("tbody", section);
  const [back, next] = [$("[data-back]", section), $("[data-next]", section)];
  let items = [];
  let first = 0;

  function show() {
    first = Math.max(0, Math.min(first, ROWS * Math.floor((items.length - 1) / ROWS)));
    const focused = document.activeElement?.closest?.("tbody") === body ? document.activeElement.dataset.id : null;
    const rows = rowsOf(items.slice(first, first + ROWS));
    if (updateList(body, rows) && focused !== null) body.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    const last = Math.min(items.length, first + ROWS);
    setText($("[data-range]", section), items.length ? `${number(first + 1)} to ${number(last)} of ${number(items.length)}` : "none");
    back.disabled = first === 0;
    next.disabled = last >= items.length;
    back.hidden = next.hidden = items.length <= ROWS;
  }

  function turnPage(by) {
    first += by;
    show();
    announce($("[data-range]", section).textContent);
  }
  back.addEventListener("click", () => turnPage(-ROWS));
  next.addEventListener("click", () => turnPage(ROWS));
  return (newItems, fromStart = false) => {
    items = newItems;
    if (fromStart) first = 0;
    show();
  };
}

const SYMBOLS = { failed: "◆", "in progress": "◐", warm: "●" };

function urlTable(section) {
  const [state, search] = [$("#url-state", section), $("#url-search", section)];
  const open = new Set();
  let entries = [];
  let outcomeTexts = {};
  let searchText = "";

  function details(entry) {
    const reasons = Object.entries(entry.reasons).map(([outcome, count]) => make("li", {}, `${outcomeText(outcome, outcomeTexts)} (${outcome}, ${plural(count, "target")})`));
    return make("tr", { class: "details" }, make("td", { colspan: "3" }, make("p", {}, `Warm at ${entry.coverage} % of its reachable targets.`), make("ul", {}, ...reasons)));
  }

  // The form in which a browser requests the URL, where it differs from the given one.
  const fetchedForm = (entry) => (entry.fetched ? [make("small", {}, `fetched as ${entry.fetched}`)] : []);

  function rowsOf(page) {
    return page.flatMap((entry) => {
      const label = make("td", { class: `state ${entry.state.replace(" ", "-")}` }, make("span", { "aria-hidden": "true" }, SYMBOLS[entry.state]), entry.state);
      if (entry.state !== "failed") return [make("tr", {}, label, make("td", { class: "url" }, entry.url, ...fetchedForm(entry)), make("td", { class: "number" }, entry.state === "warm" ? "enough" : ""))];
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

  return (lists, serviceTexts) => {
    outcomeTexts = serviceTexts || {};
    const failures = new Map(lists.failures.map((failure) => [failure.url, failure]));
    entries = [
      ...lists.failedUrl.map((url) => ({ url, state: "failed", reasons: failures.get(url)?.reasons ?? {}, coverage: failures.get(url)?.coverage ?? 0 })),
      ...lists.inProgressUrl.map((url) => ({ url, state: "in progress" })),
      ...lists.successUrl.map((url) => ({ url, state: "warm" })),
    ];
    for (const entry of entries) entry.fetched = lists.fetched?.[entry.url];
    filter(false);
  };
}

const POP_COLUMNS = [
  ["POP", (entry) => entry.pop],
  ["Location", (entry) => entry.location],
  ["State", (entry) => STATES[entry.state]],
  ["Done", (entry) => entry.done, (entry) => `${number(entry.done)} of ${number(entry.targets)}`],
  ["Warm", (entry) => entry.warm, (entry) => number(entry.warm)],
  ["Failed", (entry) => entry.failed, (entry) => number(entry.failed)],
  ["Downloaded", (entry) => entry.bytes, (entry) => bytes(entry.bytes)],
  ["Mean time", (entry) => entry.meanMs ?? -1, (entry) => (entry.meanMs === null || entry.meanMs === undefined ? "" : `${entry.meanMs.toFixed(0)} ms`)],
];

function popTable(section, catalogue) {
  const locationNames = new Map(catalogue.pops.map((pop) => [pop.location, `${pop.city}, ${countryName(pop.country)}`]));
  let entries = [];
  let searchText = "";
  let location = null;
  let sorted = null; // a column's index; null keeps the plan's order
  let descending = false;

  const heads = POP_COLUMNS.map(([name], index) =>
    make("th", { scope: "col", class: index > 2 ? "number" : "" }, make("button", { type: "button", class: "sort", onclick: () => sortBy(index) }, name)),
  );
  $("thead tr", section).replaceChildren(...heads);

  const rowsOf = (page) =>
    page.map((entry) =>
      make("tr", {}, ...POP_COLUMNS.map(([name, value, text = value], index) => make("td", { class: index > 2 ? "number" : name === "State" ? `state ${entry.state}` : "" }, String(text(entry))))),
    );
  const show = paged(section, rowsOf);

  function sortBy(index) {
    descending = sorted === index ? !descending : index > 2;
    sorted = index;
    heads.forEach((head, other) => (other === index ? head.setAttribute("aria-sort", descending ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    filter(true);
  }

  function filter(fromStart) {
    const matches = entries.filter((entry) => (!location || entry.pop.startsWith(location)) && (!searchText || `${entry.pop} ${entry.location} ${STATES[entry.state]}`.toLowerCase().includes(searchText)));
    if (sorted !== null) {
      const value = POP_COLUMNS[sorted][1];
      const order = (one, other) => (typeof value(one) === "number" ? value(one) - value(other) : value(one).localeCompare(value(other)));
      matches.sort((one, other) => (descending ? order(other, one) : order(one, other)));
    }
    show(matches, fromStart);
  }

  onTyping($("#pop-search", section), (text) => {
    searchText = text;
    filter(true);
  });
  return {
    show(pops, ended) {
      entries = pops.map((entry) => ({ ...entry, state: stateOf(entry, ended), location: locationNames.get(entry.pop.slice(0, 3)) || "unknown" }));
      filter(false);
    },
    filterLocation(code) {
      location = code;
      filter(true);
    },
  };
}
