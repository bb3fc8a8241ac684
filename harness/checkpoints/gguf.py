"""Models in one GGUF file, as llama.cpp uses them: what the file says of itself, and the folder of its dequantised copy.

MODEL.gguf ─ read ─▶ type, size, bits a weight ─ neural/gguf.py ─▶ CACHE/DIGEST/ in the hub's layout, with gguf.json
"""

import math
import mmap
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.checkpoints.folder import json_mapping
from harness.checkpoints.written import GGUF
from harness.errors import ModelError

SUFFIX = GGUF
RECORD = "gguf.json"  # of a dequantised copy: what the file was
INSTALL = "pip install 'finetune-harness[gguf]'"
_AGAIN = "fetch the file again"
_MAGIC = b"GGUF"
# What transformers calls an architecture that the file calls otherwise, and the type that it then loads the model as.
_NAMES = {
    "qwen2moe": "qwen2_moe",
    "qwen3moe": "qwen3_moe",
    "gpt-oss": "gpt_oss",
    "minimax-m2": "minimax_m2",
}
_TYPES = _NAMES | {"gemma3": "gemma3_text", "gemma4": "gemma4_text"}
# The architectures that transformers can read from GGUF, as files name them; a test compares them with its own table.
SUPPORTED = frozenset(
    "bloom deci falcon gemma2 gemma3 gemma4 gpt-oss gpt2 lfm2 llama mamba minimax-m2 mistral nemotron phi3 qwen2 qwen2moe "
    "qwen3 qwen3moe stablelm starcoder2 t5 umt5".split()
)
ENCODER_DECODERS = ("t5", "umt5")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What a GGUF file says of its model."""

    model_type: str  # as transformers calls it
    architecture: str  # as the file calls it
    parameters: int
    stored_bytes: int
    quantization: str  # "Q4_1, Q8_0, F32": the types of its tensors, the most frequent first
    licence: str | None = None

    @property
    def bits_per_weight(self) -> float:
        """Return the mean number of bits of a stored number, scales included."""
        return 8 * self.stored_bytes / self.parameters

    def sentence(self) -> str:
        """Return how the weights were stored, for a manifest."""
        return f"GGUF {self.quantization}, {self.bits_per_weight:.2f} bits a weight, dequantised to float32"


def on_the_hub(place: str) -> tuple[str, str]:
    """Return repository and file of OWNER/NAME/FILE.gguf; ModelError where one of them is missing."""
    parts = place.split("/", 2)
    if len(parts) < 3:
        raise ModelError(f"hub:{place}: names no file of a repository; write hub:OWNER/NAME/FILE{SUFFIX}")
    return "/".join(parts[:2]), parts[2]


def cached(digest: str) -> Path:
    """Return the folder of the dequantised copy of the file with this digest, beside the hub's downloads."""
    from huggingface_hub import constants

    return Path(constants.HF_HOME) / "finetune-harness" / "gguf" / digest


def read(path: Path) -> File:
    """Return what the file says of its model; ModelError where it is no whole GGUF file, or none that can be read."""
    check_present(path)
    with readable(path):
        facts, tensors, end = _header(path)
        numbers, stored_bytes = _sizes(tensors)
    architecture, name, licence = (
        _text(facts.get(f"general.{key}")) for key in ("architecture", "name", "license")
    )
    if architecture is None or not numbers.total():
        raise ModelError(f"{path}: broken: it names no architecture, or holds no tensors; {_AGAIN}")
    if architecture not in SUPPORTED:
        raise ModelError(
            f"{path}: its architecture is {architecture!r}, which transformers cannot read from GGUF (it reads "
            f"{', '.join(sorted(SUPPORTED))}); give the same model in the hub's layout"
        )
    if (size := path.stat().st_size) < end + stored_bytes:
        raise ModelError(
            f"{path}: broken: it has {size:,} bytes, and its tensors alone have {stored_bytes:,}; {_AGAIN}"
        )
    model_type = _TYPES.get(architecture, architecture)
    if architecture == "llama" and "mistral" in (name or "").lower():
        model_type = "mistral"
    return File(
        model_type=model_type,
        architecture=architecture,
        parameters=numbers.total(),
        stored_bytes=stored_bytes,
        quantization=", ".join(kind for kind, _ in numbers.most_common()),
        licence=licence,
    )


def check_present(path: Path) -> None:
    """Raise ModelError where there is no such file, or it does not begin as a GGUF file does."""
    try:
        with path.open("rb") as file:
            begins = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); name a file that ends in {SUFFIX}"
        ) from error
    if not begins:
        raise ModelError(f"{path}: empty; {_AGAIN}")
    if begins != _MAGIC:
        raise ModelError(f"{path}: not a GGUF file: it begins with {begins!r}, expected {_MAGIC!r}; {_AGAIN}")


