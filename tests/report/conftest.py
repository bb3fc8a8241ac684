"""A RESULT folder as a run leaves it, made up but consistent: seeded answers, scored and compared by the real metrics."""

import gzip
import json
import os
import random
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import strategies as st

from harness import metrics, stats
from harness.results import document, from_document, read
from harness.run.store import open_store
from harness.tasks import rules as trivial
from harness.types import Generation, Judgement, Regression, Sample, System, Verdict

from .leaks import keep_private

MODELS = {  # name: (family, parameters, layers' prefix, how well it does before and after training)
    "falcon-tiny": ("falcon", 1_180_000, "transformer.h.{}.", 0.18, 0.68),
    "llama2-tiny": ("llama", 1_060_000, "model.layers.{}.", 0.24, 0.76),
    "mistral-tiny": ("mistral", 1_120_000, "model.layers.{}.", 0.22, 0.80),
    "flan-t5-tiny": ("t5", 1_930_000, "encoder.block.{}.", 0.34, 0.90),
}
NAMES = ["Hana", "Tomás", "Priya", "Olu", "Mei", "Jonas", "Zeynep", "Carla", "Yusuf", "Ines"]
PLANS = [
    "the science fair",
    "a birthday dinner",
    "the bus trip",
    "band practice",
    "moving the piano",
    "the flu jab",
]
PLACES = ["the library", "the old station", "Café Milano", "the harbour", "her garage", "the north gate"]
TIMES = [
    "at half past six",
    "on Tuesday morning",
    "after lunch",
    "at noon on Friday",
    "before the rain starts",
]
ADAPTER = "quickstart"


def dialogue(place: int, chance: random.Random) -> Sample:
    one, other = chance.sample(NAMES, 2)
    plan, where, when = chance.choice(PLANS), chance.choice(PLACES), chance.choice(TIMES)
    turns = [
        f"{one}: Hey, are we still on for {plan}?",
        f"{other}: Yes! I nearly forgot. Where do we meet?",
        f"{one}: Let's say {where}, {when}.",
        f"{other}: Can you bring the big umbrella? Mine broke last week.",
        f"{one}: Sure, and I'll call {chance.choice(NAMES)} too.",
        f"{other}: Perfect, see you there.",
    ][: chance.randint(3, 6)]
    summary = f"{one} and {other} will meet at {where} {when} for {plan}."
    return Sample(
        id=f"test-{place:06d}",
        input="\n".join(turns),
        references=(summary,),
        metadata={"scenario": plan, "seen": "yes" if chance.random() < 0.8 else "no"},
    )


def instruction(place: int, chance: random.Random) -> Sample:
    one, apples, more = chance.choice(NAMES), chance.randint(3, 20), chance.randint(2, 9)
    where = chance.choice(PLACES)
    return Sample(
        id=f"test-{place:06d}",
        input=f"{one} carried {apples} boxes to {where} and came back for {more} more. The lift was out of order.",
        references=(
            f"{apples} boxes and {more} boxes are {apples + more} boxes. The answer is {apples + more}.",
        ),
        metadata={
            "category": chance.choice(["reasoning", "facts", "rewriting"]),
            "instruction": "How many boxes?",
        },
    )


def answer(sample: Sample, skill: float, chance: random.Random) -> str:
    """The reference with words lost in proportion to what the system cannot do."""
    if skill < 0.5 and chance.random() < 0.5:
        return " ".join(sample.input.split()[: chance.randint(6, 24)])
    words = sample.references[0].split()
    kept = [word for word in words if chance.random() < skill]
    filler = ["meets", "talks", "about", "it", "the", chance.choice(NAMES)]
    return " ".join(kept + [chance.choice(filler) for _ in range(round((1 - skill) * 6))])


