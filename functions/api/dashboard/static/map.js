// The map: a mark for each city, cold until its POPs are warm. Colour, shape and label all show the state.

const WORLD = { x: 0, y: 60, width: 3600, height: 1440 };
const WORLD_REGIONS = {
  world: WORLD,
  "north-america": { x: 500, y: 330, width: 800, height: 420 },
  "south-america": { x: 850, y: 740, width: 700, height: 740 },
  europe: { x: 1650, y: 260, width: 600, height: 320 },
  africa: { x: 1550, y: 480, width: 900, height: 780 },
  asia: { x: 2400, y: 460, width: 1000, height: 540 },
  oceania: { x: 2850, y: 920, width: 750, height: 480 },
};
const MIN_WIDTH = 620; // tenths of a degree, so that the map of a single city still shows its surroundings

const mapX = (longitude) => (longitude + 180) * 10;
const mapY = (latitude) => (90 - latitude) * 10;

// Returns a box with the aspect ratio `shape` around another box, moved into the world where it fits.
function fitBox({ x, y, width, height }, shape) {
  const boxWidth = Math.min(WORLD.width, Math.max(MIN_WIDTH, width, height * shape));
  const boxHeight = boxWidth / shape;
  const left = Math.min(Math.max(0, x + width / 2 - boxWidth / 2), WORLD.width - boxWidth);
  const spare = WORLD.height - boxHeight;
  const top = spare < 0 ? WORLD.y + spare / 2 : Math.min(Math.max(WORLD.y, y + height / 2 - boxHeight / 2), WORLD.y + spare);
  return { x: left, y: top, width: boxWidth, height: boxHeight };
}

function boxAround(cities) {
  const xs = cities.map(({ x }) => x);
  const ys = cities.map(({ y }) => y);
  const [west, north] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - west, Math.max(...ys) - north];
  const margin = 60 + 0.08 * Math.max(width, height);
  return { x: west - margin, y: north - margin, width: width + 2 * margin, height: height + 2 * margin };
}

const diamondAt = (x, y, r) => `M${x} ${y - r}L${x + r} ${y} ${x} ${y + r} ${x - r} ${y}Z`;

// The shapes of a mark with radius r in pixels: a ring, a core that grows with the share done, a cross for a failure.
function markShapes(state, r, share) {
  const arm = r * 0.42;
  return [
    draw("circle", { class: "halo", r: r + 4 }),
    state === "failed" ? draw("path", { class: "ring", d: diamondAt(0, 0, r * 1.2) }) : draw("circle", { class: "ring", r }),
    draw("circle", { class: "core", r: (state === "warm" || state === "partly" ? r : r * Math.sqrt(share) * 0.85).toFixed(2) }),
    ...(state === "failed" ? [draw("path", { class: "cross", d: `M${-arm} ${-arm}L${arm} ${arm}M${arm} ${-arm}L${-arm} ${arm}` })] : []),
    ...(state === "partly" ? [draw("path", { class: "badge", d: diamondAt(r * 0.72, -r * 0.72, 2.2 + r * 0.34) })] : []),
  ];
}

