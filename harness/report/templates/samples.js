// The samples of a report, which of them a reader asked for, and in what order. No part of this file touches the page.

/**
 * @typedef {{name: string, model: string, base: number | null}} System
 * @typedef {{name: string, labels: string[], of: number[]}} Slicing `of`: each sample's place in labels, or -1
 * @typedef {(number | null)[]} Numbers one for each sample
 * @typedef {{name: string, lower: boolean, digits: number, scores: (Numbers | null)[]}} Metric `scores`: by system
 * @typedef {{
 *   name: string, metric: string, instead: string, lower: boolean, digits: number, prompt: string, seconds?: string[],
 *   ids: string[], scores: (Numbers | null)[], slices: Slicing[], more?: Metric[],
 *   inputs?: string[], references?: string[][], columns?: Record<string, (string | null)[]>,
 *   answers?: (string | null)[][], promptTokens?: number[][], outputTokens?: number[][],
 *   odd?: Record<string, [number, number, number][]>, leaves?: [number, number][]
 * }} Task `metric`: what is shown of a sample; `instead`: says so if that is not the primary metric; `scores`, `answers`, tokens (0: not recorded), `seconds`: by system; `more`: other metrics;
 *   `leaves`: pages with the texts, each with its number and count of samples
 * @typedef {{systems: System[], tasks: Task[], leaves: string[] | null}} Book
 * @typedef {{
 *   task: Task, metric: Metric, of: string, against: number | null, kind: string, slice: string,
 *   low: number | null, high: number | null, query: string, order: string
 * }} View what the reader asked for; `of`: a system, "all of MODEL", or "" for every adapter; `against`: null for the base
 * @typedef {{lost: Float64Array, won: Float64Array, mean: Float64Array, compared: number[], all: number[]}} Scope
 *   for the chosen systems: each sample's worst and best change against the other side, and the mean score
 */

const TIE = 1e-9; // scores closer than this differ only by rounding
const ODD = { length: "cut off at the length limit", shortened: "input shortened", refused: "prompt too long, not asked" };

/**
 * Return the primary metric, then the others.
 * @param {Task} task
 * @returns {Metric[]}
 */
function metricsOf(task) {
  return [{ name: task.metric, lower: task.lower, digits: task.digits, scores: task.scores }, ...(task.more ?? [])];
}

/**
 * Return the system that a system is compared with.
 * @param {Book} book @param {View} view @param {number} system
 * @returns {number | null}
 */
function otherOf(book, view, system) {
  if (view.against !== null) return view.against === system ? null : view.against;
  return book.systems[system]?.base ?? null;
}

/**
 * Return a system's score on a sample minus the other side's; above 0 is better, whatever the metric.
 * @param {Book} book @param {View} view @param {number} system @param {number} sample
 * @returns {number | null}
 */
function changeOf(book, view, system, sample) {
  const other = otherOf(book, view, system);
  const { scores, lower } = view.metric;
  const mine = scores[system]?.[sample] ?? null;
  const its = other === null ? null : (scores[other]?.[sample] ?? null);
  return mine === null || its === null ? null : lower ? its - mine : mine - its;
}

/**
 * @param {Book} book @param {View} view
 * @returns {Scope}
 */
function scopeOf(book, view) {
  const { task, metric } = view;
  const all = book.systems.flatMap((system, place) => {
    const wanted = !view.of || view.of === system.name || view.of === `all of ${system.model}`;
    return wanted && (task.scores[place] || task.answers?.[place]) ? [place] : [];
  });
  const compared = all.filter((place) => otherOf(book, view, place) !== null);
  const count = task.ids.length;
  const empty = () => new Float64Array(count).fill(NaN);
  const found = { lost: empty(), won: empty(), mean: empty(), compared, all };
  for (let sample = 0; sample < count; sample++) {
    for (const place of compared) {
      const change = changeOf(book, view, place, sample);
      if (change === null) continue;
      if (!(change >= (found.lost[sample] ?? NaN))) found.lost[sample] = change;
      if (!(change <= (found.won[sample] ?? NaN))) found.won[sample] = change;
    }
    let sum = 0;
    let of = 0;
    for (const place of compared.length ? compared : all) {
      const score = metric.scores[place]?.[sample] ?? null;
      if (score === null) continue;
      sum += score;
      of++;
    }
    if (of) found.mean[sample] = sum / of;
  }
  return found;
}