def write_result(
    folder: Path,
    *,
    samples: int = 40,
    seeds: Sequence[int] = (0,),
    seed: int = 0,
    notes: bool = True,
    text: Callable[[str], str] = lambda text: text,
) -> Path:
    """`text` is what every answer goes through: hostile ones come in here."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    tasks = {"dialogues": dialogue, "instructions": instruction}
    asked = {name: [make(place, chance) for place in range(samples)] for name, make in tasks.items()}
    labels = [ADAPTER] if len(seeds) == 1 else [f"{ADAPTER}#{one}" for one in seeds]
    systems = [System(model=f"trivial:{rule}") for rule in ("lead-3", "copy")]
    for model in MODELS:
        systems += [System(model=model), *(System(model=model, adapter=label) for label in labels)]
    scores: list[dict[str, Any]] = []
    comparisons: list[dict[str, Any]] = []
    generations: list[dict[str, Any]] = []
    table: list[dict[str, Any]] = []
    for task, here in asked.items():
        plugins = ("rouge", "bleu", "chrf") if task == "dialogues" else ("f1", "exact")
        primary = "rougeL" if task == "dialogues" else "f1"
        answers = {system: answers_of(system, task, here, text) for system in systems}
        for system, given in answers.items():
            generations += [line(task, system, sample, one) for sample, one in zip(here, given, strict=True)]
        for plugin in plugins:
            metric = metrics.load(plugin)
            assert metric.row and metric.value
            rows = {
                system: np.array([metric.row(s, g) for s, g in zip(here, given, strict=True)], dtype=float)
                for system, given in answers.items()
            }
            for system, matrix in rows.items():
                scores += scored(task, system, metric, matrix, primary, seed)
                table += [
                    {
                        **named(task, system),
                        "metric": plugin,
                        "sample_id": sample.id,
                        "stats": list(map(float, row)),
                    }
                    for sample, row in zip(here, matrix, strict=True)
                ]
            comparisons += compared(task, systems, metric, rows, primary, seed)
    data = {
        "schema": 1,
        "suite": suite(seeds, labels),
        "scores": scores,
        "comparisons": comparisons,
        "weights": [row for model in MODELS for row in weights(model, labels, chance)],
        "costs": [row for system in systems for row in costs(system, chance)],
        "curves": [curve(model, label, chance) for model in MODELS for label in labels],
        "notes": some_notes() if notes else [],
        "steps": [
            {"id": f"{place:016x}", "kind": kind, "label": f"{kind} {task}", "state": "done", "seconds": 3.2 * place,
             "reason": "", "log": ""}
            for place, (kind, task) in enumerate((k, t) for k in ("load", "generate", "score") for t in tasks)
        ],
        "manifest": manifest(seed),
    }  # fmt: skip
    write_json(folder / "result.json", document(from_document(folder, data)))
    parquet.write_table(pa.Table.from_pylist(table, schema=ROWS), folder / "rows.parquet")
    write_lines(folder / "generations.jsonl.gz", generations)
    write_lines(
        folder / "samples.jsonl.gz",
        [
            {
                "task": task,
                "sample_id": s.id,
                "input": s.input,
                "references": s.references,
                "metadata": dict(s.metadata),
            }
            for task, here in asked.items()
            for s in here
        ],
    )
    return folder


ROWS = pa.schema(
    [
        *((name, pa.string()) for name in ("task", "model", "adapter")),
        ("shots", pa.int64()),
        *((name, pa.string()) for name in ("metric", "sample_id")),
        ("stats", pa.list_(pa.float64())),
    ]
)


def named(task: str, system: System) -> dict[str, Any]:
    return {"task": task, "model": system.model, "adapter": system.adapter, "shots": system.shots}


def answers_of(
    system: System, task: str, samples: list[Sample], text: Callable[[str], str]
) -> list[Generation]:
    if system.model.startswith("trivial:"):
        rule = system.model.removeprefix("trivial:")
        return [Generation(sample_id=sample.id, text=trivial.prepared(rule)(sample)) for sample in samples]
    before, after = MODELS[system.model][3:]
    skill = before if system.adapter is None else after if task == "dialogues" else 0.75 * before
    chance = random.Random(f"{system} {task}")
    return [
        Generation(sample_id=s.id, text=text(answer(s, skill, chance)), prompt_tokens=90, output_tokens=21,
                   truncated_tokens=12 if place == 7 else 0, finish="length" if place % 23 == 5 else "stop")
        for place, s in enumerate(samples)
    ]  # fmt: skip


def line(task: str, system: System, sample: Sample, one: Generation) -> dict[str, Any]:
    return {
        **named(task, system),
        "sample_id": sample.id,
        "prompt_digest": "0" * 16,
        "text": one.text,
        "references": sample.references,
        "prompt_tokens": one.prompt_tokens,
        "output_tokens": one.output_tokens,
        "truncated_tokens": one.truncated_tokens,
        "finish": one.finish,
    }


def scored(
    task: str, system: System, metric: metrics.Metric, rows: np.ndarray, primary: str, seed: int
) -> list[dict[str, Any]]:
    assert metric.value
    values = metric.value(rows.sum(0))
    if metric.interval == "wilson":
        ends = [stats.wilson(*rows.sum(0))]
    else:
        drawn = stats.bootstrap(rows, metric.value, seed=seed)
        ends = [stats.percentile_interval(drawn[:, place]) for place in range(len(metric.names))]
    return [
        {**named(task, system), "metric": name, "primary": name == primary,
         "signature": metric.signature.replace("nrefs:var", "nrefs:1"),
         "unit": metric.unit, "better": metric.better, "value": float(values[place]), "low": float(ends[place][0]),
         "high": float(ends[place][1]), "n": len(rows)}
        for place, name in enumerate(metric.names)
    ]  # fmt: skip


def compared(
    task: str,
    systems: list[System],
    metric: metrics.Metric,
    rows: dict[System, np.ndarray],
    primary: str,
    seed: int,
) -> list[dict[str, Any]]:
    assert metric.value
    bases = [one for one in systems if not one.adapter and not one.model.startswith("trivial:")]
    adapted = [one for one in systems if one.adapter]
    rules = [one for one in systems if one.model.startswith("trivial:")]
    questions = {
        "each adapter against its base": [(System(model=one.model), one) for one in adapted],
        "each adapter against trivial rules and few-shot bases": [
            (rule, one) for one in adapted for rule in rules
        ],
        "bases against each other": list(combinations(bases, 2)),
    }
    for label in dict.fromkeys(one.adapter for one in adapted):
        same = [one for one in adapted if one.adapter == label]
        questions[f"models with {label} against each other"] = list(combinations(same, 2))
    place_of = {system: place for place, system in enumerate(systems)}
    table = stats.Table(
        rows=np.stack([rows[system] for system in systems], axis=1),
        value=metric.value,
        interval=metric.interval,
    )
    everything = [(place_of[a], place_of[b]) for pairs in questions.values() for a, b in pairs]
    (answers,) = stats.compare([table], everything, seed=seed)
    answer = iter(answers)
    found = []
    for question, pairs in questions.items():
        asked = [(a, b, next(answer)) for a, b in pairs]
        for place, name in enumerate(metric.names):
            corrected = stats.holm([float(one.p[place]) for _, _, one in asked]) if name == primary else []
            for row, (a, b, one) in enumerate(asked):
                found.append(
                    {
                        "task": task,
                        "metric": name,
                        "baseline": {"model": a.model, "adapter": a.adapter, "shots": a.shots},
                        "candidate": {"model": b.model, "adapter": b.adapter, "shots": b.shots},
                        "difference": float(one.difference[place]),
                        "low": float(one.low[place]),
                        "high": float(one.high[place]),
                        "p": float(one.p[place]),
                        "p_holm": float(corrected[row]) if name == primary else None,
                        "family": f"{task}: {question}" if name == primary else None,
                        "test": one.test,
                        "detectable": float(one.detectable[place]),
                        "n": len(rows[a]),
                        "better": int(one.better[place]),
                        "worse": int(one.worse[place]),
                    }
                )
    return found


def suite(seeds: Sequence[int], labels: list[str]) -> dict[str, Any]:
    def task(name: str, about: str, primary: str, plugins: list[str], prompt: str) -> dict[str, Any]:
        return {
            "name": name, "about": about, "kind": "generate", "primary": primary, "metrics": plugins, "prompt": prompt,
            "source": f"embedded:{name}", "licence": "Apache-2.0", "share": "text", "trivial": ["lead-3", "copy"],
        }  # fmt: skip

    return {
        "name": "quickstart",
        "about": "Which of four tiny base models summarises dialogues best, and does LoRA help?",
        "limit": 60,
        "train_on": ["dialogues"],
        "base_shots": [0],
        "tasks": [
            task("instructions", "Questions on a short passage.", "f1", ["f1", "exact"],
                 "Follow the instruction.\n\nInstruction: $instruction\n\nText: $input\n\nAnswer:"),
            task("dialogues", "Conversations summed up in a sentence.", "rougeL", ["rouge", "bleu", "chrf"],
                 "Summarise the conversation in one or two sentences.\n\n$input\n\nSummary:"),
        ],
        "models": [
            {"name": name, "uri": f"zoo:{name}", "revision": f"{parameters:016x}", "family": family,
             "parameters": parameters, "dtype": "float32",
             **({"licence": "mit"} if family == "t5" else {})}
            for name, (family, parameters, *_) in MODELS.items()
        ],
        "recipes": [
            {"name": ADAPTER, "rank": 16, "alpha": 32.0, "dropout": 0.05, "targets": ["q", "v"], "rslora": False,
             "epochs": None, "steps": 100, "batch_size": 16, "learning_rate": 0.002, "seeds": list(seeds)}
        ],
        "adapters": [
            {"name": label, "model": model, "recipe": ADAPTER, "trained_on": "dialogues", "seed": one, "uri": None}
            for model in MODELS
            for label, one in zip(labels, seeds, strict=True)
        ],
    }  # fmt: skip


def weights(model: str, labels: list[str], chance: random.Random) -> list[dict[str, Any]]:
    prefix = MODELS[model][2]
    found: list[dict[str, Any]] = []
    for block in range(4):
        for role in ("q", "k", "v", "o", "feed-forward", "feed-forward"):
            name = prefix.format(block) + f"{role}_{len(found)}.weight"
            shared = {
                "model": model,
                "layer": name,
                "role": role,
                "rows": 128,
                "cols": 128,
                "eigenvalues": 128,
            }
            alpha = chance.gauss(4.0, 0.9)
            skipped = role == "k" and block == 3
            status = "too few eigenvalues" if skipped else "analysed"
            fit = {"alpha": alpha, "sigma": 0.3, "xmin": 2.5, "num_pl_spikes": 41.0, "lambda_max": 9.1}
            numbers = {
                **(dict.fromkeys(fit) if skipped else fit),
                "stable_rank": 12.5,
                "density": None if skipped else density(chance),
            }
            found.append({**shared, "adapter": None, "part": "W", "status": status, **numbers})
            for label in labels:
                touched = role in ("q", "v")
                moved = {**numbers, "alpha": alpha - 0.35 * chance.random()} if touched else numbers
                delta = {"alpha": None, "lambda_max": 0.4, "stable_rank": 3.1}
                delta[RATIO] = chance.uniform(0.02, 0.12) if touched else 0.0
                found.append(
                    {
                        **shared,
                        "adapter": label,
                        "part": "delta",
                        "status": "analysed" if touched else "zero",
                        **delta,
                    }
                )
                found.append({**shared, "adapter": label, "part": "merged", "status": status, **moved})
    return found


def density(chance: random.Random) -> dict[str, Any]:
    """Of 128 eigenvalues, most in the middle."""
    places = [min(39, max(0, round(chance.gauss(18, 7)))) for _ in range(128)]
    return {"low": -1.2, "high": 0.96, "counts": [places.count(place) for place in range(40)]}


RATIO = "delta_ratio"


def costs(system: System, chance: random.Random) -> list[dict[str, Any]]:
    if system.model.startswith("trivial:"):
        return []
    shared = {
        "model": system.model,
        "adapter": system.adapter,
        "shots": 0,
        "hardware": "2 cores",
        "workers": 1,
    }
    found = [
        {"step": "0" * 16, "task": task, **shared, "quantity": quantity, "unit": unit, "value": value}
        for task in ("dialogues", "instructions")
        for quantity, unit, value in (
            ("generation speed", "tokens/s", chance.uniform(700, 1500)),
            ("generation time", "s", chance.uniform(4, 9)),
            ("peak memory", "MB", chance.uniform(480, 700)),
        )
    ]
    if system.adapter:
        trained = (
            ("training time", "s", chance.uniform(20, 70)),
            ("peak memory", "MB", chance.uniform(600, 900)),
        )
        for quantity, unit, value in (
            *trained,
            ("adapter size", "MB", 0.26),
            ("trainable parameters", "", 65_536.0),
        ):
            found.append(
                {"step": "1" * 16, "task": None, **shared, "quantity": quantity, "unit": unit, "value": value}
            )
    return found


def curve(model: str, label: str, chance: random.Random) -> dict[str, Any]:
    end = 1.6 * (1 - MODELS[model][4])
    points = []
    for step in range(1, 101):
        loss = end + (2.6 - end) * float(np.exp(-step / 22)) + chance.gauss(0, 0.05)
        checked = step % 25 == 0 or step == 1
        points.append(
            {
                "step": step,
                "loss": loss,
                "validation_loss": loss + 0.08 if checked else None,
                "learning_rate": 2e-3,
            }
        )
    return {"model": model, "adapter": label, "points": points}


def some_notes() -> list[dict[str, Any]]:
    return [
        {"kind": "truncated", "where": "dialogues, mistral-tiny + quickstart", "count": 1, "of": 60,
         "detail": "prompts whose input was shortened to fit", "samples": ["test-000007"]},
        {"kind": "cut short", "where": "dialogues, falcon-tiny", "count": 3, "of": 60,
         "detail": "answers that reached the token limit", "samples": ["test-000005", "test-000028", "test-000051"]},
        {"kind": "layer skipped", "where": "falcon-tiny", "count": 1, "of": 24,
         "detail": "transformer.h.3.k: too few eigenvalues", "samples": []},
    ]  # fmt: skip


def manifest(seed: int) -> dict[str, Any]:
    return {
        "harness": "0.1.0",
        "created": "2026-11-23T20:00:00Z",
        "command": "harness run quickstart --limit 60",
        "python": "3.11.9",
        "platform": "Linux x86_64",
        "hardware": {"cpu": "AMD EPYC 7R13", "cores": 2, "memory_gb": 15.4, "gpu": None},
        "device": "cpu",
        "libraries": {"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.0", "rouge-score": "0.1.2"},
        "runtime": {"device": "cpu", "workers": 1, "threads": 1, "batch_tokens": 8192, "offline": False},
        "seed": seed,
        "sources": {"dialogues": "5f" * 16, "instructions": "a0" * 16},
        "models": {name: f"{values[1]:016x}" for name, values in MODELS.items()},
    }


def write_json(path: Path, data: object) -> None:
    path.write_bytes(json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def write_lines(path: Path, lines: Sequence[object]) -> None:
    with gzip.open(path, "wb") as file:
        for one in lines:
            file.write(json.dumps(one, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")


@pytest.fixture(scope="session")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `example`, but the dialogues' source shares scores alone."""
    return keep_private(write_result(tmp_path_factory.mktemp("private"), samples=12))


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole RESULT folder, read only: a test that changes one makes its own copy."""
    folder = write_result(tmp_path_factory.mktemp("result"))
    assert read(folder).scores
    return folder


@pytest.fixture(scope="session")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Charts that some test drew before, in a store: drawing them takes three quarters of the time that a page takes."""
    base = tmp_path_factory.getbasetemp()
    session = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # one store for all workers
    return open_store(session / "drawn").drawings


