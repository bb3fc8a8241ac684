"""Before anything runs, `check` and `plan` say whose prompts do not fit, and refuse answers that cannot fit."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from harness.commands.check import check_named
from harness.errors import SuiteError
from harness.plan import fits
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.suite.load import load_suite
from harness.types import Model, ModelPin, Pins, Source, Suite, Task

SUITE = """
tasks:
  - {{name: t, source: {{uri: 'file:data'}}, prompt: '$input so', metrics: [exact], primary: exact, shots: {shots},
     overflow: {overflow}, decode: {{max_new_tokens: {tokens}}}}}
models: [{{name: m, uri: 'file:model', chat: {chat}}}]
weights: false
"""
SHAPES = {
    "wte.weight": (6, 4),
    "wpe.weight": (11, 4),
    "ln_f.weight": (4,),
    "ln_f.bias": (4,),
    **{f"h.0.{name}.{part}": (4,) for name in ("ln_1", "ln_2") for part in ("weight", "bias")},
    "h.0.attn.c_attn.weight": (4, 12),
    "h.0.attn.c_attn.bias": (12,),
    "h.0.attn.c_proj.weight": (4, 4),
    "h.0.attn.c_proj.bias": (4,),
    "h.0.mlp.c_fc.weight": (4, 16),
    "h.0.mlp.c_fc.bias": (16,),
    "h.0.mlp.c_proj.weight": (16, 4),
    "h.0.mlp.c_proj.bias": (4,),
}
TENSORS = {f"transformer.{name}": np.ones(shape, np.float32) for name, shape in SHAPES.items()}
TEMPLATE = "say {{ messages[0].content }} so"


@dataclass(frozen=True)
class Project:
    folder: Path

    def said(self) -> list[str]:
        """What `check` says of prompts."""
        lines = check_named("suite.yaml", offline=True, cache=self.folder / "store" / "digests.json")
        return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines if line.startswith("task t, ")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """A model with a window of 11 tokens, and 20 prompts of so many words; one word is one token."""
    monkeypatch.chdir(tmp_path)

    def made(
        words: int,
        *,
        tokens: int = 6,
        overflow: str = "keep-start",
        shots: int = 0,
        chat: str = "auto",
        long: int = 20,
    ) -> Project:
        for name in ("data", "model"):
            (tmp_path / name).mkdir()
        rows = [{"input": "anna " * (words - 2 + (n < long)) + "ben", "reference": "ben"} for n in range(20)]
        for split in ("train", "test"):
            (tmp_path / "data" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        vocabulary = {word: at for at, word in enumerate(["<unk>", "</s>", "anna", "ben", "so", "say"])}
        tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.save(str(tmp_path / "model" / "tokenizer.json"))
        said = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "unk_token": "<unk>"}
        said |= {"chat_template": TEMPLATE} if chat == "on" else {}
        (tmp_path / "model" / "tokenizer_config.json").write_text(json.dumps(said))
        config = {
            "model_type": "gpt2",
            "n_positions": 11,
            "n_embd": 4,
            "n_layer": 1,
            "n_head": 1,
            "vocab_size": 6,
            "bos_token_id": 1,
            "eos_token_id": 1,
        }
        (tmp_path / "model" / "config.json").write_text(json.dumps(config))
        save_file(TENSORS, tmp_path / "model" / "model.safetensors")
        text = SUITE.format(shots=shots, overflow=overflow, tokens=tokens, chat=chat)
        (tmp_path / "suite.yaml").write_text(text)
        return Project(tmp_path)

    return made


def test_prompts_that_fill_the_window_are_not_worth_a_word(project: Callable[..., Project]) -> None:
    """Six tokens of a prompt and six new ones, of which the last is never read, fit eleven positions."""
    assert project(words=5, long=20).said() == []


@pytest.mark.slow
def test_prompts_that_do_not_fit_are_counted_by_check_and_plan(project: Callable[..., Project]) -> None:
    made = project(words=6)
    expected = (
        "task t, model m: 20 of 20 prompts (100 %) do not fit its window of 11 tokens with answers of 6 and are "
        "shortened; its scores measure what is left. Lower max_new_tokens, shorten the prompt or choose a model with a "
        "longer window"
    )
    assert made.said() == [expected]
    done = subprocess.run(
        [sys.executable, "-m", "harness", "plan", "suite.yaml", "--offline", "--store", "store"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert expected in done.stdout.replace("\N{NO-BREAK SPACE}", " ")


def test_a_count_is_kept_as_long_as_nothing_moves_it(project: Callable[..., Project]) -> None:
    made = project(words=6, long=3)
    said = made.said()
    assert said[0].startswith("task t, model m: 3 of 20 prompts (15 %)")
    counts = made.folder / "store" / fits.COUNTS
    (name,) = json.loads(counts.read_text())
    counts.write_text(json.dumps({name: {"over": 7, "of": 20, "window": 11}}))
    assert made.said()[0].startswith("task t, model m: 7 of 20")
    for torn in ("{", "[]", json.dumps({name: 7})):
        counts.write_text(torn)
        assert made.said() == said
    suite = made.folder / "suite.yaml"
    suite.write_text(suite.read_text().replace("max_new_tokens: 6", "max_new_tokens: 5"))
    assert made.said() == []


CHOICE = """
tasks:
  - {{name: t, kind: choice, source: {{uri: 'file:data'}}, prompt: '$input so', metrics: [accuracy], primary: accuracy}}
