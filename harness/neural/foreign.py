"""Failures of other libraries, as one line for the user. Their own messages have many lines, or name no file."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from harness.errors import HarnessError, ModelError

KERNELS = "kernels"  # a package that fetches compiled code from the hub
LONGEST = 240  # characters of a library's message; the log keeps all of it


def one_line(error: BaseException) -> str:
    """Return a library's message in one line, with the class of the error where the message alone says too little."""
    text = " ".join(str(error).split()).rstrip(".:;")
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition(" ")[0] + " …"
    name = type(error).__name__
    if not text:
        return name
    return f"{name}: {text}" if isinstance(error, LookupError | AttributeError | TypeError) else text


@contextmanager
def silent_import() -> Iterator[None]:
    """Keep bitsandbytes from fetching code, and hide that it misses it, while it, or peft, is imported.

    On processors with AVX512-BF16 it fetches kernels from the hub where the package `kernels` is installed, and runs them.
    """
    logger = logging.getLogger("bitsandbytes")
    before = logger.level
    logger.setLevel(logging.ERROR)
    hidden = KERNELS not in sys.modules
    if hidden:
        sys.modules[KERNELS] = None  # type: ignore[assignment]  # so that importing it fails
    try:
        yield
    finally:
        logger.setLevel(before)
        if hidden:
            del sys.modules[KERNELS]


@contextmanager
def readable_errors(where: str, remedy: str, kind: type[ModelError] = ModelError) -> Iterator[None]:
    """Turn any exception of a library into one of the harness's errors, which says where, and what would do.

    Every class of exception is caught: on a broken file the libraries raise different classes in every version.
    """
    try:
        yield
    except HarnessError as error:
        if isinstance(error, kind):
            raise
        raise kind(str(error)) from error
    except (MemoryError, torch.OutOfMemoryError):  # clear as it is, and not about the files
        raise
    except ImportError as error:
        raise kind(f"{where}: {one_line(error)}; install it") from error
    except Exception as error:
        raise kind(f"{where}: {one_line(error)}; {remedy}") from error
