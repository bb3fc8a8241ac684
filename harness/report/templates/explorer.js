// The sample explorer: a list with search, filters and order, and one sample with every system's answer.
// Texts are foreign data: they are inserted into the page as text nodes only.

/**
 * @typedef {{name: string, model: string, base: number | null}} System
 * @typedef {{name: string, labels: string[], of: number[]}} Slicing `of`: each sample's place in labels, or -1
 * @typedef {(number | null)[]} Numbers one for each sample
 * @typedef {{
 *   name: string, metric: string, lower: boolean, digits: number, prompt: string,
 *   ids: string[], scores: (Numbers | null)[], slices: Slicing[], more?: {name: string, digits: number, scores: (Numbers | null)[]}[],
 *   inputs?: string[], references?: string[][], columns?: Record<string, (string | null)[]>,
 *   answers?: (string | null)[][], odd?: Record<string, [number, number, number][]>, leaves?: [number, number][]
 * }} Task `scores`, `answers`: by system; `more`: other metrics; `leaves`: pages with the texts, each with its number and count of samples
 * @typedef {{systems: System[], tasks: Task[], leaves: string[] | null}} Book
 * @typedef {{lost: Float64Array, won: Float64Array, mean: Float64Array, adapters: number[], all: number[]}} Scope
 *   for the chosen systems: each sample's worst and best change from the base, and its mean score
 */

const ROWS = 25; // rows of the list per page
const TIE = 1e-9; // scores closer than this differ only by rounding
const MINUS = "\u2212";
const ODD = { length: "cut off at the length limit", shortened: "input shortened", refused: "prompt too long, not asked" };

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

/** @param {number} value @param {number} digits @param {boolean} [sign] */
function shown(value, digits, sign = false) {
  const text = Math.abs(value).toFixed(digits);
  if (!Number(text)) return text;
  return (value < 0 ? MINUS : sign ? "+" : "") + text;
}

/** @param {Task} task @param {number} sample */
function addressOf(task, sample) {
  return `#sample=${encodeURIComponent(task.name)}/${encodeURIComponent(task.ids[sample] ?? "")}`;
}