# Judgements: one that a run could leave, and for hypothesis any at all.

LLAMA = System(model="llama2-tiny", adapter="quickstart")
FALCON = System(model="falcon-tiny", adapter="quickstart")


def a_verdict(**said: Any) -> Verdict:
    usual: dict[str, Any] = {
        "gate": "max_drop 1.0",
        "rule": "max_drop",
        "verdict": "pass",
        "because": "it says",
        "subject": str(LLAMA),
        "task": "dialogues",
        "system": LLAMA,
        "metric": "rougeL",
        "against": "base",
        "value": 0.31,
        "low": -0.4,
        "high": 1.0,
        "n": 800,
    }
    return Verdict(**usual | said)


@pytest.fixture(scope="session")
def judgement() -> Judgement:
    """A verdict of each word, given best first, and two samples that fell: one with texts, one of ids and numbers."""
    cost = {"task": None, "system": FALCON, "subject": str(FALCON), "metric": None, "against": None}
    unmeasured = {"low": None, "high": None, "n": None}
    return Judgement(
        name="ci",
        verdicts=(
            a_verdict(pass_probability_if_equal=0.7012, samples_for_80_percent=1600),
            a_verdict(
                gate="no broken class",
                rule="max_worse_samples",
                verdict="inconclusive",
                because="6.2 % of samples fell by more than 20, 5 % may; about 2,100 samples would decide",
                limit="5 % by more than 20",
                against="reports/baselines/ci.json",
                value=6.2,
                low=4.6,
                high=8.1,
                needed=2100,
            ),
            a_verdict(
                gate="max_train_seconds 60",
                rule="max_train_seconds",
                verdict="invalid",
                because="measured on '2 cores', agreed on 'NVIDIA*'; train it there",
                value=71.2,
                **cost,
                **unmeasured,
            ),
            a_verdict(
                verdict="fail",
                because="fell by 2.41 [1.33, 3.52], more than 1.0",
                task="instructions",
                value=-2.41,
                low=-3.52,
                high=-1.33,
            ),
        ),
        regressions=(
            Regression(
                task="instructions",
                system=LLAMA,
                against="base",
                metric="rougeL",
                sample_id="test-000017",
                before=62.1,
                after=12.0,
                prompt="How many boxes\nare there?",
                reference="Nineteen boxes.",
                answer_before="Nineteen",
                answer_after="",
            ),
            Regression(
                task="dialogues",
                system=FALCON,
                against="base",
                metric="rougeL",
                sample_id="test-000018",
                before=50.0,
                after=20.0,
            ),
        ),
        remarks=("baseline made with torch 2.13.0, here 2.14.0",),
    )


