// The API: where it is, the key, and one call for every question.

// The page is the root of the API's stage, with or without a slash at its end: /v1/ or /v1.
const BASE = location.pathname.replace(/\/+$/, "");
const KEY = "prewarm-key";
const PATIENCE = 35_000; // milliseconds; API Gateway itself gives up after 29 s

let key = readKey();

function readKey() {
  try {
    return sessionStorage.getItem(KEY) || "";
  } catch {
    return ""; // storage is forbidden here: the key lives as long as the page
  }
}

function keepKey(value) {
  key = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // see above
  }
}

class ApiError extends Error {
  constructor(status, code, message, details) {
    super(message);
    Object.assign(this, { status, code, details });
  }

  // The key is not, or no longer, one of this API.
  get aboutKey() {
    return this.status === 403 && this.code === "Forbidden";
  }

  // It may well work a moment later.
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

async function call(method, route, { query = {}, body, signal, once, with: given = key } = {}) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  const patience = AbortSignal.timeout(PATIENCE);
  let answer;
  let text;
  try {
    answer = await fetch(`${BASE}${route}${asked.size ? `?${asked}` : ""}`, {
      method,
      headers: { "x-api-key": given, ...(body ? { "Content-Type": "application/json" } : {}), ...(once ? { "Idempotency-Key": once } : {}) },
      body: body ? JSON.stringify(body) : undefined,
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    text = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const why = patience.aborted ? "the service did not answer in time" : "the service cannot be reached";
    throw new ApiError(0, "Unreachable", why, []);
  }
  let said = null;
  try {
    said = JSON.parse(text);
  } catch {
    // told below
  }
  if (answer.ok && said !== null) return said;
  const told = said?.error ?? {};
  const message = told.message || said?.message || `the service answered ${answer.status}`;
  throw new ApiError(answer.status, told.code || "Unknown", message, told.details || []);
}

let places = null;

// The catalogue of POPs, asked for once; it also tells whether a key is good.
async function catalogue() {
  places ??= call("GET", "/pops").catch((error) => {
    places = null;
    throw error;
  });
  return places;
}

// Waits; sooner over if the view is left.
function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// Waits for a button; sooner over if the view is left.
function clicked(button, signal) {
  return new Promise((resolve) => {
    button.addEventListener("click", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
}

// Waits for as long as nobody can see the page.
function untilVisible(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
  });
}