def recorded(folder: Path) -> File | None:
    """Return which file a folder was made from; None for every other folder."""
    path = folder / RECORD
    if not path.is_file():
        return None
    found = json_mapping(path)
    try:
        return File(**{name: found[name] for name in File.__dataclass_fields__})
    except KeyError as error:
        raise ModelError(
            f"{path}: broken: no {error.args[0]!r}; delete the folder, and it is made again"
        ) from error


def recorded_digest(folder: Path) -> str | None:
    """Return the SHA-256 of the GGUF file that a folder was made from; None for every other folder."""
    path = folder / RECORD
    found = json_mapping(path).get("sha256") if path.is_file() else None
    return found if isinstance(found, str) else None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn whatever the reader of GGUF files raises on a broken one into one line."""
    try:
        yield
    except (ModelError, MemoryError):
        raise
    except struct.error as error:
        raise ModelError(f"{path}: broken: it ends inside its header; {_AGAIN}") from error
    except ImportError as error:
        raise ModelError(f"{path}: reading GGUF needs the package gguf; {INSTALL}") from error
    except Exception as error:  # numpy's and the reader's own, of every class
        found = " ".join(str(error).split())[:160]
        raise ModelError(
            f"{path}: broken, or of a type that is not known ({type(error).__name__}: {found}); {_AGAIN}"
        ) from error


_Tensor = tuple[tuple[int, ...], int]  # shape, number of its type
_NUMBERS = "<B <b <H <h <I <i <f <?".split()  # of the types 0 to 7 of a fact
_STRING, _ARRAY, _LONG = 8, 9, {10: "<Q", 11: "<q", 12: "<d"}


def _header(path: Path) -> tuple[dict[str, object], list[_Tensor], int]:
    """Return the facts that are single values, the tensors, and where the header ends.

    The package gguf reads the same, and all of a vocabulary besides: 5.8 s for one of 49,152 tokens, where this takes 0.1.
    """
    facts: dict[str, object] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cursor = _Cursor(data)
        version, tensors, count = cursor.number("<I"), cursor.number("<Q"), cursor.number("<Q")
        if version not in (2, 3):
            raise ValueError(f"version {version}, expected 2 or 3")
        for _ in range(count):
            name = cursor.string().decode()
            facts[name] = cursor.value(cursor.number("<I"))
        found: list[_Tensor] = []
        for _ in range(tensors):
            cursor.string()
            shape = tuple(cursor.number("<Q") for _ in range(cursor.number("<I")))
            found.append((shape, cursor.number("<I")))
            cursor.number("<Q")
        return facts, found, cursor.at


class _Cursor:
    """A place in a file of little-endian numbers; struct.error past its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, len(_MAGIC)

    def number(self, form: str) -> int:
        (found,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return int(found)

    def string(self) -> bytes:
        size = self.number("<Q")
        if size > len(self.data) - self.at:
            raise struct.error(f"a text of {size:,} bytes reaches past the end of the file")
        self.at += size
        return self.data[self.at - size : self.at]

    def value(self, kind: int) -> object:
        """Return a single value; None for a list, which is passed over."""
        if kind == _STRING:
            return self.string().decode()
        if kind != _ARRAY:
            form = _form(kind)
            self.at += struct.calcsize(form)
            return struct.unpack_from(form, self.data, self.at - struct.calcsize(form))[0]
        inner, count = self.number("<I"), self.number("<Q")
        if inner in (_STRING, _ARRAY):
            for _ in range(count):
                self.value(inner)
        else:
            self.at += count * struct.calcsize(_form(inner))
        return None


def _form(kind: int) -> str:
    if kind < len(_NUMBERS):
        return _NUMBERS[kind]
    if kind not in _LONG:
        raise ValueError(f"type {kind} of a fact")
    return _LONG[kind]


def _sizes(tensors: Iterable[_Tensor]) -> tuple[Counter[str], int]:
    """Return how many numbers each type stores, and the bytes of all."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    numbers: Counter[str] = Counter()
    stored_bytes = 0
    for shape, number in tensors:
        kind = GGMLQuantizationType(number)  # ValueError for a type that is not known
        block, size = GGML_QUANT_SIZES[kind]
        numbers[kind.name] += math.prod(shape)
        stored_bytes += math.prod(shape) // block * size
    return numbers, stored_bytes


def _text(found: object) -> str | None:
    return found if isinstance(found, str) and found else None
