// Times to first byte: percentiles and a histogram, as bars with their numbers.

const PERCENTILES = { p50: "Median", p90: "90 % within", p99: "99 % within" };

const milliseconds = (value) => (value < 10_000 ? `${number(Math.round(value))} ms` : `${(value / 1000).toFixed(1)} s`);

function showTimes(section, { timeToFirstByteMs: times, timesToFirstByte: bars = [] }) {
  section.hidden = !times;
  if (!times) return;
  updateList($("dl", section), Object.entries(PERCENTILES).filter(([name]) => name in times).map(([name, text]) => figure([text, milliseconds(times[name])])));
  const most = Math.max(...bars.map(({ count }) => count), 1);
  const lines = bars.map(({ fromMs, toMs, count }) => {
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${count ? Math.max(0.5, (100 * count) / most) : 0}%`;
    return make("li", {}, make("span", {}, fromMs ? `${milliseconds(fromMs)} to ${milliseconds(toMs)}` : `up to ${milliseconds(toMs)}`), make("span", { class: "track" }, bar), make("b", {}, number(count)));
  });
  updateList($("ol", section), lines);
}
