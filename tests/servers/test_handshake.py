"""A server is believed only what it shows: each fault is found, and the rest stays usable."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing

from harness import backends
from harness.backends import http
from harness.checkpoints.remembered import Remembered
from harness.errors import AdapterError, ModelError
from harness.servers import pauses
from harness.types import Adapter, Model, ModelPin, ServerSettings
from tests.servers.stub import Stub, error, serving

ALL = {"name", "repeats", "writes", "stop strings", "samples", "log-probabilities", "lists of prompts"}


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pauses, "FIRST", 0.01)
    yield


def shown(stub: Stub, chat: Any = "auto", **settings: Any) -> tuple[Model, ModelPin]:
    with serving(stub) as base:
        settings = {"retries": 2, **settings}
        model = Model(name="m", uri=f"{base}#base", chat=chat, server=ServerSettings(**settings))
        return model, http.pin(model, "cpu", Remembered(), False)


def missing(pin: ModelPin) -> set[str]:
    return {proof.name for proof in pin.handshake.proofs if not proof.proved}


FAULTS = [
    (Stub(), set()),
    (Stub(any_name=True), {"name"}),
    (Stub(varies=True), {"repeats", "stop strings"}),
    (Stub(stops="leave"), {"stop strings"}),
    (Stub(stops="ignore"), {"stop strings"}),
    (Stub(samples=False), {"samples"}),
    (Stub(silent=True), {"writes", "stop strings", "samples"}),
    (Stub(cuts=True), {"writes"}),
    (Stub(lists=False), {"lists of prompts"}),
    *(
        (Stub(echo=fault), {"log-probabilities"})
        for fault in ("dropped", "short", "positive", "equal", "misspelt")
    ),
    (Stub(usage=False), {"log-probabilities"}),
    (Stub(chat=True), {"log-probabilities", "lists of prompts"}),
]


@pytest.mark.parametrize(("stub", "unproved"), FAULTS, ids=range(len(FAULTS)))
def test_each_fault_is_found_and_the_rest_is_proved(stub: Stub, unproved: set[str]) -> None:
    model, pin = shown(stub)
    assert {proof.name for proof in pin.handshake.proofs} == ALL
    assert missing(pin) == unproved
    writes = backends.lacks(model, pin, "write")
    assert (writes is None) == unproved.isdisjoint({"name", "writes"})
    chooses = backends.lacks(model, pin, "likelihoods")
    assert (chooses is None) == unproved.isdisjoint({"name", "log-probabilities"})
    for reason in filter(None, (writes, chooses)):
        assert reason.startswith(f"{model.uri} did not prove ")
    assert (backends.lacks_sampling(model, pin) is None) == ("samples" not in unproved)
    lines = list(http.describe(model, pin))
    assert [line for line in lines if ": not proved: " in line] == [
        line for line in lines if line.partition(":")[0] in unproved
    ]


def test_each_way_of_answering_has_a_pin_of_its_own_and_the_same_way_the_same() -> None:
    again = [shown(stub)[1].revision for stub, _ in FAULTS]
    assert len(set(again)) == len({frozenset(unproved) for _, unproved in FAULTS})
    assert shown(Stub())[1].revision == shown(Stub())[1].revision
    assert shown(Stub(varies=True))[1].revision == shown(Stub(varies=True))[1].revision
    other = Stub(models={"base": "other", "tuned": "+"})
    assert shown(other)[1].revision != shown(Stub())[1].revision


def test_a_chat_is_used_where_there_is_one_unless_the_suite_says_otherwise() -> None:
    assert shown(Stub(chat=True))[1].handshake.chat
    assert not shown(Stub(chat=True), chat="off")[1].handshake.chat
    assert not shown(Stub())[1].handshake.chat
    assert shown(Stub(chat=True, completions=False))[1].handshake.chat
    with pytest.raises(ModelError, match=r"#base: HTTP 404: Not Found"):
        shown(Stub(), chat="on")
    with pytest.raises(ModelError, match=r"#base: HTTP 404: Not Found"):
        shown(Stub(chat=True, completions=False), chat="off")


def test_a_model_that_is_not_served_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"#base: HTTP 404: The model `base` does not exist\."):
        shown(Stub(models={"other": ""}))


def word_tokenizer(folder: Path) -> str:
    """Write a tokenizer that counts as the stub does: words, and BOS before them."""
    words = Tokenizer(WordLevel({"?": 0, "<s>": 1}, unk_token="?"))
    words.pre_tokenizer = WhitespaceSplit()
    words.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    words.save(str(folder / "tokenizer.json"))
    return f"file:{folder}"


def test_token_counts_are_compared_with_a_tokenizer(tmp_path: Path) -> None:
    words = word_tokenizer(tmp_path)
    model, pin = shown(Stub(), tokenizer=words)
    assert pin.handshake.proved("token counts")
    model, pin = shown(Stub(bos=False), tokenizer=words)
    assert pin.handshake.proof("token counts").detail.endswith(
        "leaves out the tokens around a text, such as BOS"
    )
    assert "token counts" in backends.lacks(model, pin, "likelihoods")
    assert backends.lacks(model, pin, "write") is None


@pytest.mark.slow
def test_our_tokenizer_counts_as_transformers_does() -> None:
    from transformers import AutoTokenizer

    from harness.files.shipped import zoo_folder
    from harness.servers.counting import counter
    from harness.servers.handshake import COUNTED

    count = counter("zoo:llama2-tiny", "here", offline=True)
    theirs = AutoTokenizer.from_pretrained(zoo_folder("llama2-tiny"))
    for text in COUNTED:
        assert count(text) == (
            len(theirs(text).input_ids),
            len(theirs(text, add_special_tokens=False).input_ids),
        )


def test_a_moment_of_trouble_does_not_change_what_is_seen() -> None:
    trouble = Stub(fault=lambda number, body: error(429, "slow") if number % 5 == 1 else None)
    assert shown(trouble)[1].revision == shown(Stub())[1].revision


def test_offline_the_last_handshake_counts_and_says_so() -> None:
    remembered = Remembered()
    with serving(Stub()) as base:
        model = Model(name="m", uri=f"{base}#base")
        unknown = http.pin(model, "cpu", remembered, True)
        pin = http.pin(model, "cpu", remembered, False)
    assert unknown.handshake is None
    assert len(list(http.describe(model, unknown))) == 1
    later = http.pin(model, "cpu", remembered, True)
    assert later.revision == pin.revision != unknown.revision
    assert "was not asked (--offline)" in next(http.describe(model, later))


def pinned_adapter(stub: Stub, name: str) -> str:
    with serving(stub) as base:
        model = Model(name="m", uri=f"{base}#base")
        pin = http.pin(model, "cpu", Remembered(), False)
        adapter = Adapter(name="a", base="m", uri=f"{base}#{name}")
        return http.pin_adapter(adapter, model, pin, Remembered(), False)


def test_an_adapter_must_answer_otherwise_than_its_base() -> None:
    models = {"base": "", "tuned": "+", "twin": ""}
    assert pinned_adapter(Stub(models=models), "tuned") == pinned_adapter(Stub(models=models), "tuned")
    with pytest.raises(AdapterError, match="#twin: answers 3 prompts as its base base does"):
        pinned_adapter(Stub(models=models), "twin")
    with pytest.raises(AdapterError, match="#absent: HTTP 404"):
        pinned_adapter(Stub(models=models), "absent")
