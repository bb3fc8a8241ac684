// The index of RESULTs: hide the rows that do not pass the filters, and choose two to compare.

const CHOICES = /** @type {const} */ (["suite", "task", "model", "adapter", "state"]);

/**
 * @param {string} id
 * @returns {string} the field's value
 */
function filled(id) {
  const field = document.getElementById(`r-${id}`);
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value.trim() : "";
}

/**
 * Return whether a row's attribute is a value, or a list with it.
 * @param {HTMLElement} row
 * @param {string} name
 * @param {string} wanted "" means any
 */
function has(row, name, wanted) {
  const said = row.dataset[name] ?? "";
  if (!wanted) return true;
  if (name === "suite" || name === "state") return said === wanted;
  return /** @type {string[]} */ (JSON.parse(said)).includes(wanted);
}

/** @returns {HTMLTableRowElement[]} */
function runs() {
  const table = document.getElementById("r-table");
  return table instanceof HTMLTableElement ? [...(table.tBodies[0]?.rows ?? [])] : [];
}

function filterRuns() {
  const [from, to, text] = [filled("from"), filled("to"), filled("search").toLowerCase()];
  const wanted = CHOICES.map((name) => /** @type {const} */ ([name, filled(name)]));
  const all = runs();
  let shown = 0;
  for (const row of all) {
    const made = row.dataset.made ?? "";
    const words = [row.textContent ?? "", row.dataset.model ?? "", row.dataset.adapter ?? ""].join(" ").toLowerCase();
    const passes =
      wanted.every(([name, value]) => has(row, name, value)) &&
      (!from || (made !== "" && made >= from)) &&
      (!to || (made !== "" && made <= to)) &&
      (!text || words.includes(text));
    row.hidden = !passes;
    shown += Number(passes);
  }
  const count = document.getElementById("r-count");
  if (count) {
    const of = shown === all.length ? "" : `${shown} of `;
    count.textContent = `${of}${all.length} RESULT${all.length === 1 ? "" : "s"}`;
  }
}

/** Add a box to each row; when two are ticked, the button leads to the page that compares them. */
function addChoosing() {
  const button = document.getElementById("r-compare");
  if (!(button instanceof HTMLButtonElement) || runs().length < 2) return;
  /** @type {string[]} */
  const chosen = []; // keys, in the order in which they were ticked
  for (const row of runs()) {
    const name = row.cells[0];
    const key = row.dataset.key ?? "";
    const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", "aria-label": `Compare ${name?.textContent?.trim() ?? ""}` }));
    box.checked = false;
    box.addEventListener("change", () => {
      if (box.checked) chosen.push(key);
      else chosen.splice(chosen.indexOf(key), 1);
      button.disabled = chosen.length !== 2;
      button.textContent = chosen.length === 2 ? "Compare the two chosen" : "Compare two";
    });
    name?.prepend(box);
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    const [a, b] = chosen;
    const known = button.dataset.pairs ? /** @type {string[]} */ (JSON.parse(button.dataset.pairs)) : null;
    const address = `compare/${a}.${b}.html`;
    if (known && !known.includes(address)) announce("This pair is not part of the copy");
    location.href = known && !known.includes(address) ? "compare.html" : address;
  });
}

const fields = document.getElementById("r-filters");
if (fields) {
  fields.hidden = false;
  fields.addEventListener("input", filterRuns);
  fields.addEventListener("submit", (event) => event.preventDefault());
  addChoosing();
  filterRuns(); // a browser may restore earlier choices
}
