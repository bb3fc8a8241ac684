"""A checkpoint's configuration and tokenizer, as transformers reads them, or an error that says why it cannot."""

from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from harness.checkpoints import askable
from harness.checkpoints import folder as checkpoint
from harness.errors import ModelError
from harness.neural.foreign import readable_errors


def read_config(folder: Path, where: str, *, trust: bool) -> Any:
    """Return transformers' configuration; ModelError where transformers does not know the kind of model."""
    path = folder / checkpoint.CONFIG
    kind, own = checkpoint.model_type(path), checkpoint.config(path).get("auto_map")
    if kind not in CONFIG_MAPPING and not (trust and own):
        raise ModelError(f"{where}/{path.name}: {_unknown(kind, own)}")
    with readable_errors(f"{where}/{path.name}", "correct it, or fetch it again"):
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)


def read_tokenizer(folder: Path, where: str, *, trust: bool) -> Any:
    """Return the tokenizer; the ModelError where there is none names the file that it is read from."""
    askable.check_tokenizer(folder)
    found = next((name for name in askable.VOCABULARIES if (folder / name).is_file()), None)
    again = "copy it, and tokenizer_config.json, again from the model's source"
    try:
        with readable_errors(f"{where}/{found}: no tokenizer can be made of it", again):
            return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)
    except ModelError as error:
        if found is None:
            raise ModelError(f"{where}: found no {askable.TOKENIZER}; {again}") from error
        raise


def _unknown(kind: str, own: object) -> str:
    if own:
        return (
            "the model comes with its own code (auto_map); it runs only where the suite sets `trust_remote_code: true` "
            "and the command line has --allow-remote-code"
        )
    known = f"transformers {version('transformers')}"
    if not kind:
        return f"has no model_type, so {known} does not know what it is; fetch it again"
    near = get_close_matches(kind, CONFIG_MAPPING.keys(), n=2, cutoff=0.7)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "install a newer one, or correct it"
    return f"model_type {kind!r} is unknown to {known}; {hint}"
