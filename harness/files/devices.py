"""Find the devices of this machine without loading torch."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

from harness.errors import HarnessError

NAMES = re.compile(r"auto|cpu|cuda(:\d{1,3})?")


def refuse_unknown(device: str) -> None:
    """Raise HarnessError for a text that is not the name of a device."""
    if not NAMES.fullmatch(device):
        raise HarnessError(f"--device {device}: no such device; give auto, cpu, cuda or cuda:N")


def refuse_absent(device: str) -> None:
    """Raise HarnessError for a device that this machine does not have."""
    refuse_unknown(device)
    if not device.startswith("cuda"):
        return
    if why := without_cuda():
        raise HarnessError(f"--device {device}: {why}; give --device cpu, or run where CUDA is")
    count, number = gpus(), int(device.partition(":")[2] or 0)
    if count is not None and number >= count:
        found = "cuda:0 alone" if count == 1 else f"cuda:0 to cuda:{count - 1}"
        raise HarnessError(f"--device {device}: found {found}; name one of them, or give --device cuda")


def without_cuda() -> str:
    """Return why CUDA cannot be used; an empty text if torch is built for it and a visible GPU is there."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES={visible!r} hides every GPU"
    spec = find_spec("torch")
    built_for = Path(spec.origin).with_name("version.py") if spec and spec.origin else None
    if built_for is None or not re.search(
        r"^cuda\b.*=\s*['\"]", built_for.read_text(encoding="utf-8"), re.MULTILINE
    ):
        return "the installed torch is built without CUDA"
    there = _numbered() or Path("/dev/dxg").exists()  # the latter under WSL
    return "" if there else "found no NVIDIA GPU (no /dev/nvidia0)"


def gpus() -> int | None:
    """Return how many GPUs torch will count; None where that cannot be known without it."""
    there = _numbered() or None  # WSL does not number them
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return there
    count = 0
    for name in map(str.strip, visible.split(",")):
        if not name or name.startswith("-") or (name.isdigit() and there is not None and int(name) >= there):
            break  # CUDA sees none from a wrong number on
        count += 1
    return count


def _numbered() -> int:
    return sum(1 for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit())
