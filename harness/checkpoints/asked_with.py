"""Record beside an adapter how it was asked in training, and find out where it is asked otherwise.

The record holds two digests, of the prompt's template with its system text and of the chat template, and how the base was
quantised, where it was. An adapter of other people has none, and nothing is said of it.
"""

from dataclasses import dataclass
from pathlib import Path

from harness.checkpoints.chat import StoredTemplate
from harness.checkpoints.folder import ADAPTER_RECORD, json_mapping
from harness.digest import digest, text_digest
from harness.errors import AdapterError
from harness.files.json_lines import write_json
from harness.types import Task

PROMPT, TEMPLATE, QUANTIZATION = "prompt", "chat_template", "quantization"  # keys of the record
PLAIN = "none"  # the quantisation of a base that is not quantised, which a record leaves out


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWith:
    """How a model is asked: digests, and the quantisation of its weights."""

    prompt: str  # of the prompt's template and the system text
    template: str  # of the chat template; "": prompts go through none
    quantization: str = PLAIN


def asked_with(task: Task, stored: StoredTemplate | None, quantization: str = PLAIN) -> AskedWith:
    """Return how a task asks a model, in the words for the model's family; `stored` is the model's chat template."""
    template = "" if stored is None else text_digest("\n".join(stored.text.splitlines()))
    return AskedWith(prompt=digest(task.prompt, task.system), template=template, quantization=quantization)


def record(folder: Path, asked: AskedWith) -> None:
    """Add to an adapter's record how the adapter was asked in training."""
    path = folder / ADAPTER_RECORD
    quantised = {} if asked.quantization == PLAIN else {QUANTIZATION: asked.quantization}
    write_json(path, {**json_mapping(path), PROMPT: asked.prompt, TEMPLATE: asked.template, **quantised})


def recorded(folder: Path) -> AskedWith | None:
    """Return how an adapter was asked in training; None where it has no such record."""
    path = folder / ADAPTER_RECORD
    if not path.is_file():
        return None
    found = json_mapping(path)
    if PROMPT not in found and TEMPLATE not in found:
        return None
    prompt, template, quantised = found.get(PROMPT), found.get(TEMPLATE), found.get(QUANTIZATION, PLAIN)
    if not isinstance(prompt, str) or not isinstance(template, str) or not isinstance(quantised, str):
        raise AdapterError(
            f"{path}: {PROMPT}, {TEMPLATE} and {QUANTIZATION} must be text; train the adapter again, or delete the keys"
        )
    return AskedWith(prompt=prompt, template=template, quantization=quantised)


def difference(folder: Path, now: AskedWith) -> str | None:
    """Return how an adapter is asked otherwise than in training, as a clause; None where it is not, or has no record."""
    then = recorded(folder)
    if then is None or then == now:
        return None
    found = [] if then.prompt == now.prompt else ["trained on another prompt than it is asked with"]
    if then.template and now.template and then.template != now.template:
        found.append("trained with another chat template than it is asked with")
    elif then.template and not now.template:
        found.append("trained with a chat template and asked without one")
    elif now.template and not then.template:
        found.append("trained without a chat template and asked with one")
    if then.quantization != now.quantization:
        found.append(f"trained on a base {_stored(then)} and asked on one {_stored(now)}")
    return " and ".join(found)


def _stored(asked: AskedWith) -> str:
    return "that is not quantised" if asked.quantization == PLAIN else f"in {asked.quantization}"
