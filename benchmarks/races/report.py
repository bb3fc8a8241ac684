"""Reports and leaderboards: seconds to make, memory, sizes, and how soon a reader in Chromium has what was asked for.

    python -m benchmarks.races.report [ROUNDS [SAMPLES]]

Writes benchmarks/results/report.md. SAMPLES is the larger of both reports' number a task.
"""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.lib import made_up, measured
from benchmarks.lib.race import ROOT, rounds, seconds, spread, write
from benchmarks.races.rouge import PAIRS
from harness.results import json_lines
from harness.results.document import read_document

ROUNDS = 5
MANY = 20_000  # samples a task
RESULTS, VERIFIED = 500, 8  # on a leaderboard
QUICKSTART = ROOT / "reports" / "results" / "quickstart"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
MEGABYTES, USABLE, FILTERED, RANKED = 8.0, 2.0, 100.0, 5.0  # goals; seconds, a filter's in milliseconds

FILTERS = (  # what a reader does, to which field, and the option's place or the text typed
    ("the other task", "x-task", 1),
    ("answers of one adapter", "x-system", 3),
    ("show worse", "x-kind", 1),
    ("show changed", "x-kind", 3),
    ("a slice", "x-slice", 1),
    ("largest gains first", "x-order", 1),
    ("search, the first time", "x-search", "meet"),
    ("search again, by id", "x-search", "test-0001"),
)
# From the change of a field until the frame that shows what came of it is drawn.
CHANGE = """async ([id, wanted]) => {
  const field = document.getElementById(id);
  const isList = field instanceof HTMLSelectElement;
  if (isList && !field.options[wanted]) return null;
  const started = performance.now();
  if (isList) field.selectedIndex = wanted; else field.value = wanted;
  field.dispatchEvent(new Event(isList ? "change" : "input"));
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  return performance.now() - started;
}"""


def goal(reached: float, most: float, unit: str) -> str:
    return f"{most:g} {unit}, {'met' if reached <= most else 'missed'}"


def megabytes(*paths: Path) -> float:
    return sum(path.stat().st_size for path in paths) / 1e6


# Reports.


