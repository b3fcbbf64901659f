// The map: a mark for each city, cold until its POPs are warm. Colour, shape and words say the same.

const WORLD = { x: 0, y: 60, width: 3600, height: 1440 };
const PARTS_OF_WORLD = {
  world: WORLD,
  "north-america": { x: 500, y: 330, width: 800, height: 420 },
  "south-america": { x: 850, y: 740, width: 700, height: 740 },
  europe: { x: 1650, y: 260, width: 600, height: 320 },
  africa: { x: 1550, y: 480, width: 900, height: 780 },
  asia: { x: 2400, y: 460, width: 1000, height: 540 },
  oceania: { x: 2850, y: 920, width: 750, height: 480 },
};
const NARROWEST = 620; // tenths of a degree, so that a run of one city still shows a part of the world

const eastOf = (longitude) => (longitude + 180) * 10;
const southOf = (latitude) => (90 - latitude) * 10;

// A box of some shape (width over height) around another, within the world as far as it fits.
function framed({ x, y, width, height }, shape) {
  const wide = Math.min(WORLD.width, Math.max(NARROWEST, width, height * shape));
  const high = wide / shape;
  const left = Math.min(Math.max(0, x + width / 2 - wide / 2), WORLD.width - wide);
  const spare = WORLD.height - high;
  const top = spare < 0 ? WORLD.y + spare / 2 : Math.min(Math.max(WORLD.y, y + height / 2 - high / 2), WORLD.y + spare);
  return { x: left, y: top, width: wide, height: high };
}

function around(cities) {
  const xs = cities.map(({ x }) => x);
  const ys = cities.map(({ y }) => y);
  const [west, north] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - west, Math.max(...ys) - north];
  const rim = 60 + 0.08 * Math.max(width, height);
  return { x: west - rim, y: north - rim, width: width + 2 * rim, height: height + 2 * rim };
}

const diamondAt = (x, y, r) => `M${x} ${y - r}L${x + r} ${y} ${x} ${y + r} ${x - r} ${y}Z`;

// A mark of radius r pixels: a ring, a core that grows with what is done, a cross for what failed.
function markOf(state, r, share) {
  const arm = r * 0.42;
  return [
    draw("circle", { class: "halo", r: r + 4 }),
    state === "failed" ? draw("path", { class: "ring", d: diamondAt(0, 0, r * 1.2) }) : draw("circle", { class: "ring", r }),
    draw("circle", { class: "core", r: (state === "warm" || state === "partly" ? r : r * Math.sqrt(share) * 0.85).toFixed(2) }),
    ...(state === "failed" ? [draw("path", { class: "cross", d: `M${-arm} ${-arm}L${arm} ${arm}M${arm} ${-arm}L${-arm} ${arm}` })] : []),
    ...(state === "partly" ? [draw("path", { class: "badge", d: diamondAt(r * 0.72, -r * 0.72, 2.2 + r * 0.34) })] : []),
  ];
}

