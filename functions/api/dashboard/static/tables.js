// Tables of any length: filtered, sorted, and shown a page at a time, so that only a page of it is in the document.

const ROWS = 25;

// A pager over `section`; rowsOf(items) makes a page's rows. Returns a function that shows items from the start or on.
function paged(section, rowsOf) {
  const body = $("tbody", section);
  const [back, next] = [$("[data-back]", section), $("[data-next]", section)];
  let items = [];
  let first = 0;

  function show() {
    first = Math.max(0, Math.min(first, ROWS * Math.floor((items.length - 1) / ROWS)));
    const focused = document.activeElement?.closest?.("tbody") === body ? document.activeElement.dataset.id : null;
    const rows = rowsOf(items.slice(first, first + ROWS));
    if (refill(body, rows) && focused !== null) body.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    const last = Math.min(items.length, first + ROWS);
    say($("[data-range]", section), items.length ? `${number(first + 1)} to ${number(last)} of ${number(items.length)}` : "none");
    back.disabled = first === 0;
    next.disabled = last >= items.length;
    back.hidden = next.hidden = items.length <= ROWS;
  }

  function turn(by) {
    first += by;
    show();
    announce($("[data-range]", section).textContent);
  }
  back.addEventListener("click", () => turn(-ROWS));
  next.addEventListener("click", () => turn(ROWS));
  return (found, fromStart = false) => {
    items = found;
    if (fromStart) first = 0;
    show();
  };
}

const SIGNS = { failed: "◆", "in progress": "◐", warm: "●" };

function urlTable(section) {
  const [state, search] = [$("#url-state", section), $("#url-search", section)];
  const open = new Set();
  let entries = [];
  let words = {};
  let plain = "";

  function details(entry) {
    const reasons = Object.entries(entry.reasons).map(([outcome, count]) => make("li", {}, `${outcomeInWords(outcome, words)} (${outcome}, ${plural(count, "target")})`));
    return make("tr", { class: "details" }, make("td", { colspan: "3" }, make("p", {}, `Warm at ${entry.coverage} % of its reachable targets.`), make("ul", {}, ...reasons)));
  }

  function rowsOf(shown) {
    return shown.flatMap((entry) => {
      const label = make("td", { class: `state ${entry.state.replace(" ", "-")}` }, make("span", { "aria-hidden": "true" }, SIGNS[entry.state]), entry.state);
      if (entry.state !== "failed") return [make("tr", {}, label, make("td", { class: "url" }, entry.url), make("td", { class: "number" }, entry.state === "warm" ? "enough" : ""))];
      const expanded = open.has(entry.url);
      const button = make("button", { type: "button", class: "open", "aria-expanded": String(expanded), "data-id": entry.url }, entry.url);
      const row = make("tr", {}, label, make("td", { class: "url" }, button), make("td", { class: "number" }, `${entry.coverage} %`));
      return expanded ? [row, details(entry)] : [row];
    });
  }

  const show = paged(section, rowsOf);
  const filter = (fromStart) => show(entries.filter((entry) => (!state.value || entry.state === state.value) && (!plain || entry.url.toLowerCase().includes(plain))), fromStart);

  $("tbody", section).addEventListener("click", (event) => {
    const button = event.target.closest("button.open");
    if (!button) return;
    const url = button.dataset.id;
    if (!open.delete(url)) open.add(url);
    filter(false);
  });
  state.addEventListener("change", () => filter(true));
  whenTyped(search, (text) => {
    plain = text;
    filter(true);
  });

  return (lists, told) => {
    words = told || {};
    const failures = new Map(lists.failures.map((failure) => [failure.url, failure]));
    entries = [
      ...lists.failedUrl.map((url) => ({ url, state: "failed", reasons: failures.get(url)?.reasons ?? {}, coverage: failures.get(url)?.coverage ?? 0 })),
      ...lists.inProgressUrl.map((url) => ({ url, state: "in progress" })),
      ...lists.successUrl.map((url) => ({ url, state: "warm" })),
    ];
    filter(false);
  };
}

const POP_COLUMNS = [
  ["POP", (entry) => entry.pop],
  ["Place", (entry) => entry.place],
  ["State", (entry) => STATES[entry.state]],
  ["Done", (entry) => entry.done, (entry) => `${number(entry.done)} of ${number(entry.targets)}`],
  ["Warm", (entry) => entry.warm, (entry) => number(entry.warm)],
  ["Failed", (entry) => entry.failed, (entry) => number(entry.failed)],
  ["Bytes", (entry) => entry.bytes, (entry) => bytes(entry.bytes)],
  ["Mean time", (entry) => entry.meanMs ?? -1, (entry) => (entry.meanMs === null || entry.meanMs === undefined ? "" : `${entry.meanMs.toFixed(0)} ms`)],
];

function popTable(section, known) {
  const located = new Map(known.pops.map((pop) => [pop.location, `${pop.city}, ${countryName(pop.country)}`]));
  let entries = [];
  let plain = "";
  let place = null;
  let sorted = null; // a column's index, or the order of the plan
  let down = false;

  const heads = POP_COLUMNS.map(([name], index) =>
    make("th", { scope: "col", class: index > 2 ? "number" : "" }, make("button", { type: "button", class: "sort", onclick: () => sortBy(index) }, name)),
  );
  $("thead tr", section).replaceChildren(...heads);

  const rowsOf = (shown) =>
    shown.map((entry) =>
      make("tr", {}, ...POP_COLUMNS.map(([name, value, text = value], index) => make("td", { class: index > 2 ? "number" : name === "State" ? `state ${entry.state}` : "" }, String(text(entry))))),
    );
  const show = paged(section, rowsOf);

  function sortBy(index) {
    down = sorted === index ? !down : index > 2;
    sorted = index;
    heads.forEach((head, other) => (other === index ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    filter(true);
  }

  function filter(fromStart) {
    const found = entries.filter((entry) => (!place || entry.pop.startsWith(place)) && (!plain || `${entry.pop} ${entry.place} ${STATES[entry.state]}`.toLowerCase().includes(plain)));
    if (sorted !== null) {
      const value = POP_COLUMNS[sorted][1];
      const order = (one, other) => (typeof value(one) === "number" ? value(one) - value(other) : value(one).localeCompare(value(other)));
      found.sort((one, other) => (down ? order(other, one) : order(one, other)));
    }
    show(found, fromStart);
  }

  whenTyped($("#pop-search", section), (text) => {
    plain = text;
    filter(true);
  });
  return {
    show(pops, ended) {
      entries = pops.map((entry) => ({ ...entry, state: stateOf(entry, ended), place: located.get(entry.pop.slice(0, 3)) || "unknown" }));
      filter(false);
    },
    only(code) {
      place = code;
      filter(true);
    },
  };
}
