"""A GGUF file to a checkpoint in the hub's layout: dequantised by transformers to float32, written once."""

import gc
import shutil
import tempfile
from contextlib import redirect_stderr
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig
from transformers.utils import logging

from harness.checkpoints import folder as checkpoint
from harness.checkpoints import gguf
from harness.errors import ModelError
from harness.files.json_lines import write_json, writing
from harness.files.regular import file_digest
from harness.neural.foreign import readable_errors
from harness.neural.reading import without_warnings


def dequantise(path: Path, target: Path, digest: str | None = None) -> Path:
    """Write the file's model into the folder `target`, unless it is there; return the folder.

    The folder appears whole, by one rename: whoever is killed leaves nothing, and of two that write one wins. transformers'
    `save_pretrained` refuses a model that was read from GGUF, so its tensors are written one by one.
    """
    if (target / checkpoint.CONFIG).is_file():
        return target
    found = file_digest(path)
    if digest is not None and found != digest:
        raise ModelError(f"{path}: is another file than when the plan was made; run the same command again")
    file = gguf.read(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with writing(target), tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as place:
        fresh = Path(place) / "model"
        fresh.mkdir()
        with (
            readable_errors(str(path), "fetch the file again"),
            without_warnings(),
            redirect_stderr(StringIO()),  # a bar of progress that no setting turns off
        ):
            _write(path, file, fresh)
        write_json(fresh / gguf.RECORD, {"file": path.name, "sha256": found, **asdict(file)})
        if file.licence:
            (fresh / "README.md").write_text(f"---\nlicense: {file.licence}\n---\n", encoding="utf-8")
        _publish(fresh, target)
    return target


def _write(path: Path, file: gguf.File, folder: Path) -> None:
    kind: Any = AutoModelForSeq2SeqLM if file.model_type in gguf.ENCODER_DECODERS else AutoModelForCausalLM
    where = {
        "pretrained_model_name_or_path": str(path.parent),
        "gguf_file": path.name,
        "local_files_only": True,
    }
    model = kind.from_pretrained(**where, dtype=torch.float32)
    tied = set(model.all_tied_weights_keys) if model.config.tie_word_embeddings else set()
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name not in tied}
    config = model.config.to_dict()
    config.pop("quantization_config", None)
    type(model.config).from_dict(
        config | {"dtype": "float32", "architectures": [type(model).__name__]}
    ).save_pretrained(folder)
    save_file(tensors, folder / checkpoint.SINGLE, metadata={"format": "pt"})
    tokenizer = AutoTokenizer.from_pretrained(**where)
    tokenizer.save_pretrained(folder)
    if not (folder / "generation_config.json").exists():
        GenerationConfig.from_model_config(model.config).save_pretrained(folder)
    del model, tensors
    gc.collect()


def _publish(fresh: Path, target: Path) -> None:
    try:
        fresh.rename(target)
    except OSError:
        if not (target / checkpoint.CONFIG).is_file():  # not another process's whole folder
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
