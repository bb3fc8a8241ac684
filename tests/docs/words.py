"""The commands that pages name, in blocks and in the text, and whether the program has them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from harness.cli import app
from tests.docs.fences import fences

_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_BLOCK = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_HARNESS = re.compile(r"(?:^|[|;&(] *|&& *)harness (.*)")
GENERAL = ("--help", "-h")  # of every command


def in_blocks(page: Path) -> Iterator[tuple[str, str]]:
    """The lines of every block of commands, with where they stand; lines that end with a backslash are joined."""
    for fence in fences(page):
        if fence.language == "sh":
            for line in fence.text.replace("\\\n", " ").splitlines():
                yield str(fence), line.strip()


def in_text(page: Path) -> Iterator[tuple[str, str]]:
    """What stands between backticks outside of blocks."""
    for span in _SPAN.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        yield page.name, span.replace("\\|", "|")


def harness_commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """The words behind each `harness`, with where it stands."""
    for where, line in (*in_blocks(page), *in_text(page)):
        if found := _HARNESS.search(line):
            yield where, shlex.split(found[1].replace("…", ""), comments=True)


def unknown(words: list[str]) -> str | None:
    """What of the words the program does not have: the command, or an option of it; None if it has all."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name.isupper():  # a placeholder
            return None
        if name not in (
            *command.commands,
            *command.list_commands(None),
        ):  # a group may list more than it holds
            return name
        command = command.get_command(None, name)
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | set(GENERAL)
    options = (word.partition("=")[0] for word in rest if word.startswith("-") and word.strip("-"))
    return next((option for option in options if option not in known), None)
