"""Examples before a prompt: seeded, from training, balanced where the task says so, and never the sample itself."""

from collections import Counter
from dataclasses import replace

import pytest

from harness import kinds
from harness.kinds import classify, generate
from harness.tasks.shots import for_each
from harness.types import Sample, Source, Task

TASK = Task(
    name="t",
    kind="classify",
    source=Source(uri="file:x", labels=("no", "yes", "maybe")),
    prompt="$input",
    metrics=("exact",),
    primary="exact",
)
# Nine of ten are "no".
TRAINING = [
    Sample(id=str(at), input=f"question {at}", references=("yes" if at % 20 == 0 else "maybe" if at % 20 == 10 else "no",))
    for at in range(200)
]  # fmt: skip


@pytest.mark.parametrize("count", [1, 3, 4, 6, 29])
def test_balanced_examples_have_all_labels_as_often_as_the_count_allows(count: int) -> None:
    task = replace(TASK, settings={"balanced": True})
    shots = classify.choose_shots(TRAINING, count, task)
    labels = Counter(shot.references[0] for shot in shots)
    assert len(shots) == len({shot.id for shot in shots}) == count
    assert max(labels.values()) - min(labels[label] for label in task.source.labels) <= 1
    assert shots == classify.choose_shots(TRAINING, count, task)  # seeded
    assert classify.choose_shots(TRAINING, count, TASK) == generate.choose_shots(TRAINING, count, TASK)


def test_fewer_balanced_examples_than_labels_are_not_always_of_the_first_label() -> None:
    task = replace(TASK, settings={"balanced": True})
    first = set()
    for start in range(len(TRAINING)):
        training = [*TRAINING[start:], *TRAINING[:start]]
        (shot,) = classify.choose_shots(training, 1, task)
        first.add(shot.references[0])
    assert first == set(TASK.source.labels)


def test_a_rare_label_gives_what_it_has_and_the_others_the_rest() -> None:
    task = replace(TASK, settings={"balanced": True})
    labels = Counter(shot.references[0] for shot in classify.choose_shots(TRAINING, 50, task))
    assert labels == {"yes": 10, "maybe": 10, "no": 30}


@pytest.mark.parametrize("name", ["classify", "generate", "regress"])
def test_no_sample_is_an_example_of_its_own_prompt(name: str) -> None:
    kind = kinds.find(name)
    task = replace(
        TASK, kind=name, source=replace(TASK.source, labels=TASK.source.labels if name == "classify" else ())
    )
    training = TRAINING
    if name == "regress":
        training = [replace(sample, references=("1",)) for sample in TRAINING]
    shots = kind.choose_shots(training, 4, task)
    tested = [*shots[:2], replace(shots[2], id="elsewhere"), Sample(id="new", input="new", references=("1",))]
    examples = for_each(task, kind.ask, tested, shots, training)
    for sample, before in zip(tested, examples, strict=True):
        assert len(before) == len({shot.id for shot in before}) == 4
        assert sample.input not in [shot.input for shot in before]
    assert examples[3] is shots  # where nothing overlaps, every sample has the same examples
    assert examples == for_each(task, kind.ask, tested, shots, training)
    if name == "classify":
        for before in examples:
            assert [shot.references for shot in before] == [shot.references for shot in shots]


def test_without_another_sample_there_is_an_example_less() -> None:
    task = replace(TASK, kind="generate", source=Source(uri="file:x"))
    shots = TRAINING[:2]
    assert for_each(task, generate.ask, shots, shots, shots) == [[TRAINING[1]], [TRAINING[0]]]


def test_samples_that_differ_in_another_column_are_different_questions() -> None:
    task = replace(TASK, kind="generate", prompt="$instruction $input", source=Source(uri="file:x"))
    one, two = (Sample(id=key, input="", references=("x",), metadata={"instruction": key}) for key in "ab")
    assert for_each(task, generate.ask, [one], [two], [one, two]) == [[two]]
