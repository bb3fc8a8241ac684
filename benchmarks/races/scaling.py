"""How the cost of a run grows: with test samples, with adapters on one base, with workers.

    python -m benchmarks.races.scaling [MOST_SAMPLES [MOST_ADAPTERS]]

Samples are answered by the echo backend, so that what is seen is the harness. Adapters sit on one tiny base, which
answers them; they are one adapter that the harness trained, with a little noise on its weights. Every run begins with an
empty store. Rows are kept one by one in .bench/rows/scaling.jsonl: a run that was interrupted goes on where it was.
"""

import json
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
from safetensors.numpy import load_file, save_file

from benchmarks.lib import measured
from benchmarks.lib.race import BENCH, RESULTS, Row, collect, write

PLACE = BENCH / "scaling"
SAMPLES = {10: 5, 100: 5, 1_000: 5, 10_000: 3, 100_000: 1}  # test samples -> rounds
ADAPTERS = {0: 3, 1: 3, 2: 3, 4: 3, 8: 3, 16: 2, 32: 1}  # adapters -> rounds
WORKERS = {1: 3, 2: 3}
SHARED = 8  # adapters that the workers share
ASKED = 100  # samples that an adapter answers
FLAT = 0.2  # how far the time of a sample may be from that of 10,000 samples
TRAINING = 1_000  # samples of the echo task's training split, from which its examples come
BASE = "zoo:llama2-tiny"
NOISE = 0.01  # of a matrix's standard deviation

ECHO = {
    "tasks": [
        {
            "name": "chats",
            "source": {
                "uri": "file:data",
                "columns": {"id": "id", "input": "dialogue", "reference": "summary"},
            },
            "prompt": "Sum up.\n\n$input\n\nSummary:",
            "metrics": ["rouge", "exact"],
            "primary": "rougeL",
            "shots": 2,
            "trivial": ["lead-3"],
        }
    ],
    "models": [{"name": "first", "uri": "echo:first-line"}, {"name": "copy", "uri": "echo:copy"}],
    "weights": False,
}
RECIPE = {"name": "short", "targets": ["all-linear"], "steps": 10, "learning_rate": 6e-3, "max_tokens": 256}


def go(suite: Path, rounds: int, *words: str) -> Row:
    """So many runs of a suite, each into an empty store: what each took, and what its steps say."""
    found = []
    for _ in range(rounds):
        place = PLACE / "run"
        shutil.rmtree(place, ignore_errors=True)  # an interrupted run left one
        place.mkdir(parents=True)
        options = ("--store", "store", "--out", "out", "--device", "cpu", "--offline", *words)
        run = measured.run(["run", str(suite), *options], place)
        found.append({**run, "steps": measured.step_seconds(place / "store")})
        print(f"  {run['seconds']:.2f} s", file=sys.stderr, flush=True)
    return {"runs": found}


def of_samples(count: int, rounds: int) -> Row:
    folder = PLACE / f"echo-{count}"
    for split, samples in (("test", count), ("train", TRAINING)):
        _write_samples(folder / "data" / f"{split}.jsonl", samples, random.Random(split))
    (folder / "echo.yaml").write_text(json.dumps(ECHO))
    row = go(folder / "echo.yaml", rounds, "--workers", "1")
    shutil.rmtree(folder)
    return row


