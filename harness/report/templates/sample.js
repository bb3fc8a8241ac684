// One sample: its prompt, references and answers. Texts are foreign data: they enter the page as text nodes only.

const MINUS = "\u2212";
const SENTENCE = 3; // more times than this are left to a table
const FOLDED = 12; // more answers than this are folded

/** @param {number} value @param {number} digits @param {boolean} [sign] */
function shown(value, digits, sign = false) {
  const text = Math.abs(value).toFixed(digits);
  if (!Number(text)) return text;
  return (value < 0 ? MINUS : sign ? "+" : "") + text;
}

/** @param {string} text */
function textBox(text) {
  return make("div", { class: "text", dir: "auto", text });
}

/**
 * Return the prompt, the references and the sample's columns.
 * @param {Task} task @param {number} sample
 */
function questionOf(task, sample) {
  const columns = [
    ...task.slices.filter((one) => (one.of[sample] ?? -1) >= 0).map((one) => [one.name, one.labels[one.of[sample] ?? 0] ?? ""]),
    ...Object.entries(task.columns ?? {}).flatMap(([name, values]) => (values[sample] ? [[name, values[sample] ?? ""]] : [])),
  ];
  const facts = make("dl", { class: "meta" });
  for (const [name, value] of columns) {
    facts.append(make("div", {}, make("dt", { text: name ?? "" }), make("dd", { dir: "auto", text: (value ?? "").slice(0, 200) })));
  }
  const references = task.references?.[sample] ?? [];
  return make(
    "div",
    { class: "pair" },
    make("div", { class: "asked" }, make("h4", { text: "Prompt" }), promptBox(task, sample)),
    make(
      "div",
      { class: "asked reference" },
      make("h4", { text: references.length > 1 ? "References" : "Reference" }),
      ...references.map(textBox),
      columns.length ? facts : null,
    ),
  );
}

/**
 * Return the task's prompt template, filled in; the template's own words are paler than the sample's.
 * @param {Task} task @param {number} sample
 */
