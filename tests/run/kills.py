"""Kill runs at random moments, run them again, and compare what they publish with an undisturbed run's.

    python -m tests.run.kills 200 --seed 1

A victim is the whole process group, the parent alone, or one worker. After each kill the same command runs again, until
it finishes; its result must then equal the undisturbed one. A line for each finished round says which steps were hit.
"""

import argparse
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

VICTIMS = ("group", "parent", "worker")
REAL = """
tasks: [dialogues]
models: [{name: falcon, uri: zoo:falcon-tiny}, {name: llama, uri: zoo:llama2-tiny}]
recipes:
  - {name: short, rank: 4, alpha: 8, dropout: 0.1, targets: [all-linear], steps: 8, batch_size: 4,
     learning_rate: 3e-3, max_samples: 32, validation_samples: 8}
train_on: [dialogues]
limit: 16
"""
ECHO = """
tasks: [dialogues, instructions]
models: [{name: copy, uri: echo:copy}, {name: upper, uri: echo:upper}, {name: line, uri: echo:first-line}]
base_shots: [0, 2]
"""
STAGES = """
tasks: [preferences]
models: [{name: llama, uri: zoo:llama2-tiny}]
recipes:
  - {name: sft, rank: 4, alpha: 8, dropout: 0.1, targets: [all-linear], steps: 8, batch_size: 4, learning_rate: 3e-3,
     max_samples: 32, validation_samples: 8}
  - {name: dpo, rank: 4, alpha: 8, dropout: 0.1, targets: [all-linear], steps: 12, batch_size: 4, learning_rate: 1e-3,
     max_samples: 32, validation_samples: 8, validations: 6, objective: preferences, start: sft}
train_on: [preferences]
limit: 16
weights: false
"""
SUITES = {"real": REAL, "echo": ECHO, "stages": STAGES}


@dataclass(slots=True)
class Tally:
    """What was killed, and in which steps."""

    victims: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    @property
    def kills(self) -> int:
        return sum(self.victims.values())


def command(suite: Path, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "harness", "run", str(suite), "--device", "cpu", "--offline", "--quiet"),
        *("--workers", "2", "--store", str(folder / "store"), "--out", str(folder / "out")),
    ]


def start(suite: Path, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "terminal.txt").open("ab") as terminal:
        return subprocess.Popen(
            command(suite, folder), stdout=terminal, stderr=terminal, start_new_session=True
        )


def published(folder: Path) -> dict[str, object]:
    """Everything of a result that must not depend on how often its run was killed."""
    out = folder / "out"
    result = json.loads((out / "result.json").read_text())
    with gzip.open(out / "generations.jsonl.gz", "rb") as file:
        answers = file.read()
    return {
        "answers": answers,
        "rows": (out / "rows.parquet").read_bytes(),
        "adapters": sorted(
            path.read_bytes()
            for path in (folder / "store" / "done").glob("*/adapter/adapter_model.safetensors")
        ),
        "curves": result["curves"],
        **{key: result[key] for key in ("scores", "comparisons", "recipes", "weights", "notes")},
        "steps": sorted((step["id"], step["state"]) for step in result["steps"]),
    }


def rounds(
    kind: str, kills: int, seed: int, folder: Path, wait_seconds: float | None = None
) -> Iterator[Tally]:
    """Kill until there were `kills`; yield after each round that finished. AssertionError where a result differs.

    `wait_seconds` is the longest time between a start and a kill; by default as long as an undisturbed run takes.
    """
    chance = random.Random(seed)
    suite = folder / f"{kind}.yaml"
    suite.write_text(SUITES[kind])
    began = time.monotonic()
    undisturbed = start(suite, folder / "undisturbed")
    assert undisturbed.wait() == 0, (folder / "undisturbed" / "terminal.txt").read_text()
    longest = time.monotonic() - began if wait_seconds is None else wait_seconds
    expected = published(folder / "undisturbed")
    kinds = kinds_of(folder / "undisturbed" / "store")
    tally = Tally()
    while tally.kills < kills:
        tally.rounds += 1
        place = folder / f"round-{tally.rounds}"
        while _one_run(suite, place, chance, longest, kinds, tally) != 0:
            pass
        assert published(place).keys() == expected.keys()
        for key, value in published(place).items():
            assert value == expected[key], f"{place}: {key} differs from the undisturbed run's"
        left = [step for step in leased(place / "store") if not (place / "store" / "done" / step).is_dir()]
        assert not left, f"{place}: leases of unfinished steps are left: {left}"
        shutil.rmtree(place)
        yield tally


def kinds_of(store: Path) -> dict[str, str]:
    return {
        path.parent.name: json.loads(path.read_text())["kind"]
        for path in (store / "done").glob("*/step.json")
    }


def _one_run(
    suite: Path, place: Path, chance: random.Random, longest: float, kinds: dict[str, str], tally: Tally
) -> int:
    """One start of the command: killed at a random moment, or at several where only workers are hit."""
    process = start(suite, place)
    while True:
        try:
            return process.wait(timeout=chance.uniform(0.2, longest))
        except subprocess.TimeoutExpired:
            victim = chance.choice(VICTIMS)
            busy = [kinds.get(step, "?") for step in leased(place / "store")]
            if not _kill(process, victim, chance):
                continue
            tally.victims[victim] += 1
            tally.steps.update(busy or ["between steps"])
            if victim != "worker":
                _gone(process)
                return process.wait()


def leased(store: Path) -> list[str]:
    """Ids of the steps that are being worked on."""
    folder = store / "leases"
    return (
        [path.name for path in folder.iterdir() if path.name[0] != "." and not path.name.startswith("run-")]
        if folder.is_dir()
        else []
    )


def _kill(process: subprocess.Popen[bytes], victim: str, chance: random.Random) -> bool:
    if victim == "worker":
        try:
            workers = [
                child
                for child in psutil.Process(process.pid).children()
                if "spawn_main" in " ".join(child.cmdline())
            ]
            if not workers:
                return False
            chance.choice(workers).kill()
        except psutil.NoSuchProcess:
            return False
        return True
    if process.poll() is not None:
        return False
    os.kill(process.pid, signal.SIGKILL) if victim == "parent" else os.killpg(process.pid, signal.SIGKILL)
    return True


def _gone(process: subprocess.Popen[bytes]) -> None:
    """Wait until the parent's death has ended its workers, too."""
    process.wait()
    deadline = time.monotonic() + 60
    while _in_group(process.pid):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.02)


def _in_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kills", type=int)
    parser.add_argument("--suite", choices=tuple(SUITES), default="real")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        for tally in rounds(given.suite, given.kills, given.seed, Path(folder)):
            print(
                f"round {tally.rounds}: {tally.kills} kills, {dict(tally.victims)}, in {dict(tally.steps)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