/** @param {Book} book */
function explore(book) {
  const search = /** @type {HTMLInputElement} */ (byId("x-search"));
  const [tasks, systems, kinds, slices, orders] = ["x-task", "x-system", "x-kind", "x-slice", "x-order"].map(choiceOf);
  if (!tasks || !systems || !kinds || !slices || !orders) return;
  const list = byId("x-list");
  const page = byId("x-page");
  const article = byId("x-sample");
  /** @type {Map<Task, string[]>} */
  const haystacks = new Map();
  /** @type {Map<string, Scope>} */
  const scopes = new Map();
  let task = /** @type {Task} */ (book.tasks[0]);
  /** @type {number[]} */
  let view = []; // samples that pass the filters, in order
  let chosen = -1; // a sample
  const filters = { system: systems, show: kinds, slice: slices, order: orders }; // by their names in the URL
  let later = 0; // a timer
  let marked = "reference";

  // The choices.

  function fillChoices() {
    const answered = book.systems.map((_, place) => place).filter((place) => task.scores[place] || task.answers?.[place]?.some((one) => one !== null));
    const models = [...new Set(answered.map((place) => book.systems[place]?.model ?? ""))];
    keep(systems, () => [
      new Option("every adapter", ""),
      ...models.map((model) => {
        const group = /** @type {HTMLOptGroupElement} */ (make("optgroup", { label: model }));
        const own = answered.filter((place) => book.systems[place]?.model === model);
        if (own.length > 1 && models.length > 1) group.append(new Option(`all of ${model}`, `all of ${model}`));
        group.append(...own.map((place) => new Option(book.systems[place]?.name, book.systems[place]?.name)));
        return group;
      }),
    ]);
    keep(slices, () => [
      new Option("all samples", ""),
      ...task.slices.map((slicing) => {
        const group = /** @type {HTMLOptGroupElement} */ (make("optgroup", { label: slicing.name }));
        group.append(...slicing.labels.map((label) => new Option(label, `${slicing.name}=${label}`)));
        return group;
      }),
    ]);
  }

  /**
   * Replace the options; keep the chosen one if it is still there.
   * @param {HTMLSelectElement | undefined} choice
   * @param {() => Node[]} options
   */
  function keep(choice, options) {
    if (!choice) return;
    const before = choice.value;
    choice.replaceChildren(...options());
    choice.value = before;
    if (choice.selectedIndex < 0) choice.selectedIndex = 0;
  }

  /** @returns {Scope} */
  function scope() {
    const key = `${task.name} ${systems?.value}`;
    const known = scopes.get(key);
    if (known) return known;
    const said = systems?.value ?? "";
    const all = book.systems.flatMap((system, place) => {
      const wanted = !said || said === system.name || said === `all of ${system.model}`;
      return wanted && (task.scores[place] || task.answers?.[place]) ? [place] : [];
    });
    const adapters = all.filter((place) => (book.systems[place]?.base ?? null) !== null);
    const count = task.ids.length;
    const found = { lost: new Float64Array(count).fill(NaN), won: new Float64Array(count).fill(NaN), mean: new Float64Array(count).fill(NaN), adapters, all };
    for (let sample = 0; sample < count; sample++) {
      for (const place of adapters) {
        const change = changeOf(place, sample);
        if (change === null) continue;
        if (!(change >= (found.lost[sample] ?? NaN))) found.lost[sample] = change;
        if (!(change <= (found.won[sample] ?? NaN))) found.won[sample] = change;
      }
      let sum = 0;
      let of = 0;
      for (const place of adapters.length ? adapters : all) {
        const score = task.scores[place]?.[sample] ?? null;
        if (score !== null) {
          sum += score;
          of++;
        }
      }
      if (of) found.mean[sample] = (task.lower ? -sum : sum) / of;
    }
    scopes.set(key, found);
    return found;
  }

  /**
   * Return an adapter's score on a sample minus its base's; above 0 is better, whatever the metric.
   * @param {number} system @param {number} sample
   * @returns {number | null}
   */
  function changeOf(system, sample) {
    const base = book.systems[system]?.base ?? null;
    const mine = task.scores[system]?.[sample] ?? null;
    const its = base === null ? null : (task.scores[base]?.[sample] ?? null);
    return mine === null || its === null ? null : task.lower ? its - mine : mine - its;
  }

  // Which samples are listed.

  /** @returns {string[]} the text of each sample that the search looks in */
  function haystack() {
    let found = haystacks.get(task);
    if (!found) {
      found = task.ids.map((id, sample) =>
        [id, task.inputs?.[sample] ?? "", ...(task.references?.[sample] ?? []), ...(task.answers?.map((own) => own[sample] ?? "") ?? [])]
          .join("\n")
          .toLowerCase(),
      );
      haystacks.set(task, found);
    }
    return found;
  }

  /** @returns {(sample: number) => boolean} */
  function passes() {
    const { lost, won, adapters, all } = scope();
    const kind = kinds?.value ?? "";
    const query = search.value.trim().toLowerCase();
    const texts = query ? haystack() : [];
    const cut = task.slices
      .flatMap((one) => one.labels.map((label, at) => ({ name: `${one.name}=${label}`, of: one.of, at })))
      .find((one) => one.name === slices?.value);
    const odd = new Set((task.odd?.[kind] ?? []).filter(([, system]) => all.includes(system)).map(([sample]) => sample));
    /** @param {number} sample */
    const changed = (sample) =>
      adapters.some((place) => {
        const base = book.systems[place]?.base ?? -1;
        const [mine, its] = [task.answers?.[place]?.[sample], task.answers?.[base]?.[sample]];
        return task.answers ? mine !== its : Math.abs(changeOf(place, sample) ?? 0) > TIE;
      });
    return (sample) => {
      if (cut && cut.of[sample] !== cut.at) return false;
      if (kind === "worse" && !((lost[sample] ?? 0) < -TIE)) return false;
      if (kind === "better" && !((won[sample] ?? 0) > TIE)) return false;
      if (kind === "changed" && !changed(sample)) return false;
      if (kind === "same" && changed(sample)) return false;
      if (kind === "empty" && !all.some((place) => (task.answers?.[place]?.[sample] ?? null)?.trim() === "")) return false;
      if (kind in ODD && !odd.has(sample)) return false;
      return !query || (texts[sample] ?? "").includes(query);
    };
  }

  /** @param {Float64Array} values @param {1 | -1} sign NaN comes last */
  function by(values, sign) {
    /** @param {number} a @param {number} b */
    return (a, b) => {
      const [one, other] = [values[a] ?? NaN, values[b] ?? NaN];
      if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || a - b;
      return sign * (one - other) || a - b;
    };
  }

  /** @param {number} [kept] the sample that stays chosen if it passes the filters; otherwise the first is chosen */
  function refresh(kept = -1) {
    const { lost, won, mean } = scope();
    view = task.ids.map((_, sample) => sample).filter(passes());
    if (orders?.value === "worst") view.sort(by(lost, 1));
    if (orders?.value === "best") view.sort(by(won, -1));
    if (orders?.value === "low") view.sort(by(mean, 1));
    const count = view.length === task.ids.length ? `${view.length.toLocaleString("en")} samples` : `${view.length.toLocaleString("en")} of ${task.ids.length.toLocaleString("en")} samples`;
    byId("x-count").textContent = view.length ? count : `${count}: no sample matches these filters`;
    chosen = view.includes(kept) ? kept : (view[0] ?? -1);
    showList();
    showSample();
  }

  // The list, one page at a time.

  /** @param {number} sample @returns {number} the number shown in the list; NaN if there is none */
  function tellingChange(sample) {
    const { lost, won, mean, adapters } = scope();
    if (!adapters.length) return mean[sample] ?? NaN;
    const [worst, best] = [lost[sample] ?? NaN, won[sample] ?? NaN];
    if (orders?.value === "worst") return worst;
    if (orders?.value === "best") return best;
    return Math.abs(worst) > Math.abs(best) ? worst : best;
  }

  function showList() {
    const place = Math.max(0, view.indexOf(chosen));
    const first = place - (place % ROWS);
    const isChange = scope().adapters.length > 0;
    list.setAttribute("start", String(first + 1));
    list.replaceChildren(
      ...view.slice(first, first + ROWS).map((sample) => {
        const change = tellingChange(sample);
        const kind = !isChange || !change ? "under" : change > 0 ? "up" : "down";
        const said = Number.isNaN(change) ? "" : shown(isChange && task.lower ? -change : change, task.digits, isChange);
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
    page.textContent = view.length > ROWS ? `${first + 1} to ${last}` : "";
    byId("x-pager").hidden = view.length <= ROWS;
    /** @type {HTMLButtonElement} */ (byId("x-before")).disabled = first === 0;
    /** @type {HTMLButtonElement} */ (byId("x-after")).disabled = last === view.length;
  }

  // One sample.

  /** @param {number} sample @param {boolean} [quiet] do not change the URL */
  function choose(sample, quiet = false) {
    if (!(sample in task.ids)) return;
    const inList = list.contains(document.activeElement);
    chosen = sample;
    showList();
    showSample();
    const button = list.querySelector("[aria-current]");
    if (inList && button instanceof HTMLElement) button.focus();
    if (quiet) return;
    clearTimeout(later);
    history.replaceState(null, "", viewed(sample));
    announce(`${task.ids[sample]}, ${view.indexOf(sample) + 1} of ${view.length}`);
  }

  /** @param {number} by */
  function step(by) {
    const next = view[view.indexOf(chosen) + by];
    if (next !== undefined) choose(next);
  }

  /** @param {string} tag @param {string} label @param {() => void} act @param {boolean} able */
  function action(tag, label, act, able = true) {
    const button = /** @type {HTMLButtonElement} */ (make("button", { type: "button", text: tag, "aria-label": label }));
    button.disabled = !able;
    button.addEventListener("click", act);
    return button;
  }

  function showSample() {
    if (chosen < 0) {
      article.replaceChildren(make("p", { class: "note", text: "No sample to show; change the filters." }));
      return;
    }
    const at = view.indexOf(chosen);
    const link = /** @type {HTMLButtonElement} */ (action("Copy link", "Copy a link to this sample", () => void copy(link, location.href.replace(/#.*$/, "") + addressOf(task, chosen))));
    const buttons = [
      action("\u2190", "Previous sample", () => step(-1), at > 0),
      action("\u2192", "Next sample", () => step(1), at >= 0 && at < view.length - 1),
      link,
    ];
    const head = make("div", { class: "x-head" }, make("h3", { text: task.ids[chosen] ?? "" }), make("div", { class: "x-buttons" }, ...buttons));
    const text = task.inputs ? texts() : numbers();
    article.replaceChildren(head, ...text);
  }

  /** @param {string} text */
  function textBox(text) {
    return make("div", { class: "text", dir: "auto", text });
  }

  /** The prompt, the references and every answer. */
  function texts() {
    const columns = [
      ...task.slices.filter((one) => (one.of[chosen] ?? -1) >= 0).map((one) => [one.name, one.labels[one.of[chosen] ?? 0] ?? ""]),
      ...Object.entries(task.columns ?? {}).flatMap(([name, values]) => (values[chosen] ? [[name, values[chosen] ?? ""]] : [])),
    ];
    const facts = make("dl", { class: "meta" });
    for (const [name, value] of columns) facts.append(make("div", {}, make("dt", { text: name ?? "" }), make("dd", { dir: "auto", text: (value ?? "").slice(0, 200) })));
    const references = task.references?.[chosen] ?? [];
    const choice = /** @type {HTMLSelectElement} */ (make("select", { "aria-label": "Mark words" }));
    for (const [value, label] of [["reference", "against the reference"], ["base", "against the base"], ["", "not at all"]]) {
      choice.append(new Option(label, value, false, value === marked));
    }
    choice.addEventListener("change", () => {
      marked = choice.value;
      showSample();
      article.querySelector("select")?.focus();
    });
    const legend = make("p", { class: "fine" }, make("label", {}, document.createTextNode("Mark words "), choice));
    if (marked) legend.append(" ", make("ins", { text: "added" }), " ", make("del", { text: "missing" }));
    return [
      make(
        "div",
        { class: "pair" },
        make("div", { class: "asked" }, make("h4", { text: "Prompt" }), promptBox()),
        make(
          "div",
          { class: "asked reference" },
          make("h4", { text: references.length > 1 ? "References" : "Reference" }),
          ...references.map(textBox),
          columns.length ? facts : null,
        ),
      ),
      legend,
      ...groups(),
    ];
  }

  /** The task's prompt template, filled in; the template's own words are paler than the sample's. */
  function promptBox() {
    const box = make("div", { class: "text", dir: "auto" });
    /** @type {Record<string, string | null | undefined>} */
    const values = { input: task.inputs?.[chosen] };
    for (const one of task.slices) values[one.name] = one.labels[one.of[chosen] ?? -1];
    for (const [name, column] of Object.entries(task.columns ?? {})) values[name] = column[chosen];
    let from = 0;
    for (const found of task.prompt.matchAll(/\$(?:(\$)|\{([_a-z][_a-z0-9]*)\}|([_a-z][_a-z0-9]*))/gi)) {
      const name = found[2] ?? found[3] ?? "";
      const value = found[1] ?? values[name];
      if (value === undefined || value === null) continue;
      box.append(make("span", { class: "under", text: task.prompt.slice(from, found.index) }), value);
      from = found.index + found[0].length;
    }
    if (!from) return textBox(values["input"] ?? "");
    box.append(make("span", { class: "under", text: task.prompt.slice(from) }));
    return box;
  }

  /** The answers, a base and its adapters together; chosen systems first. */
  function groups() {
    const { all } = scope();
    /** @type {Map<string, HTMLElement[]>} */
    const found = new Map();
    book.systems.forEach((system, place) => {
      const text = task.answers?.[place]?.[chosen] ?? null;
      if (text === null) return;
      const own = found.get(system.model) ?? [];
      own.push(answerBox(place, text));
      found.set(system.model, own);
    });
    const first = new Set(all.map((place) => book.systems[place]?.model));
    const order = [...found].sort(([a], [b]) => Number(first.has(b)) - Number(first.has(a)));
    return order.map(([, boxes]) => make("div", { class: "answers" }, ...boxes));
  }

  /** @param {number} system @param {string} text */
  function answerBox(system, text) {
    const one = book.systems[system];
    const base = one?.base ?? null;
    const score = task.scores[system]?.[chosen] ?? null;
    const title = make("h4", {}, document.createTextNode(one?.name ?? ""));
    if (score !== null) title.append(" ", make("b", { text: shown(score, task.digits) }));
    const change = changeOf(system, chosen);
    if (change !== null) {
      const kind = change > TIE ? "up" : change < -TIE ? "down" : "under";
      title.append(" ", make("span", { class: kind, text: shown(task.lower ? -change : change, task.digits, true) }));
    }
    const box = make("div", { class: "given" }, title);
    const other = marked === "base" ? (base === null ? null : task.answers?.[base]?.[chosen]) : marked ? task.references?.[chosen]?.[0] : null;
    const more = (task.more ?? []).flatMap((metric) => {
      const its = metric.scores[system]?.[chosen] ?? null;
      return its === null ? [] : [`${metric.name}\u00a0${shown(its, metric.digits)}`];
    });
    if (!text) box.append(make("p", { class: "under", text: "(empty answer)" }));
    else box.append(typeof other === "string" ? markedBox(text, other) : textBox(text));
    if (more.length) box.append(make("p", { class: "fine more", text: more.join(", ") }));
    for (const [kind, said] of Object.entries(ODD)) {
      const odd = task.odd?.[kind]?.find(([sample, its]) => sample === chosen && its === system);
      if (odd) box.append(make("p", { class: "fine", text: kind === "shortened" ? `${said} by ${odd[2]} tokens` : said }));
    }
    return box;
  }

  /** @param {string} text @param {string} other */
  function markedBox(text, other) {
    const pieces = difference(text, other);
    if (!pieces) return textBox(text);
    const tags = { same: "span", more: "ins", less: "del" };
    const box = make("div", { class: "text", dir: "auto" });
    for (const piece of pieces) {
      const before = box.textContent ?? "";
      if (before && !/\s$/.test(before) && /^[\p{L}\p{N}]/u.test(piece.text)) box.append(" "); // the other text's words bring no space along
      box.append(make(tags[piece.kind], { text: piece.text }));
    }
    return box;
  }

  /** The scores of a sample whose texts are on another page, with a link to that page. */
  function numbers() {
    const body = make("tbody");
    book.systems.forEach((system, place) => {
      const score = task.scores[place]?.[chosen] ?? null;
      if (score === null) return;
      const change = changeOf(place, chosen);
      const said = change === null ? "" : shown(task.lower ? -change : change, task.digits, true);
      body.append(make("tr", {}, make("th", { scope: "row", text: system.name }), make("td", { class: "n", text: shown(score, task.digits) }), make("td", { class: "n", text: said })));
    });
    const heads = make("tr", {}, make("th", { scope: "col", text: "System" }), make("th", { scope: "col", class: "n", text: task.metric }), make("th", { scope: "col", class: "n", text: "Against its base" }));
    let left = chosen;
    const leaf = task.leaves?.find(([, count]) => (left -= count) < 0)?.[0];
    const file = leaf === undefined ? undefined : book.leaves?.[leaf];
    const link = file
      ? make("p", {}, make("a", { href: file + addressOf(task, chosen), text: "Read the prompt and the answers" }))
      : make("p", { class: "note", text: "For this task the page contains ids and numbers only, no texts." });
    return [link, make("table", { class: "plain" }, make("thead", {}, heads), body)];
  }

  // The URL: a sample, or the filters and the order.

  /**
   * Return the URL of the current view; that of the sample if no filter is set.
   * @param {number} [sample]
   */
  function viewed(sample = -1) {
    const said = Object.entries(filters).flatMap(([name, one]) => (one && one.selectedIndex > 0 ? [[name, one.value]] : []));
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
      if (!one) continue;
      const value = said.get(name);
      one.value = value ?? "";
      if (value !== null && one.selectedIndex < 0) missing.push(`${name} ${value}`);
      if (value === null || one.selectedIndex < 0) one.selectedIndex = 0;
    }
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
    if (!passes()(sample)) clear();
    refresh(sample);
    byId("explorer").scrollIntoView();
    return true;
  }

  /** @param {Task} one */
  function turnTo(one) {
    if (one === task || !tasks) return;
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

  function clear() {
    search.value = "";
    for (const one of [systems, kinds, slices]) if (one) one.selectedIndex = 0;
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
    else return;
    event.preventDefault();
  }

  tasks.replaceChildren(...book.tasks.map((one, place) => new Option(one.name, String(place))));
  tasks.addEventListener("change", () => {
    task = book.tasks[Number(tasks.value)] ?? task;
    fillChoices();
    changed();
  });
  for (const one of Object.values(filters)) one.addEventListener("change", changed);
  search.addEventListener("input", changed);
  byId("x-filters").addEventListener("submit", (event) => event.preventDefault());
  byId("x-before").addEventListener("click", () => turn(-1));
  byId("x-after").addEventListener("click", () => turn(1));
  /** @param {number} pages */
  function turn(pages) {
    const now = Math.floor(Math.max(0, view.indexOf(chosen)) / ROWS);
    const next = view[(now + pages) * ROWS];
    if (next !== undefined) choose(next);
  }
  document.addEventListener("keydown", key);
  addEventListener("hashchange", follow);
  byId("explorer").hidden = false;
  fillChoices();
  refresh();
  follow();
}

const data = document.getElementById("samples-data");
if (data) explore(/** @type {Book} */ (JSON.parse(data.textContent ?? "")));
