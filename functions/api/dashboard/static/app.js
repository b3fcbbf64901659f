// The page: a key first, then the view that the address names: #/ or #/run/<name>.

let leaving = new AbortController();

// Asks for the key again, since the API refused the one at hand.
function askAgain(error) {
  keepKey("");
  show(`The key was refused: ${error.message}.`);
}

function put(view) {
  $("#main").replaceChildren(view);
  return view;
}

function keyView(why) {
  const view = put(stamp("t-key"));
  const [input, problem] = [$("#key", view), $("[data-error]", view)];
  const tell = (words) => {
    say(problem, words);
    input.setAttribute("aria-invalid", String(Boolean(words)));
    if (words) announce(words);
    input.focus();
  };
  document.title = "API key · CloudFront Prewarm";
  tell(why);
  const { signal } = leaving;
  $("form", view).addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = input.value.trim();
    if (!given) return tell("Give the key.");
    if (!/^[\x21-\x7e]+$/.test(given)) return tell("A key has only letters, digits and signs, and no spaces.");
    try {
      // The first question tells whether the key is good; its answer is needed anyway.
      const found = await call("GET", "/pops", { with: given, signal });
      places = Promise.resolve(found);
      keepKey(given);
      show();
    } catch (error) {
      if (signal.aborted) return;
      tell(error.aboutKey ? `The key was refused: ${error.message}.` : `The key could not be tried: ${error.message}.`);
    }
  });
}

async function homeView(signal) {
  document.title = "Runs · CloudFront Prewarm";
  const view = put(stamp("t-home"));
  $("h1", view).focus({ preventScroll: true });
  // Its buttons wait for the names of places; a browser must never send it by itself.
  $("[data-form]", view).addEventListener("submit", (event) => event.preventDefault());
  keepDraft($("[data-form]", view));
  const list = runList(view.lastElementChild, signal);
  startForm(view.firstElementChild, await catalogue(), signal);
  await list;
}

async function oneRun(run, signal) {
  document.title = `${run} · CloudFront Prewarm`;
  const view = put(stamp("t-run"));
  say($("[data-name]", view), run);
  $("h1", view).focus({ preventScroll: true });
  await runView(view, run, signal);
}

async function show(why = "") {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  $("[data-forget]").hidden = !key;
  if (!key) return keyView(why);
  const named = /^#\/run\/(.+)$/.exec(location.hash);
  for (const link of document.querySelectorAll("[data-nav]")) link.toggleAttribute("aria-current", false);
  if (!named) $("[data-nav]").setAttribute("aria-current", "page");
  scrollTo(0, 0);
  try {
    await (named ? oneRun(nameIn(named[1]), signal) : homeView(signal));
  } catch (error) {
    if (signal.aborted) return;
    if (error.aboutKey) return askAgain(error);
    const again = make("button", { type: "button", onclick: () => show() }, "Try again");
    put(make("section", { class: "card narrow", role: "alert" }, make("h1", {}, "That did not work"), make("p", {}, `${error.message}.`), make("p", { class: "actions" }, again)));
    if (!(error instanceof ApiError)) throw error;
  }
}

function nameIn(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

$(".skip").addEventListener("click", (event) => {
  // Its address is no view.
  event.preventDefault();
  $("#main").focus();
});
$("[data-forget]").addEventListener("click", () => {
  keepKey("");
  places = null;
  draft = newDraft();
  show();
  announce("The key is forgotten");
});
addEventListener("hashchange", () => show());
show();
