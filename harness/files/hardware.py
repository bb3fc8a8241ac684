"""Describe this machine in words and numbers, without importing a library that opens a device."""

import os
import platform
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine that this process runs on."""

    cpu: str
    cores: int  # usable by this process
    memory_gb: float
    gpu: str | None
    gpu_bytes: int | None = None  # memory of the first GPU

    def __str__(self) -> str:
        return self.gpu or f"{self.cores} cores of {self.cpu}"


@cache
def machine() -> Machine:
    """Return the machine that this process runs on."""
    gpus = _gpus()
    return Machine(
        cpu=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        gpu=", ".join(name for name, _ in gpus) or None,
        gpu_bytes=gpus[0][1] or None if gpus else None,
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def _gpus() -> list[tuple[str, int]]:
    """Return name and bytes of memory of each GPU."""
    if not shutil.which("nvidia-smi"):
        return []
    asked = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
    lines = answer.stdout.strip().splitlines() if answer.returncode == 0 else []
    found = (line.rpartition(",") for line in lines)
    return [(name, int(size) * 1024**2 if size.strip().isdigit() else 0) for name, _, size in found]


class PeakMemory:
    """The process's highest resident memory, in bytes, since the block began (on Linux; elsewhere since its start)."""

    bytes = 0

    def __enter__(self) -> "PeakMemory":
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
        return self

    def __exit__(self, *_: object) -> None:
        status = Path("/proc/self/status")
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
        self.bytes = int(found.group(1)) * 1024 if found else psutil.Process().memory_info().rss
