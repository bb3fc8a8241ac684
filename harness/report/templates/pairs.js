// Choose two RESULTs to compare; each pair has a page of its own.

const chooser = document.getElementById("p-choose");
const sides = ["p-a", "p-b"].map((id) => document.getElementById(id));
const said = document.getElementById("p-said");

/** @returns {string} why there is no such page; "" if there is one */
function refused() {
  const [a, b] = sides.map((side) => (side instanceof HTMLSelectElement ? side.value : ""));
  if (a === b) return "Choose two different RESULTs.";
  const known = /** @type {string[]} */ (JSON.parse(chooser?.dataset.pairs ?? "[]"));
  return known.length && !known.includes(`compare/${a}.${b}.html`) ? "This pair is not part of the copy." : "";
}

function tell() {
  const why = refused();
  if (said) said.textContent = why;
  const button = document.getElementById("p-go");
  if (button instanceof HTMLButtonElement) button.disabled = why !== "";
}

if (chooser) {
  chooser.hidden = false;
  chooser.addEventListener("input", tell);
  chooser.addEventListener("submit", (event) => {
    event.preventDefault();
    const [a, b] = sides.map((side) => (side instanceof HTMLSelectElement ? side.value : ""));
    if (!refused()) location.href = `compare/${a}.${b}.html`;
  });
  tell();
}
