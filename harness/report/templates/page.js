// Functions of every page: themes, sortable tables, copy buttons, tooltips of charts.

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes `text` is its text, all others are attributes
 * @param {(Node | null)[]} children
 * @returns {HTMLElement}
 */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** @param {string} text read out by a screen reader, invisible */
function announce(text) {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
}

/** Add a choice of colours to the page's head; the default is the system's. */
function addThemes() {
  const place = document.getElementById("theme");
  if (!place) return;
  const root = document.documentElement;
  const choice = /** @type {HTMLSelectElement} */ (make("select", { id: "theme-choice", "aria-label": "Colours" }));
  for (const [value, text] of [["", "System colours"], ["light", "Light"], ["dark", "Dark"]]) {
    choice.append(new Option(text, value, false, (root.dataset.theme ?? "") === value));
  }
  choice.addEventListener("change", () => {
    if (choice.value) root.dataset.theme = choice.value;
    else delete root.dataset.theme;
    try {
      localStorage.setItem("harness-theme", choice.value);
    } catch {
      // for this visit only
    }
  });
  place.append(choice);
}

/**
 * Return a row's sort key in a column: the cell's number if it has one, else its text.
 * @param {HTMLTableRowElement} row
 * @param {number} column
 * @returns {number | string | null} null comes last in both directions
 */
function sortKey(row, column) {
  const cell = row.cells[column];
  const said = cell?.dataset.sort;
  if (said === undefined) return (cell?.textContent ?? "").trim() || null;
  return said === "" ? null : Number(said);
}

/**
 * @param {HTMLTableElement} table
 * @param {number} column
 * @param {"ascending" | "descending"} direction
 */
function sortTable(table, column, direction) {
  const body = table.tBodies[0];
  if (!body) return;
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => ({ row, key: sortKey(row, column) }));
  rows.sort(({ key: a }, { key: b }) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
  });
  body.append(...rows.map(({ row }) => row));
  table.classList.add("sorted");
  for (const head of table.tHead?.rows[0]?.cells ?? []) {
    head.setAttribute("aria-sort", head.cellIndex === column ? direction : "none");
  }
}

/** Turn headings into buttons; a phone shows no headings, so a list of them is put above the table. */
function addSorting() {
  for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll("table.sortable"))) {
    const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
    const choice = /** @type {HTMLSelectElement} */ (make("select", {}, new Option("as listed", "")));
    const name = table.getAttribute("aria-label") ?? "table";
    for (const head of heads) {
      const button = make("button", { type: "button", class: "sort" }, ...head.childNodes);
      const title = head.dataset.name ?? (button.textContent ?? "").trim();
      const first = head.dataset.first === "ascending" || !head.dataset.first ? "ascending" : "descending";
      head.append(button);
      head.setAttribute("aria-sort", "none");
      choice.append(new Option(title, String(head.cellIndex)));
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const next = now === "none" ? first : now === "ascending" ? "descending" : "ascending";
        sortTable(table, head.cellIndex, next);
        choice.value = String(head.cellIndex);
        announce(`${name}, sorted by ${title}, ${next}`);
      });
    }
    const listed = [...(table.tBodies[0]?.rows ?? [])];
    choice.addEventListener("change", () => {
      const head = heads[Number(choice.value)];
      if (choice.value !== "" && head) {
        sortTable(table, head.cellIndex, head.dataset.first === "descending" ? "descending" : "ascending");
        return;
      }
      table.tBodies[0]?.append(...listed);
      table.classList.remove("sorted");
      for (const one of heads) one.setAttribute("aria-sort", "none");
    });
    table.before(make("label", { class: "sort-by" }, document.createTextNode("Sort by "), choice));
  }
}

/**
 * @param {HTMLElement} button shows whether copying worked
 * @param {string} text
 */
async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    const area = /** @type {HTMLTextAreaElement} */ (make("textarea", { text }));
    document.body.append(area); // a page opened from disk may have no clipboard
    area.select();
    button.textContent = document.execCommand("copy") ? "Copied" : "Not allowed here";
    area.remove();
    button.focus();
  }
  announce(button.textContent ?? "");
  setTimeout(() => (button.textContent = before), 1500);
}

function addCopying() {
  for (const block of document.querySelectorAll("pre.copied")) {
    const button = make("button", { type: "button", class: "copy", text: "Copy" });
    button.addEventListener("click", () => void copy(button, block.textContent ?? ""));
    block.before(button);
  }
}

/** Make boxes that scroll reachable by keyboard. */
function addScrolling() {
  for (const box of document.querySelectorAll(".wide-table:not([tabindex])")) {
    box.setAttribute("tabindex", "0");
    box.setAttribute("role", "region");
    const title = box.closest("details")?.querySelector("summary") ?? box.closest("section")?.querySelector("h2");
    box.setAttribute("aria-label", title?.textContent ?? "Table");
  }
}

/** Show the title of a chart's mark beside the pointer at once; the browser's own tooltip is slow. */
function addTips() {
  const tip = make("div", { class: "tip", "aria-hidden": "true" });
  tip.hidden = true;
  document.body.append(tip);
  /** @type {Element | null} */
  let kept = null; // a mark whose title is removed for now, since the browser would show it too
  let said = "";
  const leave = () => {
    if (kept) kept.prepend(Object.assign(document.createElementNS("http://www.w3.org/2000/svg", "title"), { textContent: said }));
    kept = null;
    tip.hidden = true;
  };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target instanceof SVGElement ? event.target : null;
    if (mark && mark === kept) return;
    leave();
    const title = mark?.querySelector(":scope > title");
    if (!mark || !title || mark instanceof SVGSVGElement) return;
    said = title.textContent ?? "";
    title.remove();
    kept = mark;
    tip.textContent = said;
    tip.hidden = false;
    const at = mark.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.x + at.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
    const above = at.y - tip.offsetHeight - 8;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above > 0 ? above : at.bottom + 8) + scrollY}px`;
  });
  document.addEventListener("scroll", leave, { passive: true });
}

addThemes();
addSorting();
addCopying();
addScrolling();
addTips();