// Returns a function that shows a run's POPs; `onSelect` is called with the selected location's code, or null.
function worldMap(section, catalogue, onSelect) {
  const svg = $("svg", section);
  const layer = $(".cities", svg);
  const view = $("#map-view", section);
  const locations = new Map(catalogue.pops.map((pop) => [pop.location, pop]));
  const cities = new Map();
  let selected = null;
  let framedCities = "";

  function layOut() {
    const region = WORLD_REGIONS[view.value];
    const [width, height] = [svg.clientWidth || 1000, svg.clientHeight || 400];
    const box = fitBox(region || (cities.size ? boxAround([...cities.values()]) : WORLD), width / height);
    svg.setAttribute("viewBox", [box.x, box.y, box.width, box.height].map(Math.round).join(" "));
    // Marks and dots keep their size in pixels at every zoom level; on a small map they are smaller.
    const size = (box.width / width) * Math.min(1, 0.3 + width / 1300);
    $("pattern", svg).setAttribute("patternTransform", `scale(${size.toFixed(3)})`);
    for (const city of cities.values()) city.mark.setAttribute("transform", `translate(${city.x} ${city.y}) scale(${size.toFixed(3)})`);
  }

  function cityOf(code) {
    const location = locations.get(code);
    if (!location) return null;
    if (!cities.has(code)) {
      const mark = draw("g", { role: "button", tabindex: cities.size ? "-1" : "0", "data-city": code });
      cities.set(code, { code, name: `${location.city}, ${countryName(location.country)}`, x: mapX(location.longitude), y: mapY(location.latitude), mark });
    }
    return cities.get(code);
  }

  function select(code) {
    selected = selected === code ? null : code;
    for (const city of cities.values()) city.mark.setAttribute("aria-pressed", String(city.code === selected));
    showHint();
  }

  // A city whose POPs were all skipped has none in the table, so it filters nothing.
  function showHint() {
    const city = cities.get(selected);
    const filter = city?.pops ? selected : null;
    const help = filter ? "The table of POPs below shows only this location; select it again to show all." : "See “Skipped POPs” below for the reasons.";
    setText($("[data-map-hint]", section), city ? `${city.label}. ${help}` : defaultHint);
    if (filter !== currentFilter) onSelect(filter);
    currentFilter = filter;
  }
  let defaultHint = "";
  let currentFilter = null;

  layer.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-city]");
    if (mark) select(mark.dataset.city);
  });
  layer.addEventListener("keydown", (event) => {
    const mark = event.target.closest("[data-city]");
    if (!mark) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return select(mark.dataset.city);
    }
    const order = [...cities.values()].sort((one, other) => one.x - other.x);
    const index = order.findIndex(({ code }) => code === mark.dataset.city);
    const target = { ArrowRight: index + 1, ArrowDown: index + 1, ArrowLeft: index - 1, ArrowUp: index - 1, Home: 0, End: order.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const next = order[(target + order.length) % order.length].mark;
    mark.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  view.addEventListener("change", layOut);
  new ResizeObserver(layOut).observe(svg);

  function show(pops, skipped, ended) {
    const sums = new Map();
    const unknown = [];
    const add = (pop, counts, skipped) => {
      const code = pop.slice(0, 3);
      const sum = sums.get(code) || { targets: 0, done: 0, warm: 0, failed: 0, pops: 0, skipped: 0, differs: 0, failedEverywhere: 0 };
      for (const name of ["targets", "done", "warm", "failed", "failedEverywhere"]) sum[name] += counts[name] || 0;
      sum.pops += skipped ? 0 : 1;
      sum.differs += counts.differs ? 1 : 0;
      sum.skipped += skipped ? 1 : 0;
      if (locations.has(code)) sums.set(code, sum);
      else unknown.push(pop);
    };
    for (const entry of pops) add(entry.pop, judgedCounts(entry), false);
    for (const pop of skipped) add(pop, {}, true);
    const counts = Object.fromEntries(Object.keys(STATES).map((state) => [state, 0]));
    for (const [code, sum] of sums) {
      const city = cityOf(code);
      const state = stateOf(sum, ended);
      city.pops = sum.pops;
      counts[state] += 1;
      const skippedText = sum.skipped ? `, ${number(sum.skipped)} skipped` : "";
      city.label = sum.pops ? `${city.name}: ${plural(sum.pops, "POP")}, ${STATES[state]}, ${sum.targets ? `${number(sum.warm)} of ${plural(sum.targets, "target")} warm` : "every URL failed everywhere"}${sum.failed ? `, ${number(sum.failed)} failed` : ""}${sum.targets && sum.failedEverywhere ? `, without ${number(sum.failedEverywhere)} of URLs that failed everywhere` : ""}${sum.differs ? `, ${plural(sum.differs, "POP")} less warm than the others` : ""}${skippedText}` : `${city.name}: ${plural(sum.skipped, "POP")} skipped`;
      const radius = 3.6 + 1.9 * Math.sqrt(sum.pops || sum.skipped);
      const signature = `${state} ${sum.differs > 0} ${radius} ${Math.round(20 * (sum.done / (sum.targets || 1)))}`;
      if (city.signature !== signature) {
        city.signature = signature;
        city.radius = radius;
        city.mark.setAttribute("class", `city ${state}${sum.differs ? " differs" : ""}`);
        city.mark.replaceChildren(draw("title"), ...markShapes(state, radius, sum.done / (sum.targets || 1)));
      }
      setText($("title", city.mark), city.label);
      city.mark.setAttribute("aria-label", city.label);
      city.mark.setAttribute("aria-pressed", String(code === selected));
    }
    if (framedCities !== [...cities.keys()].join()) {
      framedCities = [...cities.keys()].join();
      // Large marks below small ones, so that the small ones are visible and selectable.
      layer.replaceChildren(...[...cities.values()].sort((one, other) => other.radius - one.radius).map(({ mark }) => mark));
      layOut();
    }
    defaultHint = unknown.length ? `Not on the map, because their location is unknown: ${unknown.join(", ")}.` : "Each mark is a city; its size shows the number of POPs. Select one to filter the table of POPs.";
    showHint();
    legend($("[data-legend]", section), counts);
  }
  return show;
}

function legend(list, counts) {
  const lines = Object.entries(STATES).map(([state, text]) => {
    const picture = draw("svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" }, draw("g", { class: `city ${state}` }, ...markShapes(state, 6.5, state === "warming" ? 0.4 : 0)));
    return make("li", {}, picture, `${text}: `, make("b", {}, plural(counts[state], "city", "cities")));
  });
  updateList(list, lines);
}
