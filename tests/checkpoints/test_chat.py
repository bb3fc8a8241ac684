"""A chat template is found in a checkpoint's files as transformers finds it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from harness.checkpoints.chat import FILE, SETTINGS, stored_template

SEVERAL = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]


@pytest.mark.parametrize(
    ("config", "file", "expected"),
    [
        (None, None, None),
        ("from {{ bos_token }}", None, "from {{ bos_token }}"),
        (None, "file", "file"),
        ("config", "file", "file"),
        (SEVERAL, None, "plain"),
    ],
)
def test_the_template_is_that_of_transformers(
    tmp_path: Path, config: Any, file: str | None, expected: Any
) -> None:
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **tokens).save_pretrained(tmp_path)
    (tmp_path / FILE).unlink(missing_ok=True)
    settings = json.loads((tmp_path / SETTINGS).read_text())
    if config is not None:
        (tmp_path / SETTINGS).write_text(json.dumps({**settings, "chat_template": config}))
    if file is not None:
        (tmp_path / FILE).write_text(file)
    found, theirs = stored_template(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert (found and found.text) == expected
    assert (theirs.get_chat_template() if theirs.chat_template else None) == expected
    if found:
        assert found.tokens == {key: theirs.special_tokens_map[key] for key in found.tokens}
        assert found.tokens.items() >= tokens.items()


def test_a_folder_without_readable_files_has_none(tmp_path: Path) -> None:
    assert stored_template(tmp_path / "missing") is None
    (tmp_path / SETTINGS).write_text("{broken")
    assert stored_template(tmp_path) is None
    (tmp_path / SETTINGS).write_text(json.dumps({"chat_template": SEVERAL[:1]}))
    assert stored_template(tmp_path) is None
