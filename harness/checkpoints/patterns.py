"""Regular expressions of an adapter's configuration, tried within a time limit before they are used.

Each is tried on every name that it will be matched with. The same expression takes the same time on the same name again,
in our own code and in peft's, so an expression that has passed can be used as it is written.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints.adapter_settings import PATTERNS, shortened
from harness.errors import AdapterError
from harness.sandbox import Exceeded, Sandbox, _match

SECONDS = 2.0  # of the processor, for all expressions together; real expressions take a few milliseconds
MOST = 20_000_000  # expressions times names
LONGEST = 100_000  # characters of all expressions that have to be tried
# Without a group, an alternative or a repetition, matching is a single pass from left to right.
PLAIN = re.compile(r"[\w.^$/-]*")
END_OF_PATH = r"(.*\.)?({})$"  # around a pattern
ALL_LINEAR = "all-linear"  # peft's word for all linear maps


def check_patterns(path: Path, config: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise AdapterError where a regular expression of the configuration is malformed, or hangs on a module's name."""
    found = list(_expressions(config))
    if len(found) * len(names) > MOST:
        raise AdapterError(
            f"{path}: {len(found):,} patterns for {len(names):,} modules; name each module once at most"
        )
    doubtful = [(key, pattern, tried) for key, pattern, tried in found if not PLAIN.fullmatch(pattern)]
    if not doubtful:
        return
    if sum(len(pattern) for _, pattern, _ in doubtful) > LONGEST:
        raise AdapterError(
            f"{path}: {doubtful[0][0]}: patterns of more than {LONGEST:,} characters; use a list of names"
        )
    _try(path, doubtful, names)


def by_pattern(patterns: Mapping[str, Any] | None, module: str, otherwise: Any) -> Any:
    """Return the value of the first pattern that matches the end of a module's path at a dot, as peft reads them."""
    for pattern, value in (patterns or {}).items():
        if re.match(END_OF_PATH.format(pattern), module):
            return value
    return otherwise


def _try(path: Path, doubtful: list[tuple[str, str, str]], names: Collection[str]) -> None:
    sandbox = Sandbox(_match)
    left = SECONDS
    try:
        for number, (key, pattern, tried) in enumerate(doubtful):
            request: dict[str, object] = {"expression": tried} | (
                {"names": list(names)} if not number else {}
            )
            try:
                answer = sandbox.ask(request, max(left, 0.001))
            except Exceeded as error:
                raise AdapterError(
                    f"{path}: {key}: the pattern {shortened(pattern)} {_reason(error)} on {len(names):,} names of "
                    "modules; use a list of names"
                ) from error
            if isinstance(answer, str):
                raise AdapterError(
                    f"{path}: {key}: {shortened(pattern)} is not a regular expression ({answer}); correct it"
                )
            left -= answer
    finally:
        sandbox.close()


def _reason(error: Exceeded) -> str:
    reason = str(error)
    return f"took more than {SECONDS:g} s" if reason.startswith("took") else reason


def _expressions(config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield key, pattern as it is written, and the regular expression that peft 0.21 makes of the pattern."""
    for key in PATTERNS:
        for pattern in config.get(key) or ():
            yield key, pattern, END_OF_PATH.format(pattern)
    for key in ("target_modules", "exclude_modules"):
        pattern = config.get(key)
        if isinstance(pattern, str) and pattern.lower() != ALL_LINEAR:
            yield key, pattern, pattern
    for key, before, after in (
        ("modules_to_save", r"(^|.*\.)", r"($|\..*)"),
        ("layers_pattern", r"(?:^|.*?\.)", r"\.(?P<idx>\d+)\."),
    ):
        found = config.get(key) or ()
        for pattern in [found] if isinstance(found, str) else found:
            yield key, pattern, f"{before}{pattern}{after}"
