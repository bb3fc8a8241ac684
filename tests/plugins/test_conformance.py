"""What every plug-in of a group promises, asked of each one that comes with the harness."""

import inspect
from typing import get_args

import numpy as np
import pytest

from harness import families, kinds, metrics, plugins
from harness.backends import open_backend
from harness.exports import Place
from harness.plugins.choice import parse
from harness.types import Generation, Model, ModelPin, Runtime, Sample, Source, Task

TRAINING = [Sample(id=f"t{n}", input=f"in {n}", references=(f"out {n}", "other")) for n in range(5)]
TASK = Task(
    name="t", source=Source(uri="file:x"), prompt="Say $input now", metrics=("exact",), primary="exact"
)
SAMPLE = Sample(id="1", input="the question", references=("its answer", "another"), choices=("a", "b"))


@pytest.mark.parametrize("name", plugins.own_names("kinds"))
def test_every_kind_asks_without_telling_and_teaches_an_answer(name: str) -> None:
    kind = kinds.find(name)
    prompt = kind.ask(TASK, SAMPLE, ())
    assert prompt == kind.ask(TASK, SAMPLE, ())
    assert prompt.sample_id == SAMPLE.id
    assert SAMPLE.input in prompt.text
    assert not any(reference in prompt.text for reference in SAMPLE.references)
    assert kind.target(SAMPLE) in SAMPLE.references
    assert kind.expected(SAMPLE).strip()
    shots = kind.choose_shots(TRAINING, 2)
    assert shots == kind.choose_shots(TRAINING, 2)
    assert len(shots) == 2
    assert all(kind.target(shot) in kind.ask(TASK, SAMPLE, shots).text for shot in shots)
    kind.check(TASK, lambda *keys: ".".join(map(str, keys)))


@pytest.mark.parametrize(
    "name", [name for name in plugins.own_names("kinds") if kinds.find(name).verb == "write"]
)
def test_every_kind_that_writes_answers_each_prompt_once_and_none_again(name: str) -> None:
    kind, model = kinds.find(name), Model(name="m", uri="echo:copy")
    pin = ModelPin(revision="0", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    backend = open_backend(model, pin, Runtime())
    prompts = [kind.ask(TASK, sample, ()) for sample in TRAINING]
    answers = [*kind.answer(backend, prompts, TASK, None, frozenset())]
    assert sorted(answer.sample_id for answer in answers) == [sample.id for sample in TRAINING]
    rest = [*kind.answer(backend, prompts, TASK, None, {"t0", "t3"})]
    assert {answer.sample_id for answer in rest} == {"t1", "t2", "t4"}
    assert not any(oddity.holds(answer) for answer in answers for oddity in kind.odd.values())


COUNTED = [
    name for name in plugins.own_names("metrics") if not hasattr(plugins.find("metrics", name), "score_names")
]


@pytest.mark.parametrize("name", COUNTED)
def test_every_metric_is_a_function_of_sums_of_rows_of_one_length(name: str) -> None:
    metric = metrics.load(name)
    assert metric.row is not None
    assert metric.value is not None
    texts = ["the cat sat on the mat", "", "§ 1"]
    rows = np.array([metric.row(SAMPLE, Generation(sample_id="1", text=text)) for text in texts])
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
