// Create and fill elements. The API's data is inserted as text; nothing here parses markup.

const $ = (selector, root = document) => root.querySelector(selector);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function draw(tag, attributes = {}, ...children) {
  // The namespace of the map's <svg>.
  const namespace = $("#t-run").content.querySelector("svg").namespaceURI;
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const cloneTemplate = (id) => document.importNode($(`#${id}`).content, true).firstElementChild;

// Sets a text only if it has changed, so that screen readers and selections are not disturbed.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Replaces the children if they differ; returns whether they did.
function updateList(list, lines) {
  const same = lines.length === list.children.length && lines.every((line, index) => line.isEqualNode(list.children[index]));
  if (!same) list.replaceChildren(...lines);
  return !same;
}

function setBanner(element, text) {
  setText(element, text);
  element.hidden = !text;
}

function announce(text) {
  setText($("[data-live]"), text);
}

// Returns an external link, or null unless the address is http or https.
function externalLink(address, text) {
  if (!/^https?:\/\//.test(address || "")) return null;
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

const whole = new Intl.NumberFormat("en");
const number = (value) => whole.format(value);
const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

function percent(part, all) {
  // 100 % only when all is done, and 0 % only when nothing is.
  if (!all) return 0;
  const exact = (100 * part) / all;
  return part >= all ? 100 : Math.min(99, part ? Math.max(1, Math.floor(exact)) : 0);
}

function bytes(count) {
  if (count === null || count === undefined) return "unknown";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let size = count;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit && size < 99.5 ? size.toFixed(1) : number(Math.round(size))} ${units[unit]}`;
}

function dollars(amount) {
  return amount > 0 && amount < 0.01 ? `$${amount.toFixed(4)}` : `$${amount.toFixed(2)}`;
}

function duration(seconds) {
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
  return `${Math.floor(rounded / 3600)} h ${Math.floor((rounded % 3600) / 60)} min`;
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const formatTime = (iso) => clock.format(new Date(iso));
const secondsBetween = (from, to) => (new Date(to) - new Date(from)) / 1000;

// Calls `act` with the input's text after a pause in typing.
function onTyping(input, act) {
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => act(input.value.trim().toLowerCase()), 150);
  });
}
