// The location picker: regions, countries or POPs in a list with a search.

function locationsOf(type, catalogue) {
  if (type === "pop") {
    const placed = catalogue.pops.map(({ id, city, country }) => ({ value: id, text: id, more: `${city}, ${countryName(country)}`, pops: 1 }));
    return [...placed, ...catalogue.popsWithoutLocation.map(({ id }) => ({ value: id, text: id, more: "location not known", pops: 1 }))];
  }
  const names = Object.entries(type === "region" ? catalogue.regions : catalogue.countries);
  return names
    .filter(([name]) => name !== "all" && (type === "region" || name.length > 2))
    .map(([value, pops]) => ({
      value,
      text: type === "region" ? REGIONS[value] || value : titleCase(value),
      more: `${type === "region" ? `${value} · ` : ""}${plural(pops, "POP")}`,
      pops,
    }))
    .sort((one, other) => one.text.localeCompare(other.text));
}

function locationPicker(form, catalogue) {
  const list = $("[data-list]", form);
  const search = $("#location-search", form);
  const { chosen } = draft;
  const type = () => $("[name=region_type]:checked", form).value;

  function showSummary() {
    const picked = chosen[type()];
    let summary = `All ${number(catalogue.regions.all)} POPs of the catalogue.`;
    if (picked) {
      const pops = [...picked.values()].reduce((sum, count) => sum + count, 0);
      summary = picked.size ? `${number(picked.size)} selected${type() === "pop" ? "" : `, up to ${plural(pops, "POP")}`}.` : "No location selected.";
    }
    // Without a match the list is hidden.
    const noMatch = Boolean(picked) && !visibleBoxes().length;
    list.hidden = noMatch;
    if (noMatch) summary = `No matching location.${picked.size ? ` ${summary}` : ""}`;
    if (noMatch && $("[data-chosen]", form).textContent !== summary) announce(summary);
    setText($("[data-chosen]", form), summary);
    $(".keys", form).hidden = !picked || noMatch;
  }

  function row({ value, text, more, pops }) {
    const picked = chosen[type()];
    const box = make("input", {
      type: "checkbox",
      value,
      tabindex: "-1",
      onchange: () => {
        if (box.checked) picked.set(value, pops);
        else picked.delete(value);
        showSummary();
      },
    });
    box.checked = picked.has(value);
    const label = make("label", {}, box, make("span", {}, text), make("small", {}, more));
    label.dataset.find = `${value} ${text} ${more}`.toLowerCase();
    return label;
  }

  // The list is one tab stop; arrow keys move within it.
  const visibleBoxes = () => [...list.querySelectorAll("label:not([hidden]) input")];
  function setTabStop(box) {
    for (const other of list.querySelectorAll("input[tabindex='0']")) other.tabIndex = -1;
    if (box) box.tabIndex = 0;
  }
  list.addEventListener("focusin", (event) => event.target.matches("input") && setTabStop(event.target));
  list.addEventListener("keydown", (event) => {
    const boxes = visibleBoxes();
    const index = boxes.indexOf(event.target);
    const target = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: boxes.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    boxes[Math.max(0, Math.min(boxes.length - 1, target))]?.focus();
  });

  function filter(text) {
    for (const label of list.children) label.hidden = !text.split(/\s+/).every((word) => label.dataset.find.includes(word));
    setTabStop(visibleBoxes()[0]);
    showSummary();
  }

  function fill() {
    const all = type() === "all";
    $("[data-locations]", form).hidden = all;
    search.value = "";
    const known = all ? [] : locationsOf(type(), catalogue);
    // Names of an earlier run's request that the list does not have, such as a country's ISO code.
    const others = [...(chosen[type()]?.keys() || [])].filter((name) => !known.some(({ value }) => value === name));
    const picked = ({ value }) => Number(Boolean(chosen[type()]?.has(value)));
    known.sort((one, other) => picked(other) - picked(one));
    list.replaceChildren(...[...others.map((value) => ({ value, text: value, more: "", pops: chosen[type()].get(value) })), ...known].map(row));
    filter("");
  }

  for (const radio of form.querySelectorAll("[name=region_type]")) radio.addEventListener("change", fill);
  onTyping(search, filter);
  // Enter in the search box must not start a run.
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  fill();

  return () => (type() === "all" ? { region_type: "region", region: "all" } : { region_type: type(), region: [...chosen[type()].keys()] });
}
