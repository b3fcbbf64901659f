// Choosing where to: regions, countries or POPs by name, in a list that one searches.

function placesOf(type, known) {
  if (type === "pop") {
    return known.pops.map(({ id, city, country }) => ({ value: id, text: id, more: `${city}, ${countryName(country)}`, pops: 1 }));
  }
  const names = Object.entries(type === "region" ? known.regions : known.countries);
  return names
    .filter(([name]) => name !== "all" && (type === "region" || name.length > 2))
    .map(([value, pops]) => ({
      value,
      text: type === "region" ? REGIONS[value] || value : titled(value),
      more: `${type === "region" ? `${value} · ` : ""}${plural(pops, "POP")}`,
      pops,
    }))
    .sort((one, other) => one.text.localeCompare(other.text));
}

function placePicker(form, known) {
  const list = $("[data-list]", form);
  const search = $("#place-search", form);
  const { chosen } = draft;
  const type = () => $("[name=region_type]:checked", form).value;

  function tell() {
    const picked = chosen[type()];
    let words = `All ${number(known.regions.all)} POPs of the catalogue.`;
    if (picked) {
      const pops = [...picked.values()].reduce((sum, count) => sum + count, 0);
      words = picked.size ? `${number(picked.size)} chosen${type() === "pop" ? "" : `, ${plural(pops, "POP")} at the most`}.` : "Nothing chosen yet.";
    }
    // With a search that nothing answers to, there is no list either.
    const nowhere = Boolean(picked) && !shown().length;
    list.hidden = nowhere;
    if (nowhere) words = `No place is called so.${picked.size ? ` ${words}` : ""}`;
    if (nowhere && $("[data-chosen]", form).textContent !== words) announce(words);
    say($("[data-chosen]", form), words);
    $(".keys", form).hidden = !picked || nowhere;
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
        tell();
      },
    });
    box.checked = picked.has(value);
    const label = make("label", {}, box, make("span", {}, text), make("small", {}, more));
    label.dataset.find = `${value} ${text} ${more}`.toLowerCase();
    return label;
  }

  // The list is one stop for the tab key; arrows move within it.
  const shown = () => [...list.querySelectorAll("label:not([hidden]) input")];
  function stopAt(box) {
    for (const other of list.querySelectorAll("input[tabindex='0']")) other.tabIndex = -1;
    if (box) box.tabIndex = 0;
  }
  list.addEventListener("focusin", (event) => event.target.matches("input") && stopAt(event.target));
  list.addEventListener("keydown", (event) => {
    const boxes = shown();
    const here = boxes.indexOf(event.target);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: boxes.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    boxes[Math.max(0, Math.min(boxes.length - 1, to))]?.focus();
  });

  function filter(words) {
    for (const label of list.children) label.hidden = !words.split(/\s+/).every((word) => label.dataset.find.includes(word));
    stopAt(shown()[0]);
    tell();
  }

  function fill() {
    const all = type() === "all";
    $("[data-places]", form).hidden = all;
    search.value = "";
    list.replaceChildren(...(all ? [] : placesOf(type(), known).map(row)));
    filter("");
  }

  for (const radio of form.querySelectorAll("[name=region_type]")) radio.addEventListener("change", fill);
  whenTyped(search, filter);
  // Enter in the search box is no wish to start a run.
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  fill();

  return () => (type() === "all" ? { region_type: "region", region: "all" } : { region_type: type(), region: [...chosen[type()].keys()] });
}
