// The failed URLs, grouped by what to do about them: what happened, where, and the next step.

const URLS_PER_CAUSE = 5;

// Returns the most frequent outcome of a failed URL.
function mainCause({ reasons = {}, nextStep }) {
  const [[most] = ["lost"]] = Object.entries(reasons).sort(([, one], [, other]) => other - one);
  return nextStep?.outcome || most;
}

// Returns the failed URLs by cause and next step, those of most URLs first: [[outcome, failures], …].
function byCause(failures) {
  const groups = new Map();
  for (const failure of failures) {
    const group = `${mainCause(failure)} ${failure.nextStep?.how || ""}`;
    groups.set(group, [...(groups.get(group) || []), failure]);
  }
  return [...groups.values()].map((entries) => [mainCause(entries[0]), entries]).sort(([, one], [, other]) => other.length - one.length);
}

// Returns a next step as elements, with a link to the page that explains it.
function nextStepElements({ how, link }) {
  return [make("b", {}, "Next step: "), ...withCode(how), ". ", externalLink(link, "How to do that")].filter(Boolean);
}

// Returns a failed URL's HTTP statuses with their numbers, the most frequent first.
function statusHistogram({ statuses = {} }) {
  const words = { none: "no response", unknown: "status not kept" };
  const entries = Object.entries(statuses).sort(([, one], [, other]) => other - one);
  if (!entries.length) return [];
  return [make("ul", { class: "statuses", "aria-label": "HTTP statuses" }, ...entries.map(([status, count]) => make("li", {}, make("b", {}, words[status] || status), ` × ${number(count)}`)))];
}

// What happened to a failed URL; runs of earlier versions have its coverage only.
const whatText = ({ what, coverage }) => what || `Warm at ${coverage} % of its reachable targets.`;

function failedSection(section, onAll) {
  section.addEventListener("click", ({ target }) => target.matches("[data-all-failed]") && onAll());
  return (failures, status) => {
    const groups = byCause(failures);
    setText($("h2", section), `${plural(failures.length, "URL")} ${status.status === "IN_PROGRESS" ? NOT_WARM.FAILED : notWarmText(status)}`);
    section.hidden = !failures.length;
    updateList($(".causes", section), groups.map(([outcome, entries]) => causeElement(outcome, entries, status)));
  };
}

const KINDS_SHOWN = 3;

// Returns a group's heading: its URLs' failures with their statuses, or its outcome where they are many or unknown.
function causeHeading(outcome, entries, words) {
  const kinds = [...new Set(entries.map(({ mainFailure }) => mainFailure))];
  const known = kinds.every(Boolean) && kinds.length <= KINDS_SHOWN;
  const text = known ? kinds.join(", ") : outcomeText(outcome, words);
  const name = text.includes(outcome) ? [] : [" ", make("code", {}, outcome)];
  return make("h3", {}, `${plural(entries.length, "URL")}: ${text}`, ...name);
}

function causeElement(outcome, entries, status) {
  const urls = entries.slice(0, URLS_PER_CAUSE).map((entry) => make("li", {}, make("span", { class: "url" }, entry.url), make("small", {}, whatText(entry)), ...statusHistogram(entry)));
  const more = entries.length - urls.length;
  const button = more > 0 ? make("button", { type: "button", class: "link", "data-all-failed": true }, `Show all ${plural(entries.length, "URL")}`) : null;
  const step = entries[0].nextStep ? make("p", {}, ...nextStepElements(entries[0].nextStep)) : null;
  return make("section", { class: "cause" }, causeHeading(outcome, entries, status.words), step, make("ul", {}, ...urls), button);
}

// Whether the same request can succeed later: `main`, for most of the failed URLs; `some`, for at least one.
function repetitionHelps({ nextSteps = [], remedy }, failed) {
  const retry = remedy ? remedy.kind === "retry" : failed > 0;
  if (!nextSteps.length) return { main: retry, some: retry };
  return { main: nextSteps[0].do === "retry", some: nextSteps.some((step) => step.do === "retry") };
}

// The main button does what the next step says: retry, or run again with changes.
function showActions(retry, again, status, failed) {
  const running = status.status === "IN_PROGRESS";
  const { main, some } = repetitionHelps(status, failed);
  retry.hidden = running || !(failed ? some : main);
  again.hidden = running;
  setText(retry, notWarmText(status) === NOT_WARM.FAILED ? "Retry failed URLs" : "Warm the rest");
  retry.classList.toggle("primary", main);
  again.classList.toggle("primary", !main && failed > 0);
  setText(again, !main && failed ? "Run again with changes…" : "Run again…");
}

const NAMES_SHOWN = 5;

// Returns what the map cannot show: URLs that failed everywhere, and POPs that are less warm than the others.
function judgedText({ failedEverywhere = 0 }, pops) {
  const different = pops.filter(({ differs }) => differs).map(({ pop }) => pop);
  const more = different.length - NAMES_SHOWN;
  const names = `${different.slice(0, NAMES_SHOWN).join(", ")}${more > 0 ? ` and ${number(more)} more` : ""}`;
  const judged = pops.some((entry) => entry.judged !== 0);
  return [
    failedEverywhere ? `${plural(failedEverywhere, "URL")} failed everywhere.${judged ? " Map and POPs count only the other URLs; the table has these failures apart." : ""}` : "",
    different.length ? `${plural(different.length, "POP is", "POPs are")} less warm than the others: ${names}.` : "",
  ].filter(Boolean).join(" ");
}

// Returns a POP's counts without the targets of URLs that failed everywhere; a run of an earlier version has none.
function judgedCounts(entry) {
  const { targets, done, failed, judged = targets, judgedFailed = failed } = entry;
  return { ...entry, targets: judged, done: Math.max(0, done - (targets - judged)), failed: judgedFailed, failedEverywhere: failed - judgedFailed };
}
