"""An adapter's record says how it was asked in training, and any other prompt or chat template is found out."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.checkpoints.asked_with import asked_with, difference, record, recorded
from harness.checkpoints.chat import StoredTemplate
from harness.checkpoints.folder import ADAPTER_RECORD
from harness.errors import AdapterError
from harness.types import Source, Task

TASK = Task(name="t", source=Source(uri="file:x"), prompt="$input", metrics=("exact",), primary="exact")
CHAT = StoredTemplate(text="[user]\n{{ messages[0].content }}", tokens={})
OTHER = replace(CHAT, text="<user>{{ messages[0].content }}")
PROMPT = "trained on another prompt than it is asked with"
TEMPLATE = "trained with another chat template than it is asked with"
BASE = {"base": "zoo:llama2-tiny", "digest": "0a1b"}


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    (tmp_path / ADAPTER_RECORD).write_text(json.dumps(BASE))
    return tmp_path


@pytest.mark.parametrize(
    ("trained", "asked", "expected"),
    [
        ((TASK, None), (TASK, None), None),
        ((TASK, CHAT), (replace(TASK, name="u", metrics=("f1",), shots=2), CHAT), None),
        ((TASK, CHAT), (TASK, replace(CHAT, text=CHAT.text.replace("\n", "\r\n"), tokens={"bos_token": "x"})), None),
        ((TASK, None), (replace(TASK, prompt="Q: $input"), None), PROMPT),
        ((TASK, None), (replace(TASK, system="Be brief."), None), PROMPT),
        ((TASK, CHAT), (TASK, OTHER), TEMPLATE),
        ((TASK, CHAT), (replace(TASK, prompt="Q: $input"), OTHER), f"{PROMPT} and {TEMPLATE}"),
        ((TASK, CHAT), (TASK, None), "trained with a chat template and asked without one"),
        ((TASK, None), (TASK, CHAT), "trained without a chat template and asked with one"),
        ((TASK, None, "nf4"), (TASK, None, "nf4"), None),
        ((TASK, None, "nf4"), (TASK, None), "trained on a base in nf4 and asked on one that is not quantised"),
        ((TASK, None), (TASK, None, "int8"), "trained on a base that is not quantised and asked on one in int8"),
    ],
)  # fmt: skip
def test_another_prompt_or_template_is_found_out(
    adapter: Path,
    trained: tuple[Any, ...],
    asked: tuple[Any, ...],
    expected: str | None,
) -> None:
    record(adapter, asked_with(*trained))
    assert difference(adapter, asked_with(*asked)) == expected
    found = json.loads((adapter / ADAPTER_RECORD).read_text())
    assert BASE.items() <= found.items()


def test_of_an_adapter_without_a_record_nothing_is_said(adapter: Path) -> None:
    assert recorded(adapter) is None  # trained by an older harness
    assert difference(adapter, asked_with(TASK, CHAT)) is None
    (adapter / ADAPTER_RECORD).unlink()
    assert difference(adapter, asked_with(TASK, CHAT)) is None  # other people's


def test_a_record_of_another_form_is_refused(adapter: Path) -> None:
    (adapter / ADAPTER_RECORD).write_text(json.dumps({**BASE, "prompt": 7}))
    with pytest.raises(
        AdapterError, match=r"harness\.json: prompt, chat_template and quantization must be text"
    ):
        recorded(adapter)
