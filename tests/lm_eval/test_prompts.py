"""Prompts, choices and targets are lm-evaluation-harness's own, byte by byte: `make_expected.py` wrote them with it."""

import json
from functools import cache
from pathlib import Path

import pytest

from harness import data, kinds
from harness.files.shipped import zoo_folder, zoo_names
from harness.neural.load import Base
from harness.suite.load import load_suite
from harness.types import Model, ModelPin, Prompt, Runtime, Sample, Task
from tools.real_models import NotFetched, fetch

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
CASES = {case["file"]: case for case in EXPECTED["cases"]}


def test_the_expected_prompts_are_of_the_version_that_is_named_and_of_many_groups():
    from harness.lm_eval import VERSION

    assert EXPECTED["lm_eval"] == VERSION
    assert len(CASES) >= 30
    assert len({file.partition("/")[0] for file in CASES}) >= 10
    assert (HERE / "tasks" / "LICENSE.md").is_file()


def loaded(case: dict, folder: Path, shots: int) -> Task:
    """Our task of a case, whose made-up documents are written into a folder."""
    for name, text in case["data"].items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "overlay.yaml").write_text(
        case["overlay"].replace("TASKS", str(HERE / "tasks")), encoding="utf-8"
    )
    file = {"lm_eval": str(folder / "overlay.yaml"), "shots": shots, "trust_code": True}
    suite = load_suite({"name": "x", "tasks": [file], "models": [{"name": "m", "uri": "zoo:llama2-tiny"}]})
    return suite.tasks[0]


def prompts(task: Task) -> list[tuple[Sample, Prompt]]:
    ask = kinds.find(task.kind).ask
    return [(sample, ask(task, sample, ())) for sample in data.read(task.source, "test")]


@pytest.mark.parametrize("shots", [0, 3])
@pytest.mark.parametrize("file", CASES)
def test_what_is_asked_is_byte_by_byte_what_lm_evaluation_harness_asks(file: str, shots: int, tmp_path: Path):
    case = CASES[file]
    task = loaded(case, tmp_path, shots)
    found = prompts(task)
    wanted = case["asked"][str(shots)]
    assert len(found) == len(wanted)
    for (sample, prompt), theirs in zip(found, wanted, strict=True):
        if task.kind == "perplexity":
            assert prompt.options == (theirs["prompt"],)
            continue
        if task.kind == "choice":
            whole = [prompt.text + option for option in prompt.options]
            assert whole == [theirs["prompt"] + each for each in theirs["continuations"]]
            assert prompt.text == theirs["prompt"].rstrip()
            assert sample.choices.index(sample.references[0]) == theirs["target"]
        else:
            assert prompt.text == theirs["prompt"]
            assert list(sample.references) == [each.strip() for each in theirs["target"]]


SUMS = EXPECTED["likelihoods"]["sums"]
MODELS = ["llama2-tiny", pytest.param("smollm2", marks=pytest.mark.real)]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("file", SUMS["llama2-tiny"])
def test_log_likelihoods_are_those_of_its_model_hf(name: str, file: str, tmp_path: Path):
    from harness.neural.likelihoods import likelihoods
    from harness.neural.memory import Budget

    task = loaded(CASES[file], tmp_path, EXPECTED["likelihoods"]["shots"])
    asked = [prompt for _, prompt in prompts(task)]
    found = {each.sample_id: each for each in likelihoods(base(name), asked, task.overflow, Budget(4096))}
    for prompt, theirs in zip(asked, SUMS[name][file], strict=True):
        ours = [option.logprob for option in found[prompt.sample_id].options]
        # both sum float32 log-probabilities of the same tokens, in other batches and maybe on another processor,
        # whose kernels add in another order (2e-6 of the sum was seen); one token more or less changes a hundredth of it
        assert ours == pytest.approx(theirs, rel=1e-5)


@cache
def base(name: str) -> Base:
    """A model whose log-likelihoods are expected: a tiny one, or a real one without its chat template."""
    from harness.neural.load import load

    if name in zoo_names():
        folder = zoo_folder(name)
    else:
        try:
            folder = fetch(name)
        except NotFetched as error:
            pytest.skip(str(error))
    pin = ModelPin(revision="x", parameters=None, checkpoint_bytes=None, dtype="float32", family="llama")
    return load(folder, Model(name=name, uri=f"file:{folder}", chat="off"), pin, Runtime())