function worldMap(section, known, choose) {
  const svg = $("svg", section);
  const layer = $(".cities", svg);
  const view = $("#map-view", section);
  const located = new Map(known.pops.map((pop) => [pop.location, pop]));
  const cities = new Map();
  let chosen = null;
  let framedFor = "";

  function place() {
    const named = PARTS_OF_WORLD[view.value];
    const [width, height] = [svg.clientWidth || 1000, svg.clientHeight || 400];
    const box = framed(named || (cities.size ? around([...cities.values()]) : WORLD), width / height);
    svg.setAttribute("viewBox", [box.x, box.y, box.width, box.height].map(Math.round).join(" "));
    // Marks and dots keep their size in pixels, however far in one looks; on a small map they are smaller.
    const size = (box.width / width) * Math.min(1, 0.3 + width / 1300);
    $("pattern", svg).setAttribute("patternTransform", `scale(${size.toFixed(3)})`);
    for (const city of cities.values()) city.mark.setAttribute("transform", `translate(${city.x} ${city.y}) scale(${size.toFixed(3)})`);
  }

  function cityOf(code) {
    const found = located.get(code);
    if (!found) return null;
    if (!cities.has(code)) {
      const mark = draw("g", { role: "button", tabindex: cities.size ? "-1" : "0", "data-city": code });
      cities.set(code, { code, name: `${found.city}, ${countryName(found.country)}`, x: eastOf(found.longitude), y: southOf(found.latitude), mark });
    }
    return cities.get(code);
  }

  function pick(code) {
    chosen = chosen === code ? null : code;
    for (const city of cities.values()) city.mark.setAttribute("aria-pressed", String(city.code === chosen));
    tell();
  }

  // A city whose POPs were all left out has none in the table, so it narrows nothing.
  function tell() {
    const city = cities.get(chosen);
    const only = city?.pops ? chosen : null;
    const where = only ? "The table of POPs below shows this place only; choose it again to see all." : "Why is told below, at “POPs left out”.";
    say($("[data-map-hint]", section), city ? `${city.words}. ${where}` : unplaced);
    if (only !== narrowed) choose(only);
    narrowed = only;
  }
  let unplaced = "";
  let narrowed = null;

  layer.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-city]");
    if (mark) pick(mark.dataset.city);
  });
  layer.addEventListener("keydown", (event) => {
    const mark = event.target.closest("[data-city]");
    if (!mark) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return pick(mark.dataset.city);
    }
    const order = [...cities.values()].sort((one, other) => one.x - other.x);
    const here = order.findIndex(({ code }) => code === mark.dataset.city);
    const to = { ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1, Home: 0, End: order.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = order[(to + order.length) % order.length].mark;
    mark.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  view.addEventListener("change", place);
  new ResizeObserver(place).observe(svg);

  function show(pops, skipped, ended) {
    const sums = new Map();
    const strangers = [];
    const add = (pop, counts, left) => {
      const code = pop.slice(0, 3);
      const sum = sums.get(code) || { targets: 0, done: 0, warm: 0, failed: 0, pops: 0, left: 0 };
      for (const name of ["targets", "done", "warm", "failed"]) sum[name] += counts[name] || 0;
      sum.pops += left ? 0 : 1;
      sum.left += left ? 1 : 0;
      if (located.has(code)) sums.set(code, sum);
      else strangers.push(pop);
    };
    for (const entry of pops) add(entry.pop, entry, false);
    for (const pop of skipped) add(pop, {}, true);
    const counts = Object.fromEntries(Object.keys(STATES).map((state) => [state, 0]));
    for (const [code, sum] of sums) {
      const city = cityOf(code);
      const state = stateOf(sum, ended);
      city.pops = sum.pops;
      counts[state] += 1;
      const left = sum.left ? `, ${number(sum.left)} left out` : "";
      city.words = sum.pops ? `${city.name}: ${plural(sum.pops, "POP")}, ${STATES[state]}, ${number(sum.warm)} of ${plural(sum.targets, "target")} warm${sum.failed ? `, ${number(sum.failed)} failed` : ""}${left}` : `${city.name}: ${plural(sum.left, "POP")} left out`;
      const radius = 3.6 + 1.9 * Math.sqrt(sum.pops || sum.left);
      const looks = `${state} ${radius} ${Math.round(20 * (sum.done / (sum.targets || 1)))}`;
      if (city.looks !== looks) {
        city.looks = looks;
        city.radius = radius;
        city.mark.setAttribute("class", `city ${state}`);
        city.mark.replaceChildren(draw("title"), ...markOf(state, radius, sum.done / (sum.targets || 1)));
      }
      say($("title", city.mark), city.words);
      city.mark.setAttribute("aria-label", city.words);
      city.mark.setAttribute("aria-pressed", String(code === chosen));
    }
    if (framedFor !== [...cities.keys()].join()) {
      framedFor = [...cities.keys()].join();
      // Large ones below, so that small ones can be seen and chosen.
      layer.replaceChildren(...[...cities.values()].sort((one, other) => other.radius - one.radius).map(({ mark }) => mark));
      place();
    }
    unplaced = strangers.length ? `Not on the map, since their places are not known: ${strangers.join(", ")}.` : "Each mark is a city, the larger the more POPs it has. Choose one to see its POPs.";
    tell();
    legend($("[data-legend]", section), counts);
  }
  return show;
}

function legend(list, counts) {
  const lines = Object.entries(STATES).map(([state, words]) => {
    const picture = draw("svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" }, draw("g", { class: `city ${state}` }, ...markOf(state, 6.5, state === "warming" ? 0.4 : 0)));
    return make("li", {}, picture, `${words} `, make("b", {}, number(counts[state])));
  });
  refill(list, lines);
}
