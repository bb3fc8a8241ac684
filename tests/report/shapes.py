"""RESULTs of many shapes, made with `harness.testing`: answers of a set skill, scored and compared by the harness itself."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness import metrics, stats
from harness.results import AdapterFacts, Result, TaskFacts
from harness.scoring import comparisons as pairs
from harness.testing import make_result
from harness.types import Comparison, Generation, Note, Sample, System

WORDS = 12  # of a reference
LETTERS = "abcdefghijkl"
LEAD, COPY = System(model="trivial:lead-3"), System(model="trivial:copy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a RESULT looks like: who answers, and how well."""

    skills: Mapping[System, float]  # share of the words of a reference that the system writes, on average
    samples: int = 24
    metric: str = "f1"
    primary: str = "f1"
    spread: float = 0.2  # of the skill from sample to sample
    recipe: str | None = "lora"  # None: adapters were supplied
    trained_on: str | None = "talks"
    task: str = "talks"
    notes: tuple[Note, ...] = ()
    seed: int = 0
    alike: bool = False  # systems of equal skill give equal answers
    lower: bool = False  # the metric counts as one of which less is better, such as TER


def sample(place: int) -> Sample:
    """Return a sample whose reference has WORDS different words."""
    reference = " ".join(f"{letter}{place}" for letter in LETTERS)
    return Sample(id=f"s{place}", input=f"{place}: {reference}", references=(reference,))


def written(one: Sample, skill: float, chance: random.Random) -> str:
    """Return an answer with a share of the reference's words, or an empty one."""
    right = round(WORDS * min(1.0, max(0.0, skill)))
    kept = one.references[0].split()[:right]
    return " ".join([*kept, *(["wrong"] * (WORDS - right))])


def answers_of(shape: Shape, samples: Sequence[Sample]) -> dict[System, list[str]]:
    """Return every system's answers."""
    found = {}
    for system, skill in shape.skills.items():
        chance = random.Random(f"{shape.seed} {skill if shape.alike else system}")
        wide = shape.spread if 0 < skill < 1 else 0.0
        found[system] = [written(one, skill + chance.uniform(-wide, wide), chance) for one in samples]
    return found


def make(folder: Path, shape: Shape) -> Path:
    """Write the RESULT of a shape; return its folder."""
    samples = [sample(place) for place in range(shape.samples)]
    answers = answers_of(shape, samples)
    task = TaskFacts(name=shape.task, primary=shape.primary, metrics=(shape.metric,), share="text")

    def edit(result: Result) -> Result:
        adapters: list[AdapterFacts] = []
        for facts in result.suite.adapters:
            recipe = facts.name.split("#")[0]
            seed = sum((other.model, other.recipe) == (facts.model, recipe) for other in adapters)
            if shape.recipe is None:
                adapters.append(replace(facts, uri="file:theirs"))
            else:
                adapters.append(replace(facts, recipe=recipe, trained_on=shape.trained_on, seed=seed))
        return replace(
            result,
            suite=replace(result.suite, adapters=tuple(adapters)),
            scores=tuple(
                replace(score, better="lower" if shape.lower else "higher") for score in result.scores
            ),
            comparisons=tuple(
                replace(one, better=one.worse, worse=one.better) if shape.lower else one
                for one in compared(shape, samples, answers)
            ),
            notes=shape.notes,
        )

    return make_result(folder, samples, answers, task=task, edit=edit)


def compared(
    shape: Shape, samples: Sequence[Sample], answers: Mapping[System, Sequence[str]]
) -> list[Comparison]:
    """Return the comparisons that a run makes of these systems, family by family."""
    metric = metrics.load(shape.metric)
    assert metric.row and metric.value
    systems = tuple(answers)
    rows = np.array(
        [
            [metric.row(one, Generation(sample_id=one.id, text=answers[system][place])) for system in systems]
            for place, one in enumerate(samples)
        ],
        dtype=float,
    )
    table = stats.Table(rows=rows, value=metric.value, interval=metric.interval)
    scored = pairs.Scored(task=shape.task, systems=systems, metrics=(metric,), tables=(table,))
    if not scored.tells:
        return []
    found: list[Comparison] = []
    for family, asked in pairs.families(shape.task, systems).items():
        places = [(systems.index(a), systems.index(b)) for a, b in asked]
        own = pairs.compared(scored, places, shape.seed)
        together = [one for comparisons in own.values() for one in comparisons]
        found += pairs.corrected(together, shape.primary, family)
    return found


A, B, C = (System(model=name) for name in ("alpha", "beta", "gamma"))


def tuned(base: System, name: str = "lora") -> System:
    """Return a base's adapter."""
    return replace(base, adapter=name)


