"""Name values by their content: equal values have equal digests."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

# Metadata of a record's field
IF_SET = {"hashed": "if set"}
NEVER = {"hashed": "never"}  # it follows from the other fields


def canonical(value: object) -> Any:
    """Return the value as plain JSON data whose text is the same for equal values.

    Records become objects that name their type; a whole float stays a float (1.0 is not 1). A field whose metadata is
    IF_SET is left out while it has its default, so that a new setting does not rename what was made without it; one whose
    metadata is NEVER is always left out.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: canonical(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if f.metadata != NEVER and not _unset(value, f)
        }
        return {"": type(value).__name__, **fields}
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"no canonical form for {type(value).__name__}")


def _unset(record: object, field: "dataclasses.Field[Any]") -> bool:
    """Return whether a field that is hashed only if it is set has its default."""
    if field.metadata != IF_SET:
        return False
    made = field.default_factory
    default = field.default if made is dataclasses.MISSING else made()
    return bool(getattr(record, field.name) == default)


def digest(*values: object) -> str:
    """Return the first 16 hex digits of SHA-256 over the values' canonical form."""
    text = json.dumps(canonical(values), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def text_digest(text: str) -> str:
    """Return the first 16 hex digits of SHA-256 over the text's bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def file_name(name: str) -> str:
    """Return the name as a file or folder may have it; if characters are replaced, a digest is added."""
    kept = re.sub(r"[^\w.+#@= -]+", "-", name).strip(" .-")[:80]
    return kept if kept == name else f"{kept}-{text_digest(name)[:8]}".lstrip("-")
