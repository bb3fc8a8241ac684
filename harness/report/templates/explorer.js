// The sample explorer: a list with search, filters and order, and one sample with the answers asked for.

const ROWS = 25; // rows of the list per page
const MARKS = [["", "off"], ["reference", "from the reference"], ["other", "from the compared answer"]];

/** @param {string} id */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {string} id */
function choiceOf(id) {
  return /** @type {HTMLSelectElement} */ (byId(id));
}

/** @param {string} id */
function inputOf(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** @param {Task} task @param {number} sample */
function addressOf(task, sample) {
  return `#sample=${encodeURIComponent(task.name)}/${encodeURIComponent(task.ids[sample] ?? "")}`;
}

/**
 * Replace the options; keep the chosen one if it is still there.
 * @param {HTMLSelectElement} choice
 * @param {Node[]} options
 */
function refill(choice, options) {
  const before = choice.value;
  choice.replaceChildren(...options);
  choice.value = before;
  if (choice.selectedIndex < 0) choice.selectedIndex = 0;
}

/** @param {string} label @param {Node[]} options */
function group(label, options) {
  const found = make("optgroup", { label });
  found.append(...options);
  return found;
}

/** @param {Book} book */
function explore(book) {
  const search = inputOf("x-search");
  const tasks = choiceOf("x-task");
  const systems = choiceOf("x-system");
  const against = choiceOf("x-against");
  const metrics = choiceOf("x-metric");
  const kinds = choiceOf("x-kind");
  const slices = choiceOf("x-slice");
  const orders = choiceOf("x-order");
  const marks = choiceOf("x-marks");
  const low = inputOf("x-low");
  const high = inputOf("x-high");
  const list = byId("x-list");
  const article = byId("x-sample");
  const filters = { system: systems, against, metric: metrics, show: kinds, slice: slices, order: orders, marks }; // by their names in the URL
  const limits = { from: low, to: high };
  /** @type {Map<Task, string[]>} */
  const searched = new Map();
  /** @type {Map<string, Scope>} */
  const scopes = new Map();
  let task = /** @type {Task} */ (book.tasks[0]);
  /** @type {number[]} */
  let view = []; // samples that pass the filters, in order
  let chosen = -1; // a sample
  let later = 0; // a timer
  let marked = "reference"; // what the key turns on

  /** @returns {View} */
  function asked() {
    const metric = metricsOf(task).find((one) => one.name === metrics.value) ?? /** @type {Metric} */ (metricsOf(task)[0]);
    const other = book.systems.findIndex((system) => system.name === against.value);
    const limit = (/** @type {HTMLInputElement} */ field) => (Number.isNaN(field.valueAsNumber) ? null : field.valueAsNumber);
    return {
      task,
      metric,
      of: systems.value,
      against: other < 0 ? null : other,
      kind: kinds.value,
      slice: slices.value,
      low: limit(low),
      high: limit(high),
      query: search.value.trim(),
      order: orders.value,
    };
  }

  /** @param {View} now @returns {Scope} */
  function scope(now) {
    const key = [task.name, now.metric.name, now.of, now.against].join("\n");
    const found = scopes.get(key) ?? scopeOf(book, now);
    scopes.set(key, found);
    return found;
  }

  // The choices.

  function fillChoices() {
    const answered = book.systems.map((_, place) => place).filter((place) => task.scores[place] || task.answers?.[place]?.some((one) => one !== null));
    const models = [...new Set(answered.map((place) => book.systems[place]?.model ?? ""))];
    const own = (/** @type {string} */ model) => answered.filter((place) => book.systems[place]?.model === model);
    const options = (/** @type {string} */ model) => own(model).map((place) => new Option(book.systems[place]?.name, book.systems[place]?.name));
    const several = (/** @type {string} */ model) => (own(model).length > 1 && models.length > 1 ? [new Option(`all of ${model}`, `all of ${model}`)] : []);
    refill(systems, [new Option("every adapter", ""), ...models.map((model) => group(model, [...several(model), ...options(model)]))]);
    refill(against, [new Option("its base", ""), ...models.map((model) => group(model, options(model)))]);
    byId("x-instead").textContent = task.instead;
    byId("x-instead").hidden = !task.instead;
    refill(metrics, metricsOf(task).map((one) => new Option(one.name, one.name)));
    const parts = task.slices.map((one) => group(one.name, one.labels.map((label) => new Option(label, `${one.name}=${label}`))));
    refill(slices, [new Option("all samples", ""), ...parts]);
  }

  // The list, one page at a time.

  /** @param {number} [kept] the sample that stays chosen if it passes the filters; otherwise the first is chosen */
  function refresh(kept = -1) {
    const now = asked();
    if (now.query && !searched.has(task)) searched.set(task, searchable(task));
    view = listed(book, now, scope(now), searched.get(task) ?? []);
    const all = task.ids.length.toLocaleString("en");
    const count = view.length === task.ids.length ? `${all} samples` : `${view.length.toLocaleString("en")} of ${all} samples`;
    byId("x-count").textContent = view.length ? count : `${count}: no sample matches these filters`;
    /** @type {HTMLButtonElement} */ (byId("x-save")).disabled = !view.length;
    chosen = view.includes(kept) ? kept : (view[0] ?? -1);
    showList();
    showSample();
  }

  /** @param {View} now @param {Scope} found @param {number} sample @returns {number} the number shown in the list; NaN if the sample has no number */
  function tellingNumber(now, found, sample) {
    const [worst, best] = [found.lost[sample] ?? NaN, found.won[sample] ?? NaN];
    if (!found.compared.length || now.order === "low" || now.order === "high") return found.mean[sample] ?? NaN;
    if (now.order === "worst") return worst;
    if (now.order === "best") return best;
    return Math.abs(worst) > Math.abs(best) ? worst : best;
  }

  function showList() {
    const now = asked();
    const found = scope(now);
    const first = Math.floor(Math.max(0, view.indexOf(chosen)) / ROWS) * ROWS;
    const isChange = found.compared.length > 0 && now.order !== "low" && now.order !== "high";
    list.setAttribute("start", String(first + 1));
    list.replaceChildren(
      ...view.slice(first, first + ROWS).map((sample) => {
        const number = tellingNumber(now, found, sample);
        const said = Number.isNaN(number) ? "" : shown(isChange && now.metric.lower ? -number : number, now.metric.digits, isChange);
        const kind = !isChange || !/[1-9]/.test(said) ? "under" : number > 0 ? "up" : "down";
        const button = make(
          "button",
          { type: "button" },
          make("b", { class: kind, text: said }),
          make("span", { class: "which", text: task.ids[sample] ?? "" }),
          make("span", { class: "under", text: (task.inputs?.[sample] ?? "").slice(0, 120) }),
        );
        if (sample === chosen) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => choose(sample));
        return make("li", {}, button);
      }),
    );
    const last = Math.min(first + ROWS, view.length);
    byId("x-page").textContent = view.length > ROWS ? `${first + 1} to ${last}` : "";
    byId("x-pager").hidden = view.length <= ROWS;
    /** @type {HTMLButtonElement} */ (byId("x-before")).disabled = first === 0;
    /** @type {HTMLButtonElement} */ (byId("x-after")).disabled = last === view.length;
  }

  /** @param {number} sample */
  function choose(sample) {
    if (!(sample in task.ids)) return;
    const inList = list.contains(document.activeElement);
    chosen = sample;
    showList();
    showSample();
    const button = list.querySelector("[aria-current]");
    if (inList && button instanceof HTMLElement) button.focus();
    clearTimeout(later);
    history.replaceState(null, "", viewed(sample));
    announce(`${task.ids[sample]}, ${view.indexOf(sample) + 1} of ${view.length}`);
  }

  /** @param {number} by */
  function step(by) {
    const next = view[view.indexOf(chosen) + by];
    if (next !== undefined) choose(next);
  }

  /** @param {number} pages */
  function turn(pages) {
    const now = Math.floor(Math.max(0, view.indexOf(chosen)) / ROWS);
    const next = view[(now + pages) * ROWS];
    if (next !== undefined) choose(next);
  }

  // The chosen sample.

  /** @param {string} text @param {string} label @param {() => void} act @param {boolean} able */
  function action(text, label, act, able = true) {
    const button = /** @type {HTMLButtonElement} */ (make("button", { type: "button", text, "aria-label": label }));
    button.disabled = !able;
    button.addEventListener("click", act);
    return button;
  }

  function showSample() {
    if (chosen < 0) {
      article.replaceChildren(make("p", { class: "note", text: "No sample to show; change the filters." }));
      return;
    }
    const now = asked();
    const at = view.indexOf(chosen);
    /** @type {HTMLButtonElement} */
    const link = action("Copy link", "Copy a link to this sample", () => void copy(link, location.href.replace(/#.*$/, "") + addressOf(task, chosen)));
    const buttons = [
      action("\u2190", "Previous sample", () => step(-1), at > 0),
      action("\u2192", "Next sample", () => step(1), at >= 0 && at < view.length - 1),
      link,
    ];
    const head = make("div", { class: "x-head" }, make("h3", { text: task.ids[chosen] ?? "" }), make("div", { class: "x-buttons" }, ...buttons));
    const isOpen = article.querySelector("details")?.open ?? false;
    const legend = make("p", { class: "fine" }, document.createTextNode("Word differences: "), make("ins", { text: "added" }), document.createTextNode(" "), make("del", { text: "missing" }));
    const parts = task.inputs
      ? [questionOf(task, chosen), marks.value ? legend : null, ...answersOf(book, now, scope(now), chosen, marks.value)]
      : numbersOf(book, now, chosen, addressOf(task, chosen));
    article.replaceChildren(head, ...parts.filter((part) => part !== null));
    const rest = article.querySelector("details");
    if (rest) rest.open = isOpen;
  }

  // The URL: a sample, or the filters and the order.

  /**
   * Return the URL of the current view; that of the sample if no filter is set.
   * @param {number} [sample]
   */
  function viewed(sample = -1) {
    const said = Object.entries(filters).flatMap(([name, one]) => (one.selectedIndex > 0 ? [[name, one.value]] : []));
    for (const [name, field] of Object.entries(limits)) if (field.value) said.push([name, field.value]);
    const query = search.value.trim();
    if (query) said.push(["q", query]);
    if (sample >= 0) {
      if (!said.length) return addressOf(task, sample);
      said.push(["sample", task.ids[sample] ?? ""]);
    }
    return `#explore?${new URLSearchParams([["task", task.name], ...said])}`;
  }

  /** @param {URLSearchParams} said a view's part of the URL */
  function restore(said) {
    const missing = [];
    const there = book.tasks.find((one) => one.name === said.get("task"));
    if (there) turnTo(there);
    else if (said.has("task")) missing.push(`task ${said.get("task")}`);
    for (const [name, one] of Object.entries(filters)) {
      const value = said.get(name);
      one.value = value ?? "";
      if (value !== null && one.selectedIndex < 0) missing.push(`${name} ${value}`);
      if (value === null || one.selectedIndex < 0) one.selectedIndex = 0;
    }
    for (const [name, field] of Object.entries(limits)) field.value = said.get(name) ?? "";
    search.value = said.get("q") ?? "";
    refresh(task.ids.indexOf(said.get("sample") ?? ""));
    if (missing.length) byId("x-count").textContent += `; the link names things that are not on this page: ${missing.join(", ")}`;
    byId("explorer").scrollIntoView();
  }

  /** @returns {boolean} whether the URL names something on this page */
  function follow() {
    if (location.hash.startsWith("#explore?")) {
      restore(new URLSearchParams(location.hash.slice("#explore?".length)));
      return true;
    }
    const found = /^#sample=([^/]*)\/(.*)$/.exec(location.hash);
    if (!found) return false;
    let [name, id] = ["", ""];
    try {
      [name, id] = [decodeURIComponent(found[1] ?? ""), decodeURIComponent(found[2] ?? "")];
    } catch {
      return false; // not one of our URLs
    }
    const there = book.tasks.find((one) => one.name === name);
    const sample = there?.ids.indexOf(id) ?? -1;
    if (!there || sample < 0) {
      byId("x-count").textContent = `This page has no sample ${id} of ${name}.`;
      return false;
    }
    turnTo(there);
    const now = asked();
    if (!listed(book, now, scope(now), now.query ? searchable(task) : []).includes(sample)) clear();
    refresh(sample);
    byId("explorer").scrollIntoView();
    return true;
  }

  /** @param {Task} one */
  function turnTo(one) {
    if (one === task) return;
    task = one;
    tasks.value = String(book.tasks.indexOf(one));
    fillChoices();
  }

  // Events.

  /** Show the view after a change of filters or order. Browsers refuse a URL that changes with every key. */
  function changed() {
    refresh();
    clearTimeout(later);
    later = setTimeout(() => history.replaceState(null, "", viewed()), 200);
  }

  /** Show the chosen sample with or without word differences. */
  function remarked() {
    showSample();
    clearTimeout(later);
    later = setTimeout(() => history.replaceState(null, "", viewed(chosen)), 200);
  }

  function clear() {
    for (const field of [search, low, high]) field.value = "";
    for (const one of [systems, against, kinds, slices]) one.selectedIndex = 0;
  }

  function turnMarks() {
    if (marks.value) marked = marks.value;
    marks.value = marks.value ? "" : marked;
    remarked();
    announce(`word differences ${marks.selectedOptions[0]?.text ?? ""}`);
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = target?.closest("input, select, textarea");
    if (event.key === "Escape" && target === search) {
      if (search.value) {
        search.value = "";
        changed();
      } else search.blur();
      return;
    }
    if (typing) return;
    const inside = target !== null && byId("explorer").contains(target);
    if (event.key === "/") {
      search.focus();
      search.select();
    } else if (inside && (event.key === "j" || event.key === "ArrowDown")) step(1);
    else if (inside && (event.key === "k" || event.key === "ArrowUp")) step(-1);
    else if (inside && event.key === "d") turnMarks();
    else return;
    event.preventDefault();
  }

  tasks.replaceChildren(...book.tasks.map((one, place) => new Option(one.name, String(place))));
  marks.replaceChildren(...MARKS.map(([value, label]) => new Option(label, value)));
  tasks.addEventListener("change", () => {
    task = book.tasks[Number(tasks.value)] ?? task;
    fillChoices();
    changed();
  });
  for (const one of Object.values(filters)) one.addEventListener("change", one === marks ? remarked : changed);
  for (const field of [search, low, high]) field.addEventListener("input", changed);
  byId("x-filters").addEventListener("submit", (event) => event.preventDefault());
  byId("x-before").addEventListener("click", () => turn(-1));
  byId("x-after").addEventListener("click", () => turn(1));
  byId("x-clear").addEventListener("click", () => {
    clear();
    changed();
  });
  byId("x-save").addEventListener("click", () => {
    const now = asked();
    save(`${task.name}.csv`, tableOf(book, now, view, shownSystems(book, now, scope(now))));
  });
  document.addEventListener("keydown", key);
  addEventListener("hashchange", follow);
  byId("explorer").hidden = false;
  fillChoices();
  refresh();
  follow();
}

const data = document.getElementById("samples-data");
if (data) explore(/** @type {Book} */ (JSON.parse(data.textContent ?? "")));
