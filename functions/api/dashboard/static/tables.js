// Tables of any length: filtered, sorted, and paginated, so that only one page is in the document.

const ROWS = 25;

// Paginates the table in `section`; rowsOf(items) returns a page's rows. Returns a function that shows items, on the
// current page or from the start.
function paged(section, rowsOf) {
  const body = $("tbody", section);
  const [back, next] = [$("[data-back]", section), $("[data-next]", section)];
  let items = [];
  let first = 0;

  function show() {
    first = Math.max(0, Math.min(first, ROWS * Math.floor((items.length - 1) / ROWS)));
    const focused = document.activeElement?.closest?.("tbody") === body ? document.activeElement.dataset.id : null;
    const rows = rowsOf(items.slice(first, first + ROWS));
    if (updateList(body, rows) && focused !== null) body.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    const last = Math.min(items.length, first + ROWS);
    setText($("[data-range]", section), items.length ? `${number(first + 1)} to ${number(last)} of ${number(items.length)}` : "none");
    back.disabled = first === 0;
    next.disabled = last >= items.length;
    back.hidden = next.hidden = items.length <= ROWS;
  }

  function turnPage(by) {
    first += by;
    show();
    announce($("[data-range]", section).textContent);
  }
  back.addEventListener("click", () => turnPage(-ROWS));
  next.addEventListener("click", () => turnPage(ROWS));
  return (newItems, fromStart = false) => {
    items = newItems;
    if (fromStart) first = 0;
    show();
  };
}
