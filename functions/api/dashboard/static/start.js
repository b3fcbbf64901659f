// The form that starts a run. Through all POPs, it shows the price first.

function startForm(section, catalogue, signal) {
  const form = $("[data-form]", section);
  const selection = locationPicker(form, catalogue);
  const buttons = [$("[data-start]", form), $("[data-estimate]", form)];
  const urls = $("#urls", form);
  const estimated = $("[data-estimated]", section);
  const priced = $("[data-priced]", estimated);
  const enable = (enabled) => {
    for (const button of [...buttons, $("button", priced)]) button.disabled = !enabled || file.busy();
  };
  const hideEstimate = () => (estimated.hidden = true);
  const file = fileField(form, signal, () => {
    hideEstimate();
    enable(true);
  });
  const count = () => {
    const distinct = new Set(linesOf(urls.value)).size;
    setText($("[data-url-count]", form), distinct ? plural(distinct, "URL") : "Hosts must belong to this account's distributions");
  };
  onTyping(urls, count);
  count();
  showCarried(form, hideEstimate);
  // A change of the form invalidates the estimate.
  form.addEventListener("input", ({ target }) => (estimated.hidden ||= target.type !== "search" && target.type !== "file"));
  form.addEventListener("input", () => setText(buttons[0], startText(form)));
  setText(buttons[0], startText(form));

  // Returns the request as it is sent: a list that is too long for a request is stored first.
  async function sendable(request) {
    const list = request.url_list || [];
    if (list.length <= MAX_BODY_URLS && new Blob([JSON.stringify(request)]).size <= MAX_BODY_BYTES) return request;
    const { url_list: _, ...rest } = request;
    const stored = await storeList(new Blob([list.join("\n")]), "urls.txt", (sent) => file.show(`Uploading ${plural(list.length, "URL")}: ${sent} %`, sent), signal);
    file.show();
    return { ...rest, url_list_s3: [...(rest.url_list_s3 || []), stored.address] };
  }

  async function send(dryRun, lines) {
    const filled = requestOf(form, selection);
    hideEstimate();
    showProblems(form, NO_PROBLEMS);
    enable(false);
    form.setAttribute("aria-busy", "true");
    announce(dryRun ? "Estimating" : "Starting the run");
    try {
      const request = { ...(await sendable(filled)), ...(dryRun ? { dry_run: true } : {}) };
      const response = await call("POST", "/prewarm", { body: request, signal, idempotencyKey: dryRun ? undefined : idempotencyKeyOf(request) });
      if (dryRun) draft.priced = JSON.stringify(filled);
      if (response.requestID && !dryRun) draft = emptyDraft();
      if (response.requestID) openStartedRun(response.requestID);
      else if (sameJson(requestOf(form, selection), filled)) showEstimate(estimated, response.dryRun, isEverywhere(filled));
      else showProblems(form, { message: "The form has changed since the estimate was requested: estimate again." });
    } catch (error) {
      if (signal.aborted) return;
      if (error.keyRejected) return requestKeyAgain(error);
      // The key belongs to another request: the next start needs a new key.
      if (error.code === "IdempotencyConflict") draft.sent = emptyDraft().sent;
      file.show();
      // Enabled before showProblems moves the focus to a field.
      enable(true);
      showProblems(form, error, lines);
      announce(error.details?.length ? "The request was rejected; the problems are shown next to the fields" : error.message);
    } finally {
      enable(true);
      setText(buttons[0], startText(form));
      form.removeAttribute("aria-busy");
    }
  }

  function start(dryRun) {
    const details = problemsOfForm(form);
    if (details.length) {
      announce("The form has problems; they are shown next to the fields");
      return showProblems(form, { details }, linesOfForm(form));
    }
    const request = requestOf(form, selection);
    return send(dryRun || (isEverywhere(request) && draft.priced !== JSON.stringify(request)), linesOfForm(form));
  }

  form.addEventListener("submit", () => start(false));
  buttons[1].addEventListener("click", () => start(true));
  $("button", priced).addEventListener("click", () => start(false));
  enable(true);
}

const isEverywhere = ({ region }) => region === "all";
const startText = (form) => ($("[name=region_type]:checked", form).value === "all" ? "Show the price, then start" : "Start the run");

// Shows what an earlier run's request has beyond the form's fields, with a button that leaves it out.
function showCarried(form, changed) {
  const box = $("[data-carried]", form);
  const carried = Object.entries(draft.carried);
  const secrets = draft.secrets.length ? `Secrets of the earlier run are shown as ${HIDDEN_SECRET}; type them again: ${draft.secrets.join(", ")}.` : "";
  const options = carried.length ? `Taken from the earlier run: ${carried.map(([name, value]) => optionText(name, value)).join("; ")}.` : "";
  setText($("[data-carried-text]", box), [secrets, options].filter(Boolean).join(" "));
  box.hidden = !secrets && !options;
  const button = $("[data-drop-carried]", box);
  button.hidden = !carried.length;
  button.addEventListener("click", () => {
    draft.carried = {};
    changed();
    showCarried(form, changed);
    announce("The options are left out");
    $("#urls", form).focus();
  }, { once: true });
}
