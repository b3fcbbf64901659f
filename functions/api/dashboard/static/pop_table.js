// The table of POPs.

const POP_COLUMNS = [
  ["POP", (entry) => entry.pop],
  ["Location", (entry) => entry.location],
  ["State", (entry) => `${STATES[entry.state]}${entry.differs ? " ▲ less than the others" : ""}`],
  ["Tried", (entry) => entry.done, (entry) => `${number(entry.done)} of ${number(entry.targets)}`],
  ["Warm", (entry) => entry.warm, (entry) => number(entry.warm)],
  ["Failed", (entry) => entry.failed, (entry) => number(entry.failed)],
  ["Failed everywhere", (entry) => entry.failedEverywhere, (entry) => number(entry.failedEverywhere)],
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
      make("tr", {}, ...POP_COLUMNS.map(([name, value, text = value], index) => make("td", { class: index > 2 ? "number" : name === "State" ? `state ${entry.state}` : "", ...(name === "State" && entry.differs ? { "data-differs": true } : {}) }, String(text(entry))))),
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
      entries = pops.map(judgedCounts).map((entry) => ({ ...entry, state: stateOf({ ...entry, pops: 1 }, ended), location: locationNames.get(entry.pop.slice(0, 3)) || "unknown" }));
      // A POP that differs from the others is listed first.
      entries.sort((one, other) => Number(other.differs || false) - Number(one.differs || false));
      filter(false);
    },
    filterLocation(code) {
      location = code;
      filter(true);
    },
  };
}
