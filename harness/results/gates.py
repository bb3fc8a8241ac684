"""Gates as result.json holds them: as a suite says them, the rules beside the other keys."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from harness.files.json_lines import to_json
from harness.results.typed import record
from harness.types import Gate

_KEYS = {field.name for field in fields(Gate)} - {"rules"}


def document(gate: Gate) -> dict[str, Any]:
    """Return what a gate says, without what it leaves out."""
    usual, said = to_json(Gate()), to_json(gate)
    own = {key: value for key, value in said.items() if key in _KEYS and value != usual[key]}
    return {**own, **said["rules"]}


def from_document(data: Mapping[str, Any]) -> Gate:
    """Return the gate; TypeError for a value of another type. What its rules demand is read where it is judged."""
    own = {key: value for key, value in data.items() if key in _KEYS}
    return record(Gate, own, rules={key: value for key, value in data.items() if key not in _KEYS})
