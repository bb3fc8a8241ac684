// Runs that are going on: ask the server every few seconds, and draw what it says. Texts enter the page as text nodes only.

const PAUSE = 2000; // milliseconds

/**
 * @typedef {{label: string, done: number, total: number, says: string}} LiveStep
 * @typedef {{suite: string, out: string, since: string, done: number, total: number, left: string, running: LiveStep[], failures: string[]}} LiveRun
 */

/**
 * @param {LiveRun} run
 * @returns {HTMLElement}
 */
function drawn(run) {
  const steps = run.running.map((step) =>
    make("li", {}, document.createTextNode(step.label), step.says ? make("span", { class: "under", text: ` ${step.says}` }) : null),
  );
  const lost = run.failures.map((line) => make("li", { text: line }));
  return make(
    "section",
    { class: "going" },
    make("h2", { text: run.suite }),
    make("p", { text: `${run.done} of ${run.total} ${run.total === 1 ? "step" : "steps"} done, time left: ${run.left}` }),
    make("progress", { max: String(run.total), value: String(run.done), "aria-label": `Steps of ${run.suite}` }),
    make("p", { class: "fine", text: `Since ${run.since}; its RESULT is published at ${run.out}.` }),
    make("ul", {}, ...steps),
    lost.length ? make("ul", { class: "trouble" }, ...lost) : null,
  );
}

let heard = "";

async function refresh() {
  const place = document.getElementById("l-runs");
  const at = document.getElementById("l-at");
  if (!place || !at) return;
  try {
    const answer = await fetch("live.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const found = /** @type {{runs: LiveRun[]}} */ (await answer.json());
    place.replaceChildren(...(found.runs.length ? found.runs.map(drawn) : [make("p", { text: "No run is going on." })]));
    at.textContent = `Asked at ${new Date().toLocaleTimeString()}.`;
    const news = found.runs.map((run) => `${run.suite}: ${run.done} of ${run.total}`).join("; ");
    if (news !== heard) announce(news || "No run is going on.");
    heard = news;
  } catch {
    at.textContent = "The server does not answer: is `harness view` still running?";
  }
  setTimeout(() => void refresh(), PAUSE);
}

void refresh();
