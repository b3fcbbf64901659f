// "When was this URL last warm?": looks through the runs of its host.

const runLink = ({ run, label }) => make("a", { href: runAddress(run) }, label || run);
const targetsText = ({ warmTargets, reachableTargets }) => `at ${number(warmTargets)} of ${number(reachableTargets)}`;

// Returns a search result as paragraphs.
function lookupElements({ url, fetched, last, lastWarm, looked }) {
  const days = plural(looked.days, "day");
  const lines = [];
  if (lastWarm) lines.push(make("p", {}, make("b", { class: "good" }, `Warm ${targetsText(lastWarm)}`), ` on ${formatTime(lastWarm.endedAt || lastWarm.startedAt)}, by `, runLink(lastWarm), "."));
  else lines.push(make("p", {}, make("b", {}, last ? `Not warm after any run of the last ${days}.` : `No run of the last ${days} tried it.`)));
  if (last && last.run !== lastWarm?.run) lines.push(make("p", {}, make("b", { class: "bad" }, `Then warm ${targetsText(last)} only`), ` on ${formatTime(last.endedAt || last.startedAt)}, by `, runLink(last), "."));
  const without = [looked.inProgress ? `${number(looked.inProgress)} in progress` : "", looked.withoutIndex ? `${number(looked.withoutIndex)} without results for single URLs` : ""].filter(Boolean);
  const more = looked.complete ? "" : " Its host has more runs in this time, which were not looked through.";
  lines.push(make("p", { class: "hint" }, `Looked through ${plural(looked.runs, "run")} of its host in the last ${days}${without.length ? `, ${without.join(", ")}` : ""}.${more}`));
  if (fetched !== url) lines.push(make("p", { class: "hint" }, `Fetched as ${fetched}.`));
  return lines;
}

function urlLookup(section, signal) {
  const form = $("[data-lookup]", section);
  const [input, result] = [$("#lookup-url", form), $("[data-lookup-result]", form)];
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const url = input.value.trim();
    result.hidden = true;
    if (!url) return showProblems(form, { details: [{ field: "url", message: "Enter the URL to look for" }] });
    showProblems(form, NO_PROBLEMS);
    $("button", form).disabled = true;
    try {
      const found = await call("GET", "/urls", { query: { url }, signal });
      result.replaceChildren(...lookupElements(found));
      result.hidden = false;
      announce(result.textContent);
    } catch (error) {
      if (signal.aborted) return;
      if (error.keyRejected) return requestKeyAgain(error);
      // An error without a field is the URL's as well: the form has no other.
      showProblems(form, error.details?.length ? error : { details: [{ field: "url", message: error.message }] });
    } finally {
      $("button", form).disabled = false;
    }
  });
}
