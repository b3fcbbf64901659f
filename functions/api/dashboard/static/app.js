// The page: prompts for the key, then shows the view in the address: #/ or #/run/<name>.

let currentView = new AbortController(); // aborted when its view is left

// Prompts for the key again after the API rejected the stored one.
function requestKeyAgain(error) {
  storeKey("");
  show(`The key was rejected: ${error.message}.`);
}

function showView(view) {
  $("#main").replaceChildren(view);
  return view;
}

function keyView(message) {
  const view = showView(cloneTemplate("t-key"));
  const [input, problem] = [$("#key", view), $("[data-error]", view)];
  const showError = (text) => {
    setText(problem, text);
    input.setAttribute("aria-invalid", String(Boolean(text)));
    if (text) announce(text);
    input.focus();
  };
  document.title = "API key · CloudFront Prewarm";
  showError(message);
  const { signal } = currentView;
  $("form", view).addEventListener("submit", async (event) => {
    event.preventDefault();
    const entered = input.value.trim();
    if (!entered) return showError("Enter the API key.");
    if (!/^[\x21-\x7e]+$/.test(entered)) return showError("An API key has only ASCII letters, digits and symbols, and no spaces.");
    try {
      // This request checks the key; its response is needed anyway.
      const catalogue = await call("GET", "/pops", { apiKey: entered, signal });
      catalogueRequest = Promise.resolve(catalogue);
      storeKey(entered);
      show();
    } catch (error) {
      if (signal.aborted) return;
      showError(error.keyRejected ? `The key was rejected: ${error.message}.` : `The key could not be checked: ${error.message}.`);
    }
  });
}

async function homeView(signal) {
  document.title = "Runs · CloudFront Prewarm";
  const view = showView(cloneTemplate("t-home"));
  $("h1", view).focus({ preventScroll: true });
  // The buttons are enabled once the locations are loaded; the browser must never submit the form itself.
  $("[data-form]", view).addEventListener("submit", (event) => event.preventDefault());
  bindDraft($("[data-form]", view));
  const [formCard, runsCard] = [$("[data-start-card]", view), $("[data-runs-card]", view)];
  // In one column, the runs come first, for the keyboard and screen readers too.
  const narrow = matchMedia("(max-width: 61.99rem)");
  const arrange = () => view.firstElementChild === (narrow.matches ? runsCard : formCard) || (narrow.matches ? view.prepend(runsCard) : view.append(runsCard));
  narrow.addEventListener("change", arrange, { signal });
  arrange();
  $("[data-to-form]", view).addEventListener("click", () => $("#urls", view).focus());
  urlLookup(view, signal);
  const list = runList(runsCard, signal);
  startForm(formCard, await loadCatalogue(), signal);
  await list;
}

async function oneRun(run, signal) {
  document.title = `${run} · CloudFront Prewarm`;
  const view = showView(cloneTemplate("t-run"));
  setText($("[data-name]", view), run);
  $("h1", view).focus({ preventScroll: true });
  await runView(view, run, signal);
}

async function show(message = "") {
  currentView.abort();
  currentView = new AbortController();
  const { signal } = currentView;
  $("[data-forget]").hidden = !key;
  if (!key) return keyView(message);
  const runMatch = /^#\/run\/(.+)$/.exec(location.hash);
  for (const link of document.querySelectorAll("[data-nav]")) link.toggleAttribute("aria-current", false);
  if (!runMatch) $("[data-nav]").setAttribute("aria-current", "page");
  scrollTo(0, 0);
  try {
    await (runMatch ? oneRun(decodeName(runMatch[1]), signal) : homeView(signal));
  } catch (error) {
    if (signal.aborted) return;
    if (error.keyRejected) return requestKeyAgain(error);
    const tryAgain = make("button", { type: "button", onclick: () => show() }, "Try again");
    showView(make("section", { class: "card narrow", role: "alert" }, make("h1", {}, "The page could not be loaded"), make("p", {}, `${error.message}.`), make("p", { class: "actions" }, tryAgain)));
    if (!(error instanceof ApiError)) throw error;
  }
}

function decodeName(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

$(".skip").addEventListener("click", (event) => {
  // The link's address is not a view.
  event.preventDefault();
  $("#main").focus();
});
$("[data-forget]").addEventListener("click", () => {
  storeKey("");
  catalogueRequest = null;
  draft = emptyDraft();
  show();
  announce("API key removed");
});
addEventListener("hashchange", () => show());
show();