function promptBox(task, sample) {
  const box = make("div", { class: "text", dir: "auto" });
  /** @type {Record<string, string | null | undefined>} */
  const values = { input: task.inputs?.[sample], id: task.ids[sample] };
  for (const one of task.slices) values[one.name] = one.labels[one.of[sample] ?? -1];
  for (const [name, column] of Object.entries(task.columns ?? {})) values[name] = column[sample];
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

/**
 * Return the answers: those asked for first, two of them side by side; all others folded.
 * @param {Book} book @param {View} view @param {Scope} scope @param {number} sample @param {string} marks
 */
function answersOf(book, view, scope, sample, marks) {
  const { task } = view;
  const answered = book.systems.map((_, place) => place).filter((place) => (task.answers?.[place]?.[sample] ?? null) !== null);
  const asked = shownSystems(book, view, scope).filter((place) => answered.includes(place));
  const open = asked.slice(0, FOLDED);
  const rest = answered.filter((place) => !open.includes(place));
  const box = (/** @type {number} */ place) => answerBox(book, view, place, sample, marks);
  const parts = (asked.length === 2 ? [open] : byModel(book, open)).map((own) => make("div", { class: asked.length === 2 ? "answers two" : "answers" }, ...own.map(box)));
  if (rest.length) {
    const other = make("details", { class: "folded" }, make("summary", { text: `${rest.length} other ${rest.length === 1 ? "answer" : "answers"}` }));
    other.append(...byModel(book, rest).map((own) => make("div", { class: "answers" }, ...own.map(box))));
    parts.push(other);
  }
  parts.push(make("p", { class: "fine", text: timesOf(book, task, open) }));
  return parts;
}

/**
 * Return a sentence on times: a RESULT has only each system's mean over a task.
 * @param {Book} book @param {Task} task @param {number[]} systems
 */
function timesOf(book, task, systems) {
  const means = systems.flatMap((place) => (task.seconds?.[place] ? [`${book.systems[place]?.name} ${task.seconds[place]}`] : []));
  const where = means.length > SENTENCE ? "; the means are in the table under Quality and cost" : `; the mean over the task is: ${means.join(", ")}`;
  return `The time of single answers is not recorded${means.length ? where : ""}.`;
}

/**
 * Return the systems by model, a base and its adapters together.
 * @param {Book} book @param {number[]} systems
 */
function byModel(book, systems) {
  /** @type {Map<string, number[]>} */
  const found = new Map();
  for (const place of systems) {
    const model = book.systems[place]?.model ?? "";
    found.set(model, [...(found.get(model) ?? []), place]);
  }
  return [...found.values()];
}

/** @param {Book} book @param {View} view @param {number} system @param {number} sample @param {string} marks */
function answerBox(book, view, system, sample, marks) {
  const { task, metric } = view;
  const text = task.answers?.[system]?.[sample] ?? "";
  const score = metric.scores[system]?.[sample] ?? null;
  const title = make("h4", {}, document.createTextNode(book.systems[system]?.name ?? ""));
  if (score !== null) title.append(" ", make("b", { text: shown(score, metric.digits) }));
  const change = changeOf(book, view, system, sample);
  if (change !== null) {
    const kind = change > TIE ? "up" : change < -TIE ? "down" : "under";
    title.append(" ", make("span", { class: kind, text: shown(metric.lower ? -change : change, metric.digits, true) }));
  }
  const other = otherOf(book, view, system);
  const compared = marks === "other" ? (other === null ? null : task.answers?.[other]?.[sample]) : marks ? task.references?.[sample]?.[0] : null;
  const box = make("div", { class: "given" }, title);
  if (!text) box.append(make("p", { class: "under", text: "(empty answer)" }));
  else box.append(typeof compared === "string" ? markedBox(text, compared) : textBox(text));
  const numbers = metricsOf(task).flatMap((one) => {
    const its = one.name === metric.name ? null : (one.scores[system]?.[sample] ?? null);
    return its === null ? [] : [`${one.name}\u00a0${shown(its, one.digits)}`];
  });
  const [asked, given] = [task.promptTokens, task.outputTokens].map((of) => of?.[system]?.[sample] ?? 0);
  if (asked || given) numbers.push(`${given}\u00a0${given === 1 ? "token" : "tokens"}, prompt\u00a0${asked || "unknown"}`);
  if (numbers.length) box.append(make("p", { class: "fine more", text: numbers.join(", ") }));
  for (const [kind, said] of Object.entries(ODD)) {
    const odd = task.odd?.[kind]?.find(([at, its]) => at === sample && its === system);
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

/**
 * Return the scores of a sample whose texts are on another page, and a link to that page.
 * @param {Book} book @param {View} view @param {number} sample @param {string} address the sample's, within a page
 */
function numbersOf(book, view, sample, address) {
  const { task, metric } = view;
  const body = make("tbody");
  book.systems.forEach((system, place) => {
    const score = metric.scores[place]?.[sample] ?? null;
    if (score === null) return;
    const change = changeOf(book, view, place, sample);
    const said = change === null ? "" : shown(metric.lower ? -change : change, metric.digits, true);
    body.append(make("tr", {}, make("th", { scope: "row", text: system.name }), make("td", { class: "n", text: shown(score, metric.digits) }), make("td", { class: "n", text: said })));
  });
  const compared = view.against === null ? "Against its base" : `Against ${book.systems[view.against]?.name}`;
  const heads = make("tr", {}, make("th", { scope: "col", text: "System" }), make("th", { scope: "col", class: "n", text: metric.name }), make("th", { scope: "col", class: "n", text: compared }));
  let left = sample;
  const leaf = task.leaves?.find(([, count]) => (left -= count) < 0)?.[0];
  const file = leaf === undefined ? undefined : book.leaves?.[leaf];
  const link = file
    ? make("p", {}, make("a", { href: file + address, text: "Read the prompt and the answers" }))
    : make("p", { class: "note", text: "For this task the page contains ids and numbers only, no texts." });
  return [link, make("table", { class: "plain" }, make("thead", {}, heads), body)];
}
