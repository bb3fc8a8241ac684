"""What every plug-in of a group promises, asked of each one that comes with the harness."""

import inspect
from typing import get_args

import numpy as np
import pytest

from harness import families, kinds, metrics, plugins
from harness.backends import Verb, open_backend
from harness.exports import Place
from harness.plugins.choice import parse
from harness.types import Generation, Model, ModelPin, Runtime, Sample, Source, Task

NUMBERS = {"regress": "1234567"}  # the one reference of the kinds whose references are numbers
TEXTS = ("perplexity",)  # kinds without a prompt or a reference


def task_of(kind: str) -> Task:
    source = Source(uri="file:x", labels=("out 0", "out 1", "out 2", "out 3", "out 4", "the first"))
    prompt = "$input" if kind in TEXTS else "Say $input now"
    return Task(name="t", kind=kind, source=source, prompt=prompt, metrics=("exact",), primary="exact")


def sample_of(kind: str, name: str, text: str, answer: str) -> Sample:
    references = () if kind in TEXTS else (NUMBERS.get(kind, answer),)
    return Sample(id=name, input=text, references=references, choices=(*references, "another"))


def training_of(kind: str) -> list[Sample]:
    return [sample_of(kind, f"t{n}", f"in {n}", f"out {n}") for n in range(5)]


@pytest.mark.parametrize("name", plugins.own_names("kinds"))
def test_every_kind_asks_without_telling_and_teaches_an_answer(name: str) -> None:
    kind, task, sample = kinds.find(name), task_of(name), sample_of(name, "1", "the question", "the first")
    prompt = kind.ask(task, sample, ())
    assert prompt == kind.ask(task, sample, ())
    assert prompt.sample_id == sample.id
    assert sample.input in (*prompt.options, prompt.text) or sample.input in prompt.text
    assert not any(reference in prompt.text for reference in sample.references)
    assert kind.target(task, sample) in (*sample.references, *prompt.options)
    assert kind.expected(sample).strip()
    assert kind.about
    kind.check(task, lambda *keys: ".".join(map(str, keys)))
    training = training_of(name)
    shots = kind.choose_shots(training, 2, task)
    assert shots == kind.choose_shots(training, 2, task)
    assert len(shots) == (0 if name in TEXTS else 2)
    assert all(kind.target(task, shot) in kind.ask(task, sample, shots).text for shot in shots)


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        (name, verb)
        for name in plugins.own_names("kinds")
        for verb in kinds.find(name).answers
        if verb != "head"
    ],
)
def test_every_kind_answers_each_prompt_once_and_none_again(name: str, verb: Verb) -> None:
    kind, model, task = kinds.find(name), Model(name="m", uri="echo:copy"), task_of(name)
    pin = ModelPin(revision="0", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    backend, training = open_backend(model, pin, Runtime()), training_of(name)
    prompts = [kind.ask(task, sample, ()) for sample in training]
    answers = [*kind.answers[verb](backend, prompts, task, None, frozenset())]
    assert sorted(answer.sample_id for answer in answers) == [sample.id for sample in training]
    rest = [*kind.answers[verb](backend, prompts, task, None, {"t0", "t3"})]
    assert {answer.sample_id for answer in rest} == {"t1", "t2", "t4"}
    if name not in NUMBERS:
        assert not any(oddity.holds(answer) for answer in answers for oddity in kind.odd.values())
    for prompt, answer in zip(prompts, answers, strict=True):
        if verb == "likelihoods":
            assert tuple(option.text for option in answer.options) == (prompt.answers or prompt.options)
            assert answer.text in prompt.options


COUNTED = [
    name for name in plugins.own_names("metrics") if not hasattr(plugins.find("metrics", name), "score_names")
]


@pytest.mark.parametrize("name", COUNTED)
def test_every_metric_is_a_function_of_sums_of_rows_of_one_length(name: str) -> None:
    metric = metrics.load(name)
    assert metric.row is not None
    assert metric.value is not None
    texts = ["the cat sat on the mat", "", "§ 1"]
    rows = np.array(
        [
            metric.row(
                sample_of("generate", "1", "the question", "the first"), Generation(sample_id="1", text=text)
            )
            for text in texts
        ]
    )
    assert np.isfinite(rows).all()
    values = metric.value(np.stack([rows.sum(axis=0), rows[0]]))  # many totals at once
    assert values.shape == (2, len(metric.names))
    assert np.isfinite(values).all()
    assert np.array_equal(values[1], metric.value(rows[0]))


@pytest.mark.parametrize("name", plugins.own_names("metrics"))
def test_every_setting_of_a_metric_is_named_typed_and_has_a_default(name: str) -> None:
    for setting in inspect.signature(plugins.find("metrics", name).metric).parameters.values():
        if setting.kind is setting.KEYWORD_ONLY:
            assert setting.annotation is not setting.empty, setting
            usual = metrics.canonical(
                parse(f"{name}({setting.name}={_said(setting.default)})"), lambda *keys: name
            )
            assert usual == name


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("name", plugins.own_names("families"))
def test_every_family_is_named_as_its_file_and_leaves_no_name_without_a_role(name: str) -> None:
    family = families.find(name)
    assert family.name == name
    assert families.role(family, "nobody.knows.this.weight") == "other"


@pytest.mark.parametrize("name", plugins.own_names("data"))
def test_every_data_source_takes_what_is_given_to_it(name: str) -> None:
    module = plugins.find("data", name)
    for function, positional in {"splits": 1, "rows": 2, "pin": 2}.items():
        parameters = [*inspect.signature(getattr(module, function)).parameters.values()]
        assert [one.name for one in parameters if one.kind is one.KEYWORD_ONLY] == ["offline"]
        assert sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in parameters) == positional


@pytest.mark.parametrize("name", plugins.own_names("exports"))
def test_every_export_says_what_its_place_is(name: str) -> None:
    module = plugins.find("exports", name)
    assert module.PLACE in get_args(Place)
    assert isinstance(module.PAGES, bool)
    assert [*inspect.signature(module.export).parameters] == ["folder", "place"]