models: [{{name: m, uri: 'file:model'}}]
weights: false
"""


@pytest.mark.parametrize(
    ("words", "option", "over"),
    [(11, "ben", 0), (12, "ben", 20), (9, "ben anna ben", 0), (10, "ben anna ben", 20)],
)
def test_a_prompt_and_its_longest_option_have_to_fit_and_max_new_tokens_says_nothing(
    project: Callable[..., Project], words: int, option: str, over: int
) -> None:
    made = project(words=words)
    rows = [
        {
            "input": "anna " * (words - 1),
            "reference": "ben",
            "choices": ["ben", option.replace("ben", "anna", 1)],
        }
    ] * 20
    for split in ("train", "test"):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (made.folder / "data" / f"{split}.jsonl").write_text(text)
    (made.folder / "suite.yaml").write_text(CHOICE.format())
    found = made.said()
    assert [line.partition(". ")[0] for line in found] == (
        [
            "task t, model m: 20 of 20 prompts (100 %) do not fit its window of 11 tokens with the longest option and are "
            "shortened; its scores measure what is left"
        ]
        if over
        else []
    )


def test_one_in_a_hundred_is_a_footnote(project: Callable[..., Project]) -> None:
    assert project(words=5, long=0).said() == []


def test_refused_prompts_are_said_to_be_refused(project: Callable[..., Project]) -> None:
    (said,) = project(words=6, overflow="refuse", long=19).said()
    assert "19 of 20 prompts (95 %)" in said and "are refused, which counts as an empty answer" in said


def test_prompts_of_which_none_can_be_asked_are_refused(project: Callable[..., Project]) -> None:
    made = project(words=6, overflow="refuse")
    with pytest.raises(
        SuiteError,
        match=r"task t, model m: none of 20.prompts can be asked: they do not fit its window of 11 tokens with answers of 6",
    ):
        made.said()


def test_a_prompt_whose_own_text_is_too_long_is_said_not_to_be_asked(
    project: Callable[..., Project],
) -> None:
    """What stands around the input is never shortened."""
    made = project(words=4)
    suite = made.folder / "suite.yaml"
    suite.write_text(suite.read_text().replace("$input", "$more $input"))
    rows = [{"input": "ben", "reference": "ben", "more": "so " * 8 * (n % 2)} for n in range(20)]
    for split in ("train", "test"):
        path = made.folder / "data" / f"{split}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (said,) = made.said()
    assert said.startswith("task t, model m: 10 of 20 prompts (50 %) do not fit")
    assert "cannot be shortened enough: they are not asked, which counts as an empty answer" in said
    suite.write_text(suite.read_text().replace("$more", "so " * 8))
    with pytest.raises(SuiteError, match=r"none of 20.prompts can be asked"):
        made.said()


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (1000, None),
        (
            9,
            "10 of the first 20 training examples (50 %) do not fit max_tokens: 9: 10 are shortened. Raise it",
        ),
        (2, SuiteError),
    ],
)
def test_training_examples_that_do_not_fit_max_tokens_are_counted_before_anything_is_trained(
    project: Callable[..., Project], most: int, said: str | type[SuiteError] | None
) -> None:
    made = project(words=7, tokens=2, long=10)
    suite = made.folder / "suite.yaml"
    recipe = f"recipes: [{{name: r, steps: 1, max_tokens: {most}, validation_samples: 0}}]\ntrain_on: [t]\n"
    suite.write_text(suite.read_text() + recipe)

    def lines() -> list[str]:
        cache = made.folder / "store" / "digests.json"
        found = [
            line.replace("\N{NO-BREAK SPACE}", " ")
            for line in check_named("suite.yaml", offline=True, cache=cache)
        ]
        return [line for line in found if line.startswith("recipe r, ")]

    if said is SuiteError:
        with pytest.raises(
            SuiteError, match=r"none of the first 20.training examples fits max_tokens: 2; raise it"
        ):
            lines()
    else:
        assert lines() == ([f"recipe r, task t, model m: {said}"] if said else [])


def test_examples_count(project: Callable[..., Project]) -> None:
    (said,) = project(words=2, shots=1).said()
    assert said.startswith("task t, model m (1-shot): 20 of 20 prompts (100 %)")


def test_a_chat_template_counts(project: Callable[..., Project]) -> None:
    (said,) = project(words=5, chat="on").said()
    assert said.startswith("task t, model m: 20 of 20 prompts (100 %)")


@pytest.mark.slow
def test_answers_longer_than_the_window_are_refused_by_check_plan_and_run(
    project: Callable[..., Project],
) -> None:
    project(words=2, tokens=12)
    said = (
        "task t: decode.max_new_tokens: model m: answers of 12 tokens leave no room for a prompt in its window of 11 "
        "tokens; lower max_new_tokens or choose a model with a longer window"
    )
    with pytest.raises(SuiteError) as refused:
        list(check_named("suite.yaml", offline=True, cache=Path("store") / "digests.json"))
    assert str(refused.value) == said
    for command in ("plan", "run"):
        done = subprocess.run(
            [sys.executable, "-m", "harness", command, "suite.yaml", "--offline", "--store", "store"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (2, f"error: {said}\n")


def test_a_tokenizer_that_is_broken_leaves_it_open(project: Callable[..., Project]) -> None:
    made = project(words=6)
    drawn_up = load_suite("suite.yaml")
    found = pins(drawn_up, offline=True, cache=made.folder / "digests.json")
    (made.folder / "model" / "tokenizer.json").write_text("{}")  # broken after the files were looked at
    (said,) = fits.lines(plan(drawn_up, found), cache=made.folder / "c.json", offline=True)
    assert said.startswith("task t, model m: whether its prompts fit is not known: ")


def test_a_model_that_is_not_here_yet_is_known_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    task = Task(
        name="t",
        source=Source(uri="embedded:dialogues"),
        prompt="$input",
        metrics=("exact",),
        primary="exact",
    )
    pin = ModelPin(revision="0" * 40, parameters=1, checkpoint_bytes=4, dtype="float32", family=None)
    drawn = plan(
        Suite(name="s", tasks=(task,), models=(Model(name="far", uri="hub:some/one"), Model(name="e", uri="echo:copy"))),
        Pins(
            device="cpu", models={"far": pin, "e": pin}, sources={"t": "d"}, adapters={}, libraries={}, test_samples={"t": 5}
        ),
    )  # fmt: skip
    fits.refuse(drawn)
    assert list(fits.lines(drawn, cache=tmp_path / "c.json")) == [
        "task t, model far: whether its prompts fit is known once the model is downloaded"
    ]
