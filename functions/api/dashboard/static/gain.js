// What the first viewers were spared: the service's sentence, and a table of the regions.

const GAIN_COLUMNS = [
  ["Region", ({ region }) => region],
  ["Measured at", ({ pairs }) => plural(pairs, "target")],
  ["Median", ({ sparedMs }) => sparedText(sparedMs?.p50)],
  ["95 % within", ({ sparedMs }) => sparedText(sparedMs?.p95)],
  ["99 % within", ({ sparedMs }) => sparedText(sparedMs?.p99)],
  ["Warm before", ({ warmBefore, fetched }) => shareText(warmBefore, fetched)],
];

const shareText = (part, whole) => (part && part / whole < 0.01 ? "under 1 %" : `${percent(part, whole)} %`);
const sparedText = (value) => (value === undefined ? "" : milliseconds(value));

// Services of earlier releases return no gain, and neither do runs without a finished batch.
function showGain(section, gain) {
  section.hidden = !gain;
  if (!gain) return;
  setText($("[data-gain-text]", section), gain.text);
  if (!$("thead tr", section).children.length) $("thead tr", section).replaceChildren(...GAIN_COLUMNS.map(([name], index) => make("th", { scope: "col", class: index ? "number" : "" }, name)));
  const rows = gain.regions.map((entry) => make("tr", {}, ...GAIN_COLUMNS.map(([, text], index) => make("td", { class: index ? "number" : "" }, text(entry)))));
  updateList($("tbody", section), rows);
}
