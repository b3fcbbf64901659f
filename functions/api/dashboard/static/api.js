// The API client: base path, key, and one function for all requests.

// The page is served at the root of the API's stage, with or without a trailing slash: /v1/ or /v1.
const BASE = location.pathname.replace(/\/+$/, "");
const KEY = "prewarm-key";
const REQUEST_TIMEOUT = 35_000; // milliseconds; API Gateway itself gives up after 29 s

let key = readKey();

function readKey() {
  try {
    return sessionStorage.getItem(KEY) || "";
  } catch {
    return ""; // storage is blocked here: the key is kept only as long as the page
  }
}

function storeKey(value) {
  key = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // storage is blocked: see readKey
  }
}

class ApiError extends Error {
  constructor(status, code, message, details) {
    super(message);
    Object.assign(this, { status, code, details });
  }

  // The API rejected the key.
  get keyRejected() {
    return this.status === 403 && this.code === "Forbidden";
  }

  // A repeated request may succeed.
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

// Sends a request and returns the JSON of its response; throws an ApiError for anything but a success.
async function call(method, route, { query = {}, body, signal, idempotencyKey, apiKey = key } = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT);
  let response;
  let text;
  try {
    response = await fetch(`${BASE}${route}${parameters.size ? `?${parameters}` : ""}`, {
      method,
      headers: { "x-api-key": apiKey, ...(body ? { "Content-Type": "application/json" } : {}), ...(idempotencyKey ? { "Idempotency-Key": idempotencyKey } : {}) },
      body: body ? JSON.stringify(body) : undefined,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = timeout.aborted ? "the service did not respond in time" : "the service cannot be reached";
    throw new ApiError(0, "Unreachable", message, []);
  }
  let result = null;
  try {
    result = JSON.parse(text);
  } catch {
    // not JSON: the error below names the status
  }
  if (response.ok && result !== null) return result;
  const error = result?.error ?? {};
  const message = error.message || result?.message || `the service returned ${response.status}`;
  throw new ApiError(response.status, error.code || "Unknown", message, error.details || []);
}

let catalogueRequest = null;

// Returns the catalogue of POPs, requested once.
async function loadCatalogue() {
  catalogueRequest ??= call("GET", "/pops").catch((error) => {
    catalogueRequest = null;
    throw error;
  });
  return catalogueRequest;
}

// Waits for a time, or until the view is left.
function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// Waits for a click on a button, or until the view is left.
function clicked(button, signal) {
  return new Promise((resolve) => {
    button.addEventListener("click", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
}

// Waits until the page is visible.
function untilVisible(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const check = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    signal.addEventListener("abort", check, { once: true });
  });
}