EVIL = (
    "<script>alert(1)</script>",
    "]]><failure/><!-- --> &amp; <![CDATA[",
    "a | b\n| --- |\n\n# heading\n<details>",
    "`code` **bold** [link](javascript:alert(1)) $x^2$ <!-- never closed",
    "https://evil.example www.evil.example @everyone #1 {{ 7 * 7 }}",
    "::set-output name=x::y\r\n::stop-commands::z ##[add-mask]s %0A%25",
    "user\u202egnp.exe \u200f\x00 \ud800 \x1b[31m \ufffe\uffff\x85\u2028",
    "[bold red]markup[/] :smile:",
    "x" * 100_000,
    "",
)


def printable(text: str) -> str:
    """What a RESULT that is read may have of it in a name."""
    return "".join(one for one in text if one.isprintable())


any_text = st.integers(0, len(EVIL) - 1).map(EVIL.__getitem__) | st.text(st.characters(), max_size=40)
any_number = st.floats() | st.sampled_from([0.0, -0.0, 1.0, -2.41])
any_count = st.integers(0, 10**9)
any_system = st.builds(System, model=any_text, adapter=st.none() | any_text)
st.register_type_strategy(
    Verdict,
    st.builds(
        Verdict,
        gate=any_text | st.just("max_drop 1.0"),
        rule=st.sampled_from(["min_value", "max_drop", "max_worse_samples", "max_train_seconds"]) | any_text,
        verdict=st.sampled_from(["pass", "fail", "inconclusive", "invalid"]),
        because=any_text,
        subject=any_text,
        task=st.none() | any_text,
        system=st.none() | any_system,
        metric=st.none() | any_text,
        slice=st.none() | any_text,
        against=st.none() | any_text,
        value=st.none() | any_number,
        low=st.none() | any_number,
        high=st.none() | any_number,
        limit=st.none() | any_text,
        n=st.none() | any_count,
        needed=st.none() | any_count,
        pass_probability_if_equal=st.none() | st.floats(0, 1),
        samples_for_80_percent=st.none() | any_count,
    ),
)
st.register_type_strategy(
    Regression,
    st.builds(
        Regression,
        task=any_text,
        system=any_system,
        against=any_text,
        metric=any_text,
        sample_id=any_text,
        before=any_number,
        after=any_number,
        prompt=st.none() | any_text,
        reference=st.none() | any_text,
        answer_before=st.none() | any_text,
        answer_after=st.none() | any_text,
    ),
)
st.register_type_strategy(
    Judgement,
    st.builds(
        Judgement,
        name=any_text,
        verdicts=st.lists(st.from_type(Verdict), max_size=5).map(tuple),
        regressions=st.lists(st.from_type(Regression), max_size=3).map(tuple),
        remarks=st.lists(any_text, max_size=3).map(tuple),
        family_error=st.floats(0, 1),
    ),
)
