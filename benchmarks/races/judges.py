"""Do corrected shares of judges that err hold the truth? `python -m benchmarks.races.judges [REPEATS]`.

Writes benchmarks/results/judges.md: judges, and the answers that were labelled, are drawn with known errors. tests/stats/
test_honesty.py runs the same with few repeats.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context

from benchmarks.lib import judged
from benchmarks.lib.race import write

REPEATS = 4_000
JUDGES = ((0.92, 0.98), (0.8, 0.8), (0.6, 0.9), (0.21, 0.98))  # sensitivity, specificity
COVERS = (93.0, 97.0)  # percent
TRUTHS = (0.05, 0.3, 0.5, 0.9)
PAIRS = ((0.3, 0.3), (0.3, 0.5), (0.8, 0.9))  # truths of two systems
LABELLED = ((150, 30), (200, 60), (800, 200))  # answers that are judged; labelled ones of each sort
OF_PAIRS = (((JUDGES[0],) * 2, True), ((JUDGES[1],) * 2, True), ((JUDGES[0], JUDGES[2]), False))

Rate = tuple[float, judged.Judge, int, int, int]
Pair = tuple[tuple[float, float], tuple[judged.Judge, judged.Judge], bool, int, int, int]


def of_rate(asked: Rate) -> tuple[float, float, float, float]:
    return judged.rates(*asked)


def of_pair(asked: Pair) -> tuple[float, float]:
    return judged.differences(*asked)


def within(percent: float) -> str:
    """The number, set off where it meets the goal, else called a miss."""
    return f"**{percent:.1f}**" if COVERS[0] <= percent <= COVERS[1] else f"{percent:.1f} (miss)"


def main(repeats: int = REPEATS) -> None:
    rates: list[Rate] = [
        (truth, judge, n, each, repeats) for judge, truth, (n, each) in product(JUDGES, TRUTHS, LABELLED)
    ]
    pairs: list[Pair] = [
        (truths, judges, same, n, each, repeats)
        for truths, (judges, same), (n, each) in product(PAIRS, OF_PAIRS, LABELLED)
    ]
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        lines = page(rates, list(pool.map(of_rate, rates)), pairs, list(pool.map(of_pair, pairs)), repeats)
    write("judges", "Do corrected shares of judges that err hold the truth", lines, ("numpy",))


def page(
    rates: list[Rate],
    covered: list[tuple[float, float, float, float]],
    pairs: list[Pair],
    found: list[tuple[float, float]],
    repeats: int,
) -> list[str]:
    stray = 100 * (0.95 * 0.05 / repeats) ** 0.5
    lines = [
        f"Percent of {repeats:,} simulated judges whose 95 % interval holds the truth; a coverage of 95 strays by "
        f"{stray:.2f} (one standard error). Each judge is measured on so many labelled answers of each sort, and what it "
        f"counts on n others is corrected. Goal: {COVERS[0]:g} to {COVERS[1]:g}, set off where it is met. Near 0 and 100 "
        "intervals are cut and hold the truth more often, so they have no goal there. A judge that does not tell beyond "
        "chance corrects nothing.",
        "",
        "## Rates",
        "",
        "The harness's interval (Fieller), Lang and Reiczigel's, which arXiv 2511.21140 gives, and Wilson's of the share as "
        "judged, which corrects nothing.",
        "",
        "| finds, rightly finds not, % | truth, % | n | labelled | the harness | Lang and Reiczigel | as judged | "
        "judges that tell, % |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (truth, judge, n, each, _), (ours, theirs, raw, told) in zip(rates, covered, strict=True):
        shown = within(ours) if 0.1 < truth < 0.9 else f"{ours:.1f}"
        lines.append(
            f"| {_judge(judge)} | {100 * truth:g} | {n} | 2 × {each} | {shown} | {theirs:.1f} | {raw:.1f} | {told:.0f} |"
        )
    lines += [
        "",
        "## Differences of two systems, paired",
        "",
        "One judge for both systems, measured once, or a judge of its own for each. Found: p < 0.05; without a difference "
        "that should be 5 %.",
        "",
        "| judges | truths, % | n | labelled | coverage | found, % |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for (truths, judges, same, n, each, _), (percent, told) in zip(pairs, found, strict=True):
        names = " and ".join(map(_judge, judges[:1] if same else judges))
        ends = " and ".join(f"{100 * truth:g}" for truth in truths)
        lines.append(f"| {names} | {ends} | {n} | 2 × {each} | {within(percent)} | {told:.1f} |")
    return lines


def _judge(judge: judged.Judge) -> str:
    return f"{100 * judge[0]:g}, {100 * judge[1]:g}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
