"""ROUGE-1, -2, -L and -Lsum with the stemmer: rouge_score and the harness on the same pairs, in turn.

    python -m benchmarks.races.rouge

Writes benchmarks/results/rouge.md. Both run in this process and thread; every number must be equal.
"""

import json
import platform
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from harness.files.hardware import machine

RESULTS = Path(__file__).parents[1] / "results"
DIALOGUES = Path(__file__).parents[2] / "suites" / "data" / "dialogues"
PAIRS = 819  # as many as SAMSum's test set has
REPETITIONS = 7
PROCESSES = 3
GOAL = 25
NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
SYLLABLES = "ba ke ri to mu la ne si po du cha fi gra stro ple van mer tin col".split()
ENDINGS = ["", "", "ing", "ed", "s", "es", "ly", "ness", "ation", "er", "ful", "able", "y", "ies", "ment"]

Pair = tuple[str, str]  # reference, answer


def pairs(seed: int = 0, damage: float = 0.15, count: int = PAIRS) -> list[Pair]:
    """Summaries as long as SAMSum's, and what a model of so much `damage` might have written instead.

    Two summaries of the embedded dialogues make one, each on a line of its own in a fifth of the pairs. An eighth of
    their words gives way to invented ones, in both, so that the vocabulary is as wide as real text's and the
    memory of stems gains no more than it would there. A seventh of the answers is another sample's summary.
    """
    draw = random.Random(0)  # references are the same for every system
    words = [
        "".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) + draw.choice(ENDINGS) for _ in range(4000)
    ]
    texts = [
        json.loads(line)["summary"]
        for split in ("test", "train")
        for line in (DIALOGUES / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    references = [
        [_replaced(text, words, 1 / 8, draw) for text in draw.sample(texts, 2)] for _ in range(count)
    ]
    draw = random.Random(seed)
    found = []
    for number, lines in enumerate(references):
        source = draw.choice(references) if number % 7 == 0 else lines
        answer = [_damaged(line, words, damage, draw) for line in source]
        gap = "\n" if number % 5 == 0 else " "
        found.append((gap.join(lines), gap.join(answer)))
    return found


def _replaced(text: str, words: list[str], share: float, draw: random.Random) -> str:
    return " ".join(draw.choice(words) if draw.random() < share else word for word in text.split())


def _damaged(text: str, words: list[str], share: float, draw: random.Random) -> str:
    """Some words left out, some replaced, some neighbours swapped."""
    kept = _replaced(text, words, share, draw).split()
    kept = [word for word in kept if draw.random() >= share]
    for place in range(len(kept) - 1):
        if draw.random() < share:
            kept[place : place + 2] = reversed(kept[place : place + 2])
    return " ".join(kept)


def seconds(work: Callable[[], object]) -> float:
    """The processor's time, of which another program on the machine takes none."""
    started = time.process_time()
    work()
    return time.process_time() - started


def by_rouge_score(given: list[Pair]) -> Callable[[], list[list[float]]]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(NAMES, use_stemmer=True)

    def score() -> list[list[float]]:
        each = [scorer.score(reference, answer) for reference, answer in given]
        return [[float(scores[name].fmeasure) for name in NAMES] for scores in each]

    return score


def by_harness(given: list[Pair], known: Iterable[Pair] = ()) -> Callable[[], list[list[float]]]:
    """A scorer that has seen the `known` pairs before."""
    from harness.metrics.rouge import Scorer, porter

    scorer = Scorer(porter())
    for reference, answer in known:
        scorer.best([reference], answer)
    return lambda: [list(scorer.best([reference], answer)) for reference, answer in given]


def main() -> None:
    given = pairs()
    swapped = [(answer, reference) for reference, answer in given]
    theirs: list[float] = []
    ours: dict[str, list[float]] = {}
    for _ in range(REPETITIONS):
        oracle = by_rouge_score(given)
        theirs.append(seconds(oracle))
        states = {
            "nothing known yet": by_harness(given),
            "words known, references new": by_harness(given, swapped),
            "words and references known": by_harness(given, given),
        }
        for state, score in states.items():
            ours.setdefault(state, []).append(seconds(score))
        expected = oracle()
        if any(score() != expected for score in states.values()):
            sys.exit("the harness's numbers are not rouge_score's")
    text = table(given, theirs, ours, *in_new_processes())
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rouge.md").write_text(text + "\n", encoding="utf-8")


def in_new_processes() -> tuple[list[float], list[float]]:
    """Seconds of processes that import one of the two, score all pairs once and end, less one that scores none."""
    program = "from benchmarks.races.rouge import {0}, pairs; {0}(pairs())()"
    idle = "from benchmarks.races.rouge import pairs; pairs()"
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(PROCESSES):
        base = _process_seconds(idle)
        for times, name in zip(found, ("by_rouge_score", "by_harness"), strict=True):
            times.append(_process_seconds(program.format(name)) - base)
    return found


def _process_seconds(program: str) -> float:
    measured = (
        "import resource, subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime)"
    )
    command = [sys.executable, "-c", measured, program]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def table(
    given: list[Pair],
    theirs: list[float],
    ours: dict[str, list[float]],
    their_process: list[float],
    our_process: list[float],
) -> str:
    words = [len(text.split()) for pair in given for text in pair]
    several_lines = sum("\n" in reference for reference, _ in given)
    distinct = {word for pair in given for text in pair for word in re.findall("[a-z0-9]+", text.lower())}
    lines = [
        "# ROUGE: rouge_score and the harness",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {machine().memory_gb} GB; Python {platform.python_version()}, "
        f"rouge_score {version('rouge-score')}, nltk {version('nltk')}; one process, one thread.",
        "",
        f"{len(given)} pairs of reference and answer, {sum(words) / len(words):.1f} words a text, {len(distinct):,} "
        f"distinct words, {several_lines} pairs of several lines. ROUGE-1, -2, -L and "
        "-Lsum with the Porter stemmer; all numbers of both are equal to the last bit.",
        "",
        f"Processor time, median of {len(theirs)} runs in turn (lowest to highest). Goal: {GOAL} times as fast.",
        "",
        "| what | ms | times as fast |",
        "|---|--:|--:|",
        f"| rouge_score | {_spread(theirs)} | 1 |",
        *(
            f"| harness, {state} | {_spread(times)} | {_ratio(theirs, times)} |"
            for state, times in ours.items()
        ),
        f"| rouge_score, in a new process, imports included | {_spread(their_process)} | 1 |",
        f"| harness, in a new process, imports included | {_spread(our_process)} | {_ratio(their_process, our_process)} |",
        "",
        "Words are known from the second system on, and references where that answers the same samples. With nothing "
        "known, most of the time is nltk's stemmer on each distinct word once.",
    ]
    return "\n".join(lines)


def _spread(times: list[float]) -> str:
    low, middle, high = (1000 * find(times) for find in (min, median, max))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def _ratio(slow: list[float], fast: list[float]) -> str:
    """Of runs side by side, the median; bold where the goal is met."""
    found = median(a / b for a, b in zip(slow, fast, strict=True))
    return f"**{found:.1f}**" if found >= GOAL else f"{found:.1f}"


if __name__ == "__main__":
    main()
