"""What every plug-in of a group promises, asked of each one that comes with the harness."""

import inspect
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from harness import families, imports, kinds, metrics, plugins
from harness.backends import Verb, open_backend
from harness.errors import HarnessError
from harness.exports import Place
from harness.imports import ImportOptions
from harness.plugins.choice import parse
from harness.types import JUDGED, Generation, Model, ModelPin, Option, Runtime, Sample, Source, Task

NUMBERS = {"regress": "1234567"}  # the one reference of the kinds whose references are numbers
TEXTS = ("perplexity",)  # kinds without a prompt or a reference


def task_of(kind: str) -> Task:
    labels = () if kind in NUMBERS else ("out 0", "out 1", "out 2", "out 3", "out 4", "the first")
    source = Source(uri="file:x", labels=labels)
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
# What metrics that compare no texts find in a reference and in answers
WANTED = {
    **dict.fromkeys(("extract", "mse", "pearson", "spearman"), "12"),
    "ast": "f(1)",
    "ast_errors": "f(1)",
}
READ = ("perplexity",)  # metrics of texts that are read
# The settings with which a metric needs no data that has to be downloaded
WITHOUT_DATA = {"meteor": "meteor(split=none,synonyms=false)"}


def rows_of(name: str) -> NDArray[np.float64]:
    row = metrics.load(WITHOUT_DATA.get(name, name)).row
    assert row is not None
    wanted = WANTED.get(name, "the first")
    sample = sample_of("generate", "1", "the question", wanted)
    texts = ("", "") if name in READ else ("the cat sat on the mat", "", "§ 1", wanted)
    answers = [
        Generation(sample_id="1", text=text, logprob=-3.0 - place if name in READ else None, output_tokens=4)
        for place, text in enumerate(texts)
    ]
    if name not in READ:
        # The metrics of options find the same in answers that were chosen; the others read their texts alone.
        options = tuple(Option(text=text, logprob=-len(text), tokens=2, bytes=9) for text in (wanted, "§ 1"))
        answers.append(Generation(sample_id="1", text=wanted, options=options))
    if name in ("judge", "theirs"):  # they read no text
        answers = [
            replace(answer, given={JUDGED if name == "judge" else "score": float(place)})
            for place, answer in enumerate(answers)
        ]
    return np.array([row(sample, answer) for answer in answers], dtype=np.float64)


@pytest.mark.parametrize("name", COUNTED)
def test_every_metric_is_a_function_of_sums_or_of_all_rows_of_one_length(name: str) -> None:
    metric, rows = metrics.load(name), rows_of(name)
    assert np.isfinite(rows).all()
    assert (metric.value is None) != (metric.statistic is None)
    if metric.value is not None:
        values = metric.value(np.stack([rows.sum(axis=0), rows[0]]))  # many totals at once
        assert np.array_equal(values[1], metric.value(rows[0]))
    else:
        assert metric.statistic is not None
        values = metric.statistic(np.stack([rows, rows[::-1]]))  # many tables at once, in whatever order
        np.testing.assert_allclose(values[0], values[1], rtol=1e-12, atol=1e-12)
        assert metric.statistic(rows[:, None]).shape == (len(rows), len(metric.names))  # each row by itself
    assert values.shape == (2, len(metric.names))
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", [name for name in COUNTED if metrics.load(name).weighted is not None])
def test_every_statistic_by_counts_is_that_of_the_gathered_rows(name: str) -> None:
    metric, random = metrics.load(name), np.random.default_rng(0)
    assert metric.weighted is not None and metric.statistic is not None
    rows = np.concatenate([rows_of(name), random.integers(0, 2, size=(7, rows_of(name).shape[1]))])
    drawn = random.integers(0, 4, size=(len(rows), 40))
    drawn[:, 0] = 0
    drawn[0, 0] = 3  # one row alone
    found = metric.weighted(rows, drawn.astype(np.float64))
    expected = [metric.statistic(np.repeat(rows, counts, axis=0)) for counts in drawn.T]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


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
    if value is None:
        return "null"
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


@pytest.mark.parametrize("name", plugins.own_names("imports"))
def test_every_format_takes_known_options_and_refuses_what_is_not_there(name: str, tmp_path: Path) -> None:
    module = plugins.find("imports", name)
    assert set(module.OPTIONS) <= {field.name for field in fields(ImportOptions)}
    assert [*inspect.signature(module.read).parameters] == ["place", "options"]
    said = ImportOptions(id="x", text="x", reference="x") if module.OPTIONS else ImportOptions()
    for place in (tmp_path / "not-there", tmp_path):
        with pytest.raises(HarnessError) as refused:
            imports.read(name, place, said)
        assert str(place) in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", plugins.own_names("exports"))
def test_every_export_says_what_its_place_is(name: str) -> None:
    module = plugins.find("exports", name)
    assert module.PLACE in get_args(Place)
    assert isinstance(module.PAGES, bool)
    assert [*inspect.signature(module.export).parameters] == ["folder", "place"]
