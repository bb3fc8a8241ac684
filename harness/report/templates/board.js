// The filters of the leaderboard: hide lines, and tables without lines. Ranks stay those of the whole table.

/**
 * @param {string} id
 * @returns {string} the field's value
 */
function asked(id) {
  const field = document.getElementById(id);
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value.trim() : "";
}

/**
 * @param {HTMLElement} row
 * @param {string} text in small letters
 */
function says(row, text) {
  const cells = [row.querySelector("th"), row.querySelector("[data-label=Run]")];
  return cells.some((cell) => (cell?.textContent ?? "").toLowerCase().includes(text));
}

/**
 * Return whether a number is within a limit; a missing number never is.
 * @param {string | undefined} value
 * @param {string} limit "" means no limit
 * @param {(value: number, limit: number) => boolean} holds
 */
function within(value, limit, holds) {
  return limit === "" || (!!value && holds(Number(value), Number(limit)));
}

const atMost = (/** @type {number} */ value, /** @type {number} */ limit) => value <= limit;
const atLeast = (/** @type {number} */ value, /** @type {number} */ limit) => value >= limit;

function filterBoard() {
  const [search, task, family, licence, modelLicence] = ["b-search", "b-task", "b-family", "b-licence", "b-model-licence"].map(asked);
  const [parameters, limit, cost] = ["b-parameters", "b-limit", "b-cost"].map(asked);
  const most = parameters ? String(Number(parameters) * 1e6) : "";
  const text = (search ?? "").toLowerCase();
  let shown = 0;
  let all = 0;
  for (const group of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("section.group"))) {
    const wanted = (!task || group.dataset.task === task) && (!licence || group.dataset.licence === licence);
    let here = 0;
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (group.querySelectorAll("tbody tr"))) {
      const passes =
        wanted &&
        (!family || row.dataset.family === family) &&
        (!modelLicence || row.dataset.modelLicence === modelLicence) &&
        within(row.dataset.parameters, most, atMost) &&
        within(row.dataset[cost || "training"], limit ?? "", cost === "speed" ? atLeast : atMost) &&
        (!text || says(row, text));
      row.hidden = !passes;
      all += 1;
      here += Number(passes);
    }
    group.hidden = !here;
    shown += here;
  }
  const count = document.getElementById("b-count");
  if (count) count.textContent = shown === all ? `${all} lines` : `${shown} of ${all} lines; ranks are among all lines`;
}

const filters = document.getElementById("b-filters");
if (filters) {
  filters.hidden = false;
  filters.addEventListener("input", filterBoard);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filterBoard(); // a browser may restore earlier choices
}
