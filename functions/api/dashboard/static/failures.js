// The failed URLs, grouped by their main cause: what happened, where, and what to do next.

const URLS_PER_CAUSE = 5;

// Returns a failed URL's outcomes, the most frequent first.
const causesOf = ({ reasons = {} }) => Object.entries(reasons).sort(([, one], [, other]) => other - one);
const mainCause = (failure) => causesOf(failure)[0]?.[0] ?? "lost";

// Returns the failed URLs by main cause, the cause of most URLs first: [[outcome, failures], …].
function byCause(failures) {
  const groups = new Map();
  for (const failure of failures) {
    const cause = mainCause(failure);
    groups.set(cause, [...(groups.get(cause) || []), failure]);
  }
  return [...groups].sort(([, one], [, other]) => other.length - one.length);
}

// Shows the failed URLs by cause. `onAll` filters the table of URLs.
function failedSection(section, onAll) {
  section.addEventListener("click", ({ target }) => target.matches("[data-all-failed]") && onAll());
  return (failures, status) => {
    const groups = byCause(failures);
    setText($("h2", section), `${plural(failures.length, "URL")} failed`);
    section.hidden = !failures.length;
    const elements = groups.map(([outcome, entries]) => causeElement(outcome, entries, status));
    updateList($(".causes", section), elements);
  };
}

function causeElement(outcome, entries, status) {
  const urls = entries.slice(0, URLS_PER_CAUSE).map((entry) => make("li", {}, make("span", { class: "url" }, entry.url), make("small", {}, `Warm at ${entry.coverage} % of its reachable targets.`)));
  const more = entries.length - urls.length;
  const button = more > 0 ? make("button", { type: "button", class: "link", "data-all-failed": true }, `Show all ${plural(entries.length, "URL")}`) : null;
  return make("section", { class: "cause" }, make("h3", {}, `${plural(entries.length, "URL")}: ${outcomeText(outcome, status.words)} `, make("code", {}, outcome)), make("ul", {}, ...urls), button);
}
