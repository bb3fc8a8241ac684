"""System texts and wordings by family: in the prompts and ids of the models that they are for, and of no others."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.files.shipped import zoo_folder
from harness.plan.plan import plan
from harness.tasks.prompts import render
from harness.types import Model, ModelPin, Sample, Wording
from tests.cli.words import harness
from tests.plan.test_ids import PINS, SUITE

T5 = Model(name="t5", uri="zoo:flan-t5-tiny")
TASK = SUITE.tasks[0]
PINNED = replace(PINS, models={**PINS.models, "t5": replace(PINS.models["tiny"], family="t5")})
BOTH = replace(SUITE, models=(*SUITE.models, T5))


def ids(wording: dict[str, Wording], system: str = "") -> dict[str, set[str]]:
    task = replace(TASK, by_family=wording, system=system)
    steps = plan(replace(BOTH, tasks=(task,)), PINNED).steps
    return {
        model.name: {
            step.id for step in steps if step.lane == model.name and step.kind in ("train", "generate")
        }
        for model in BOTH.models
    }


def test_a_wording_moves_the_steps_of_its_family_alone() -> None:
    plain = ids({})
    own = ids({"t5": Wording(prompt="summarize: $input")})
    assert own["tiny"] == plain["tiny"] and own["copy"] == plain["copy"]
    assert own["t5"].isdisjoint(plain["t5"]) and own["t5"]
    assert ids({"t5": Wording(prompt=TASK.prompt)}) == plain  # the same words are the same question
    told = ids({"t5": Wording(system="")}, system="Be brief.")
    assert told["t5"] == plain["t5"]
    assert told["tiny"].isdisjoint(plain["tiny"])


def test_a_family_without_a_wording_is_asked_the_tasks_own() -> None:
    task = replace(TASK, system="Be brief.", by_family={"t5": Wording(prompt="summarize: $input")})
    sample = Sample(id="1", input="x", references=("y",))
    assert render(task.for_family("t5"), sample).text == "Be brief.\n\nsummarize: x"
    for family in ("llama", None):
        assert render(task.for_family(family), sample).text == "Be brief.\n\nSum up.\n\nx\n\nSummary:"


SUITE_FILE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{input: dialogue, reference: summary}}}}
    prompt: "Sum up: $input"
    {keys}
    metrics: [exact]
    primary: exact
models: [{{name: tiny, uri: "{uri}"}}]
weights: false
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    (tmp_path / "data").mkdir()
    row = {"dialogue": "hello there", "summary": "a greeting", "tone": "dry"}
    (tmp_path / "data" / "test.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def suite(folder: Path, keys: str, uri: str = "echo:copy") -> str:
    (folder / "small.yaml").write_text(SUITE_FILE.format(keys=keys, uri=uri))
    return str(folder / "small.yaml")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("by_family: {meditrom: {prompt: $input}}", "small.yaml:6: tasks[0].by_family.meditrom: no family named 'meditrom'"),
        ("by_family: {t5: {}}", "by_family.t5: found neither prompt nor system; give one, or leave it out"),
        ("by_family: {t5: {prompt: hello}}", "small.yaml:6: tasks[0].by_family.t5.prompt: $input occurs 0 times"),
        ("by_family: {t5: {prompt: '$input $tune'}}", "no column named 'tune'; did you mean 'tone'"),
        ("by_family: {t5: {promt: $input}}", "no key named 'promt'; did you mean 'prompt'"),
        ("kind: perplexity\n    system: x", "system: a text is read as it is, with nothing before it"),
    ],
)  # fmt: skip
def test_a_wording_that_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], keys: str, message: str
) -> None:
    path = suite(here, keys)
    if "perplexity" in keys:
        text = (here / "small.yaml").read_text().replace(", reference: summary", "")
        text = text.replace("[exact]", "[perplexity]").replace("primary: exact", "primary: bits_per_byte")
        (here / "small.yaml").write_text(text.replace("Sum up: $input", "$input"))
    done = harness(capsys, "check", path, "--device", "cpu")
    assert done.code == 2
    assert message in " ".join(done.err.split())


@pytest.mark.slow
def test_a_result_holds_what_models_were_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = suite(here, 'system: "Be brief."\n    by_family: {t5: {prompt: "summarize: $input"}}')
    done = harness(capsys, "run", path, "--workers", "0", "--device", "cpu", "--out", "R")
    assert done.code == 0, done.err
    (task,) = json.loads((here / "R" / "result.json").read_text())["suite"]["tasks"]
    assert (task["system"], task["by_family"]) == ("Be brief.", {"t5": {"prompt": "summarize: $input"}})
    page = (here / "R" / "report.html").read_text()
    assert "Be brief." in page and "summarize: $input" in page
    shown = harness(capsys, "verify", "R")
    assert shown.code == 0, shown.err


TEMPLATES = {
    "shows": "{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}",
    "leaves out": "{% for message in messages if message.role != 'system' %}{{ message.content }}{% endfor %}",
    "refuses": "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}{{ messages[0].content }}",
}


@pytest.mark.slow
@pytest.mark.parametrize("how", TEMPLATES)
def test_check_says_where_a_template_has_no_system_role(
    here: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    shutil.copytree(zoo_folder("llama2-tiny"), here / "model")
    (here / "model" / "chat_template.jinja").write_text(TEMPLATES[how])
    said = {}
    for keys in ("", 'system: "Be brief."'):
        done = harness(capsys, "check", suite(here, keys, "file:model"), "--device", "cpu")
        assert done.code == 0, done.err
        said[keys] = "its chat template has no system role: the system text of chats stands" in " ".join(
            done.out.split()
        )
    assert said == {"": False, 'system: "Be brief."': how != "shows"}


def test_a_pin_of_no_family_is_asked_the_tasks_own() -> None:
    pin = ModelPin(revision="x", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    assert replace(TASK, by_family={"t5": Wording(system="x")}).for_family(pin.family) == TASK