def of_reports(folder: Path, sizes: Sequence[int], count: int) -> list[str]:
    made_up.result(folder, str(sizes[0]))
    made_up.repeated(folder / str(sizes[0]), folder / str(sizes[1]), sizes[1])
    shutil.copytree(QUICKSTART, folder / "quickstart")
    measured.run(["report", "quickstart", "--store", "store"], folder)  # the store keeps its drawings
    asked = {f"{size:,} samples": (str(size), "none") for size in sizes}
    asked["the quickstart's"] = ("quickstart", "none")
    asked["the quickstart's, drawings kept"] = ("quickstart", "store")
    sides = {
        name: partial(measured.run, ["report", result, "--store", store], folder)
        for name, (result, store) in asked.items()
    }
    found = rounds(sides, count)
    first = folder / str(sizes[0])
    lines = [
        "## To render",
        "",
        "`harness report RESULT`, a whole process. Made-up results have so many samples in each of two tasks, 4 bases and 8 "
        f"adapters, answers of {_words(first / 'generations.jsonl.gz', 'text'):.0f} words to inputs of "
        f"{_words(first / 'samples.jsonl.gz', 'input'):.0f}, weights and curves; the larger repeats the "
        "smaller one's samples under other ids, and has its scores and comparisons. The quickstart's is "
        "`reports/results/quickstart`. Charts are drawn anew unless said. Seconds by the clock, median of "
        f"{count} rounds in turn (lowest to highest); highest memory, of all processes together and of the largest.",
        "",
        "| report | seconds | together, MB | largest, MB | `report.html`, MB | sample pages | their size, MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, (result, _) in asked.items():
        pages = list((folder / result / "samples").glob("*.html"))
        memory = [max(run[f"{which}_megabytes"] for run in found[name]) for which in ("together", "largest")]
        lines.append(
            f"| {name} | **{spread(seconds(found[name]), 1)}** | {memory[0]:.0f} | {memory[1]:.0f} | "
            f"{megabytes(folder / result / 'report.html'):.1f} | {len(pages)} | {megabytes(*pages):.1f} |"
        )
    weight = megabytes(first / "report.html")
    return [*lines, "", f"Goal of {sizes[0]:,} samples: {goal(weight, MEGABYTES, 'MB')}.", ""]


def _words(path: Path, column: str) -> float:
    return mean(len(line[column].split()) for line in json_lines(path))


# In a browser.


def opened(browser: Browser, path: Path) -> dict[str, Any]:
    """A page in a browser that knows nothing yet: until the explorer shows its list, then each filter alone."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(path.as_uri())
    page.locator("#x-list button").first.wait_for()
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    run: dict[str, Any] = {"seconds": time.perf_counter() - started}
    run["count"] = page.locator("#x-count").inner_text()
    for name, field, wanted in FILTERS:
        before = page.evaluate("(id) => document.getElementById(id).selectedIndex ?? ''", field)
        run[name] = page.evaluate(CHANGE, [field, wanted])
        page.evaluate(CHANGE, [field, before])
    context.close()
    return run


def of_browser(folder: Path, sizes: Sequence[int], count: int, chromium: str) -> list[str]:
    paths = {f"report of {size:,}": folder / str(size) / "report.html" for size in sizes}
    if (leaf := folder / str(sizes[-1]) / "samples" / "0001.html").is_file():
        paths[f"sample page of {sizes[-1]:,}"] = leaf
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        version = browser.version
        found = rounds({name: partial(opened, browser, path) for name, path in paths.items()}, count)
        browser.close()
    every = list(found.values())
    times = {
        name: [[run[name] for run in runs if run[name] is not None] for runs in every] for name, *_ in FILTERS
    }
    slowest = [max(median(own) for own in column if own) for column in zip(*times.values(), strict=True)]
    opens = all(run["count"] == f"{sizes[-1]:,} samples" for run in every[1])
    return [
        "## To open and to use",
        "",
        f"Chromium {version} without a window, 1440 by 900, already running, a new profile each time; pages from disk. "
        "To open: until the explorer's list is drawn. A filter: from the change of its field until the next frame is drawn, "
        f"each alone, on all samples. Median of {count} rounds in turn (lowest to highest).",
        "",
        f"| | {' | '.join(found)} |",
        f"|---|{'--:|' * len(found)}",
        f"| to open, seconds | {' | '.join(f'**{spread(seconds(runs))}**' for runs in every)} |",
        *(
            f"| {name}, ms | {' | '.join(spread(own, 0) if own else '' for own in column)} |"
            for name, column in times.items()
        ),
        f"| slowest filter, ms | {' | '.join(f'**{one:.0f}**' for one in slowest)} |",
        "",
        f"Goals of {sizes[0]:,} samples: usable in {goal(median(seconds(every[0])), USABLE, 's')}; "
        f"the slowest filter within {goal(slowest[0], FILTERED, 'ms')}. "
        f"Of {sizes[-1]:,}: still opens, {'met' if opens else 'missed'}.",
        "",
    ]


# Leaderboards.


def of_leaderboards(folder: Path, count: int) -> list[str]:
    source = shutil.copytree(QUICKSTART, folder / "source")
    for several, results in (("many", RESULTS), ("few", VERIFIED)):
        for number in range(results):
            shutil.copytree(source, folder / several / f"run{number:03d}", copy_function=os.link)
    asked = {
        f"{RESULTS} results, `.html`": ("many", "many.html", "--no-verify"),
        f"{RESULTS} results, `.md`": ("many", "many.md", "--no-verify"),
        f"{VERIFIED} results verified, `.html`": ("few", "few.html", "--verify"),
    }
    sides = {
        name: partial(measured.run, ["leaderboard", several, verify, "-o", out], folder)
        for name, (several, out, verify) in asked.items()
    }
    found = rounds(sides, count)
    scores = sum(one["primary"] for one in read_document(source)["scores"])
    lines = [
        "## Leaderboards",
        "",
        f"`harness leaderboard FOLDER`, a whole process: copies of `reports/results/quickstart`, {scores} lines and "
        f"{megabytes(source / 'result.json'):.1f} MB of `result.json` each. "
        f"Median of {count} rounds in turn (lowest to highest).",
        "",
        "| board | seconds | a result, ms | together, MB | file, MB | goal |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for name, (several, out, _) in asked.items():
        middle = median(seconds(found[name]))
        each = 1000 * middle / len(list((folder / several).iterdir()))
        together = max(run["together_megabytes"] for run in found[name])
        lines.append(
            f"| {name} | **{spread(seconds(found[name]), 1)}** | {each:.0f} | {together:.0f} | "
            f"{megabytes(folder / out):.1f} | {goal(middle, RANKED, 's') if several == 'many' else ''} |"
        )
    return lines


def main(count: int = ROUNDS, many: int = MANY) -> None:
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        sys.exit("no Chromium is found: apt-get install chromium")
    sizes = (PAIRS, many)
    with TemporaryDirectory() as place:
        folder = Path(place)
        lines = [
            *of_reports(folder, sizes, count),
            *of_browser(folder, sizes, count, chromium),
            *of_leaderboards(folder, count),
        ]
    write(
        "report", "Reports and leaderboards", lines, ("altair", "vl-convert-python", "jinja2", "playwright")
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
