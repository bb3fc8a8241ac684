// Comma-separated tables of what the explorer shows.

// As harness/files/spreadsheet.py, without control characters: the page's data have none.
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Return a value as a cell; a single quote is put before text that a spreadsheet would run as a formula.
 * @param {string | number | null | undefined} value
 */
function cellOf(value) {
  if (typeof value !== "string") return value === null || value === undefined ? "" : String(value);
  const safe = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Return a line for each answer of these samples by these systems.
 * @param {Book} book @param {View} view @param {number[]} samples @param {number[]} systems
 */
function tableOf(book, view, samples, systems) {
  const { task } = view;
  const metrics = metricsOf(task);
  const texts = task.inputs ? ["input", "references", "answer"] : [];
  const head = ["task", "sample_id", "system", ...metrics.map((one) => one.name), "compared_with", `difference in ${view.metric.name}`];
  const lines = [[...head, "prompt_tokens", "output_tokens", ...texts].map((value) => cellOf(value))];
  for (const sample of samples) {
    for (const system of systems) {
      const answer = task.answers?.[system]?.[sample] ?? null;
      if (answer === null && (task.scores[system]?.[sample] ?? null) === null) continue;
      const other = otherOf(book, view, system);
      const change = changeOf(book, view, system, sample);
      const difference = change === null ? null : Number((view.metric.lower ? -change : change).toFixed(6));
      const tokens = [task.promptTokens, task.outputTokens].map((of) => of?.[system]?.[sample] || null);
      const said = task.inputs ? [task.inputs[sample], (task.references?.[sample] ?? []).join("\n"), answer] : [];
      const scores = metrics.map((one) => one.scores[system]?.[sample]);
      const names = [task.name, task.ids[sample], book.systems[system]?.name];
      lines.push([...names, ...scores, other === null ? "" : book.systems[other]?.name, difference, ...tokens, ...said].map((value) => cellOf(value)));
    }
  }
  return lines.map((line) => line.join(",")).join("\n") + "\n";
}

/**
 * Let the reader save a text as a file.
 * @param {string} name @param {string} text
 */
function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = /** @type {HTMLAnchorElement} */ (make("a", { href: url, download: name.replace(/[^\p{L}\p{N}._-]+/gu, "-") }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