SHAPES: Mapping[str, Shape] = {
    "one base": Shape(skills={A: 0.5}),
    "one base and rules": Shape(skills={A: 0.5, COPY: 0.3, LEAD: 0.2}),
    "one adapter alone": Shape(skills={tuned(A): 0.5}),
    "one base and its adapter": Shape(skills={A: 0.3, tuned(A): 0.6}),
    "adapter worse": Shape(skills={A: 0.6, tuned(A): 0.3}),
    "adapters better and worse": Shape(skills={A: 0.5, tuned(A): 0.8, B: 0.6, tuned(B): 0.2, COPY: 0.3}),
    "all zeros": Shape(skills={A: 0.0, tuned(A): 0.0, B: 0.0}),
    "all zeros, rule above": Shape(skills={A: 0.0, tuned(A): 0.0, COPY: 0.4}),
    "all zeros, rule too": Shape(skills={A: 0.0, tuned(A): 0.0, COPY: 0.0}),
    "all equal": Shape(skills={A: 0.5, tuned(A): 0.5, B: 0.5}, alike=True),
    "all equal, and the rule": Shape(skills={A: 0.5, tuned(A): 0.5, COPY: 0.5}, alike=True),
    "two share the best score": Shape(skills={A: 0.7, tuned(A): 0.7, B: 0.3, tuned(B): 0.4}, alike=True),
    "rule best": Shape(skills={A: 0.1, tuned(A): 0.3, B: 0.2, tuned(B): 0.25, COPY: 0.8, LEAD: 0.1}),
    "rule best, bases only": Shape(skills={A: 0.1, B: 0.2, COPY: 0.8}),
    "rule best, one model": Shape(skills={A: 0.1, COPY: 0.8}),
    "rule barely best": Shape(skills={A: 0.1, tuned(A): 0.49, COPY: 0.51}, spread=0.5),
    "supplied adapters": Shape(skills={A: 0.4, tuned(A, "theirs"): 0.6, tuned(A, "other"): 0.3}, recipe=None),
    "supplied adapters, base best": Shape(skills={A: 0.8, tuned(A, "theirs"): 0.6}, recipe=None),
    "one sample": Shape(skills={A: 0.3, tuned(A): 0.6, COPY: 0.4}, samples=1),
    "two samples": Shape(skills={A: 0.3, tuned(A): 0.6, COPY: 0.4}, samples=2),
    "three seeds": Shape(skills={A: 0.3, **{tuned(A, f"lora#{seed}"): 0.6 for seed in range(3)}, COPY: 0.2}),
    "three seeds alone": Shape(skills={tuned(A, f"lora#{seed}"): 0.6 for seed in range(3)}),
    "a seed above the mean": Shape(
        skills={
            A: 0.3,
            tuned(A, "lora#0"): 0.5,
            tuned(A, "lora#1"): 0.6,
            tuned(A, "lora#2"): 0.9,
            B: 0.3,
            tuned(B): 0.8,
        },
    ),
    "two seeds": Shape(skills={A: 0.3, tuned(A, "lora#0"): 0.5, tuned(A, "lora#1"): 0.6}),
    "trained elsewhere": Shape(skills={A: 0.5, tuned(A): 0.4, B: 0.5, tuned(B): 0.45}, trained_on="other"),
    "few-shot base": Shape(skills={A: 0.3, replace(A, shots=4): 0.7, tuned(A): 0.6, COPY: 0.2}),
    "less is better": Shape(skills={A: 0.7, tuned(A): 0.3, B: 0.6, tuned(B): 0.8, COPY: 0.9}, lower=True),
    "less is better, rule best": Shape(skills={A: 0.7, tuned(A): 0.6, B: 0.9, COPY: 0.1}, lower=True),
    "less is better, base best": Shape(skills={A: 0.2, tuned(A): 0.6, COPY: 0.9}, lower=True),
    "less is better, all zeros": Shape(skills={A: 0.0, tuned(A): 0.0}, lower=True),
    "exact": Shape(skills={A: 0.5, tuned(A): 1.0, B: 0.0}, metric="exact", primary="exact"),
    "thirty systems": Shape(
        skills={
            system: 0.2 + 0.02 * place
            for place in range(15)
            for system in (System(model=f"m{place}"), System(model=f"m{place}", adapter="lora"))
        },
    ),
    "overlap": Shape(
        skills={A: 0.3, tuned(A): 0.6},
        notes=(
            Note(
                kind="overlap",
                where="talks",
                count=1,
                of=400,
                detail="test samples whose input stands in the training split, word for word",
                samples=("s1",),
            ),
            Note(
                kind="overlap",
                where="talks",
                count=73,
                of=400,
                detail="test samples that share 13 words in a row with a training sample",
                samples=("s1",),
            ),
        ),
    ),
}