def _write_samples(path: Path, count: int, chance: random.Random) -> None:
    """Words as frequent as in a language, in three lines of 30; the summary is what begins them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            words = [f"word{int(chance.paretovariate(0.7)) % 20_000}" for _ in range(90)]
            lines = [" ".join(words[start : start + 30]) for start in (0, 30, 60)]
            row = {"id": str(number), "dialogue": "\n".join(lines), "summary": " ".join(words[:12])}
            file.write(json.dumps(row) + "\n")


def suite_of(adapters: int) -> Path:
    """A suite of one base and so many adapters."""
    folders = [_adapter(number) for number in range(adapters)]
    suite = {
        "tasks": ["dialogues"],
        "models": [{"name": "base", "uri": BASE}],
        "adapters": [{"name": one.name, "base": "base", "uri": f"file:{one}"} for one in folders],
        "weights": False,
        "limit": ASKED,
    }
    path = PLACE / f"adapters-{adapters}.yaml"
    path.write_text(json.dumps(suite))
    return path


def _adapter(number: int) -> Path:
    """The trained adapter with noise of its own."""
    trained, folder = _trained(), PLACE / "adapters" / f"adapter-{number:02}"
    if not folder.is_dir():
        random_numbers = np.random.default_rng(number)
        weights = {
            name: (one + NOISE * one.std() * random_numbers.standard_normal(one.shape)).astype(one.dtype)
            for name, one in load_file(trained / "adapter_model.safetensors").items()
        }
        shutil.copytree(trained, folder)
        save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    return folder


def _trained() -> Path:
    """An adapter of the base, trained for a few steps by the harness itself."""
    place = PLACE / "trained"
    place.mkdir(parents=True, exist_ok=True)
    suite = {
        "tasks": ["dialogues"],
        "models": [{"name": "base", "uri": BASE}],
        "recipes": [RECIPE],
        "train_on": ["dialogues"],
        "weights": False,
        "limit": 1,
    }
    (place / "trained.yaml").write_text(json.dumps(suite))
    if not list(place.glob("store/done/*/adapter")):
        measured.run(["run", "trained.yaml", "--store", "store", "--out", "out", "--device", "cpu"], place)
    return next(place.glob("store/done/*/adapter"))


def of_adapters(count: int, rounds: int) -> Row:
    return go(suite_of(count), rounds, "--workers", "1")


def of_workers(count: int, rounds: int) -> Row:
    return go(suite_of(SHARED), rounds, "--workers", str(count))


def main(most_samples: str = "100000", most_adapters: str = "32") -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    makers = {
        f"samples {count}": partial(of_samples, count, rounds)
        for count, rounds in SAMPLES.items()
        if count <= int(most_samples)
    }
    makers |= {
        f"adapters {count}": partial(of_adapters, count, rounds)
        for count, rounds in ADAPTERS.items()
        if count <= int(most_adapters)
    }
    makers |= {f"workers {count}": partial(of_workers, count, rounds) for count, rounds in WORKERS.items()}
    rows: dict[str, dict[int, list[Row]]] = {}
    for row in collect("scaling", makers):
        what, count = row["key"].split()
        rows.setdefault(what, {})[int(count)] = row["runs"]
    (RESULTS / "scaling.svg").write_text(plot(rows), encoding="utf-8")
    lines = [*samples_part(rows["samples"]), *adapters_part(rows["adapters"]), *workers_part(rows["workers"])]
    libraries = ("torch", "transformers", "numpy", "pyarrow")
    write("scaling", "How the cost of a run grows", ["![](scaling.svg)", *lines], libraries)


def middle(runs: Sequence[Row], name: str) -> float:
    return median(run[name] for run in runs)


def steps(runs: Sequence[Row], *kinds: str) -> float:
    """Seconds of some kinds of steps together."""
    return median(sum(run["steps"].get(kind, 0.0) for kind in kinds) for run in runs)


def samples_part(rows: Mapping[int, Sequence[Row]]) -> list[str]:
    """The time of a sample is what more samples take, divided by how many more they are: without start-up, that is."""
    lines = [
        "",
        "## Samples",
        "",
        "Two echo models and a trivial rule answer with two examples before each prompt; ROUGE and exact match with "
        "their intervals and comparisons, report included; one worker. Seconds by the clock, medians of "
        f"{', '.join(str(len(runs)) for runs in rows.values())} runs. What a sample takes is the growth from the row "
        "before.",
        "",
        "| test samples | seconds | a sample more, ms | of processors, ms | largest process | all processes |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    sizes = sorted(rows)
    clock: dict[int, float] = {}
    for before, size in zip([None, *sizes], sizes, strict=False):
        runs = rows[size]
        each = busy = ""
        if before is not None:
            clock[size] = 1e3 * growth(rows, before, size, "seconds")
            each, busy = f"{clock[size]:.2f}", f"{1e3 * growth(rows, before, size, 'processor_seconds'):.2f}"
        lines.append(
            f"| {size:,} | {middle(runs, 'seconds'):.2f} | {each} | {busy} | "
            f"{middle(runs, 'largest_megabytes'):,.0f} MB | {middle(runs, 'together_megabytes'):,.0f} MB |"
        )
    large = [size for size in sizes if size >= 1_000]
    if len(large) > 1:
        most, least = max(clock[size] for size in large), min(clock[size] for size in large)
        grown = middle(rows[large[-1]], "largest_megabytes") - middle(rows[large[0]], "largest_megabytes")
        flat = most / least - 1
        lines += [
            "",
            f"- start-up, and what does not depend on samples: {middle(rows[sizes[0]], 'seconds'):.2f} s "
            f"(the run over {sizes[0]} samples)",
            f"- time of a sample from {large[0]:,} on: {least:.2f} to {most:.2f} ms, a difference of "
            f"{100 * flat:.0f} % (goal: {100 * FLAT:.0f} %, {'met' if flat <= FLAT else 'missed'})",
            f"- memory of the largest process from {large[0]:,} to {large[-1]:,} samples: {grown:+,.0f} MB "
            f"(goal: under 200 MB, {'met' if grown < 200 else 'missed'})",
        ]
        kinds = ("load", "generate", "score", "compare", "report")
        lines += ["", f"| test samples | {' | '.join(kinds)} |", f"|--:|{'--:|' * len(kinds)}"]
        lines += [
            f"| {size:,} | {' | '.join(f'{steps(rows[size], kind):.2f}' for kind in kinds)} |"
            for size in sizes
        ]
    return lines


def growth(rows: Mapping[int, Sequence[Row]], before: int, size: int, name: str) -> float:
    """What one more takes, on the way from one size to the next."""
    return (middle(rows[size], name) - middle(rows[before], name)) / (size - before)


def adapters_part(rows: Mapping[int, Sequence[Row]]) -> list[str]:
    lines = [
        "",
        "## Adapters",
        "",
        f"One base ({BASE.removeprefix('zoo:')}) and more and more adapters of it answer {ASKED} test samples of "
        "`dialogues`; scores, comparisons and report included; one worker. What an adapter takes is the growth from the "
        "row before; beside it stands what its own steps say that they took.",
        "",
        "| adapters | seconds | an adapter more, s | its generation | its scoring | comparing and reporting |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    sizes = sorted(rows)
    for before, size in zip([None, *sizes], sizes, strict=False):
        runs = rows[size]
        cells = ["", "", "", ""]
        if before is not None:
            cells = [f"{growth(rows, before, size, 'seconds'):.2f}"]
            for kinds in (("generate",), ("score",), ("compare", "report")):
                more = (steps(runs, *kinds) - steps(rows[before], *kinds)) / (size - before)
                cells.append(f"{more:.2f}")
        lines.append(f"| {size} | {middle(runs, 'seconds'):.2f} | {' | '.join(cells)} |")
    return lines


def workers_part(rows: Mapping[int, Sequence[Row]]) -> list[str]:
    lines = [
        "",
        "## Workers",
        "",
        f"The base and {SHARED} adapters; the cores' threads are shared among the workers.",
        "",
        "| workers | seconds | of processors | times as fast | all processes |",
        "|--:|--:|--:|--:|--:|",
    ]
    first = middle(rows[min(rows)], "seconds")
    for count, runs in sorted(rows.items()):
        lines.append(
            f"| {count} | {middle(runs, 'seconds'):.2f} | {middle(runs, 'processor_seconds'):.2f} | "
            f"{first / middle(runs, 'seconds'):.2f} | {middle(runs, 'together_megabytes'):,.0f} MB |"
        )
    return lines


def plot(rows: Mapping[str, Mapping[int, Sequence[Row]]]) -> str:
    """Seconds against samples and adapters, with the straight line of equal cost, and against workers; as SVG."""
    import altair as alt
    import vl_convert

    def points(what: str) -> list[dict[str, Any]]:
        return [
            {what: count, "seconds": middle(runs, "seconds"), "memory": middle(runs, "largest_megabytes")}
            for count, runs in sorted(rows[what].items())
        ]

    def panel(what: str, measure: str, title: str, scale: Literal["linear", "log"]) -> alt.Chart:
        return (
            alt.Chart(alt.InlineData(points(what)))
            .mark_line(point=True)
            .encode(
                x=alt.X(f"{what}:Q", scale=alt.Scale(type=scale), axis=alt.Axis(tickCount=5)),
                y=alt.Y(f"{measure}:Q", title=title, scale=alt.Scale(type=scale)),
            )
            .properties(width=220, height=180)
        )

    chart = alt.hconcat(
        panel("samples", "seconds", "seconds", "log"),
        panel("samples", "memory", "MB, largest process", "linear"),
        panel("adapters", "seconds", "seconds", "linear"),
        alt.Chart(alt.InlineData(points("workers")))
        .mark_bar()
        .encode(x=alt.X("workers:O"), y=alt.Y("seconds:Q"))
        .properties(width=90, height=180),
    )
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return drawn


if __name__ == "__main__":
    main(*sys.argv[1:])
