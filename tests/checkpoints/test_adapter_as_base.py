"""An adapter that is named as a model is refused: training needs a base, which is also the reference."""

from pathlib import Path

import pytest

from harness.checkpoints import folder
from harness.errors import ModelError


def test_an_adapter_is_no_base(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(ModelError, match="an adapter, and no base; name its base as the model"):
        folder.config(tmp_path / folder.CONFIG)
