"""Failures of other libraries, as a line for the user: their texts have many lines, no file name, or neither."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from harness.errors import HarnessError, ModelError

LONGEST = 240  # characters of a library's text; the log keeps the whole of it


def said(error: BaseException) -> str:
    """Return what a library says, in one line; the kind of failure where the text alone says too little."""
    text = " ".join(str(error).split()).rstrip(".:;")
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition(" ")[0] + " …"
    name = type(error).__name__
    if not text:
        return name
    return f"{name}: {text}" if isinstance(error, LookupError | AttributeError | TypeError) else text


@contextmanager
def silent_import() -> Iterator[None]:
    """Keep from the terminal what bitsandbytes says while it is imported, by itself or by peft: of kernels that it would
    fetch, where the machine could use them, and does without.
    """
    logger = logging.getLogger("bitsandbytes")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def told(where: str, remedy: str, kind: type[ModelError] = ModelError) -> Iterator[None]:
    """Turn whatever a library raises into an error of ours that says where, and what would do.

    Any exception: the libraries promise none, and what they raise on a broken file changes with every version.
    """
    try:
        yield
    except HarnessError as error:
        if isinstance(error, kind):
            raise
        raise kind(str(error)) from error
    except (MemoryError, torch.OutOfMemoryError):  # says enough, and nothing about the files
        raise
    except ImportError as error:
        raise kind(f"{where}: {said(error)}; install it") from error
    except Exception as error:
        raise kind(f"{where}: {said(error)}; {remedy}") from error