/**
 * Return the text of each sample that the search looks in.
 * @param {Task} task
 */
function searchable(task) {
  return task.ids.map((id, sample) =>
    [id, task.inputs?.[sample] ?? "", ...(task.references?.[sample] ?? []), ...(task.answers?.map((own) => own[sample] ?? "") ?? [])]
      .join("\n")
      .toLowerCase(),
  );
}

/**
 * Return whether a sample passes the filters.
 * @param {Book} book @param {View} view @param {Scope} scope
 * @param {string[]} texts what the search looks in; may be empty if there is no query
 * @returns {(sample: number) => boolean}
 */
function filterOf(book, view, scope, texts) {
  const { task, kind, low, high } = view;
  const { lost, won, mean, compared, all } = scope;
  const cut = task.slices
    .flatMap((one) => one.labels.map((label, at) => ({ name: `${one.name}=${label}`, of: one.of, at })))
    .find((one) => one.name === view.slice);
  const odd = new Set((task.odd?.[kind] ?? []).filter(([, system]) => all.includes(system)).map(([sample]) => sample));
  /** @param {number} sample */
  const changed = (sample) =>
    compared.some((place) => {
      const other = otherOf(book, view, place) ?? -1;
      const [mine, its] = [task.answers?.[place]?.[sample], task.answers?.[other]?.[sample]];
      return task.answers ? mine !== its : Math.abs(changeOf(book, view, place, sample) ?? 0) > TIE;
    });
  return (sample) => {
    if (cut && cut.of[sample] !== cut.at) return false;
    if (low !== null && !((mean[sample] ?? NaN) >= low)) return false;
    if (high !== null && !((mean[sample] ?? NaN) <= high)) return false;
    if (kind === "worse" && !((lost[sample] ?? 0) < -TIE)) return false;
    if (kind === "better" && !((won[sample] ?? 0) > TIE)) return false;
    if (kind === "changed" && !changed(sample)) return false;
    if (kind === "same" && changed(sample)) return false;
    if (kind === "empty" && !all.some((place) => (task.answers?.[place]?.[sample] ?? null)?.trim() === "")) return false;
    if (kind in ODD && !odd.has(sample)) return false;
    return !view.query || (texts[sample] ?? "").includes(view.query.toLowerCase());
  };
}

/**
 * Return how two samples are ordered; those without the number come last.
 * @param {ArrayLike<number>} values @param {1 | -1} sign
 */
function byValue(values, sign) {
  /** @param {number} a @param {number} b */
  return (a, b) => {
    const [one, other] = [values[a] ?? NaN, values[b] ?? NaN];
    if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || a - b;
    return sign * (one - other) || a - b;
  };
}

/**
 * Return each sample's longest answer of the chosen systems, in tokens; NaN if it was not recorded.
 * @param {View} view @param {Scope} scope
 */
function longest(view, scope) {
  const { outputTokens } = view.task;
  return view.task.ids.map((_, sample) => Math.max(0, ...scope.all.map((place) => outputTokens?.[place]?.[sample] ?? 0)) || NaN);
}

/**
 * Return the samples that pass the filters, in order.
 * @param {Book} book @param {View} view @param {Scope} scope @param {string[]} texts
 */
function listed(book, view, scope, texts) {
  const found = view.task.ids.map((_, sample) => sample).filter(filterOf(book, view, scope, texts));
  const worstFirst = view.metric.lower ? -1 : 1;
  if (view.order === "worst") found.sort(byValue(scope.lost, 1));
  if (view.order === "best") found.sort(byValue(scope.won, -1));
  if (view.order === "low") found.sort(byValue(scope.mean, worstFirst));
  if (view.order === "high") found.sort(byValue(scope.mean, worstFirst === 1 ? -1 : 1));
  if (view.order === "long") found.sort(byValue(longest(view, scope), -1));
  return found;
}

/**
 * Return the systems whose answers are shown: the chosen ones and those that they are compared with; all if none is chosen.
 * @param {Book} book @param {View} view @param {Scope} scope
 */
function shownSystems(book, view, scope) {
  if (!view.of && view.against === null) return book.systems.map((_, place) => place);
  const others = scope.all.map((place) => otherOf(book, view, place)).filter((place) => place !== null);
  return [...new Set([...others, ...scope.all])].sort((a, b) => Number(others.includes(b)) - Number(others.includes(a)) || a - b);
}
