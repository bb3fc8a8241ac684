"""Share of answers equal to a reference, as `exact_match` of lm-evaluation-harness 0.4.13, also behind its filters.

With a `pattern`, the answer is what the filter `regex` finds in it, or `multi_choice_regex` with `choices: true`: it
reads the choices from the sample's column `choices`. A setting that takes several expressions takes them as a JSON list.
Answers and references are trimmed. The score runs from 0 to 100, there from 0 to 1.
"""

import json
import os
import re
from functools import lru_cache

from harness.errors import DataError, SuiteError
from harness.metrics import Metric, exact
from harness.sandbox import Exceeded, Sandbox, _answers
from harness.types import Generation, Sample

NAMES = ("exact_match",)
WRITTEN = True  # compares characters of answers that a model writes
SECONDS = 1.0  # of processor time for one answer


def metric(
    *,
    ignore_case: bool = False,
    ignore_punctuation: bool = False,
    ignore_numbers: bool = False,
    remove: str | None = None,  # regular expressions whose finds are removed from answers and references
    pattern: str | None = None,
    group: int = 0,  # which of several finds
    fallback: str = "[invalid]",  # the answer where nothing is found
    choices: bool = False,
    choices_ignore_case: bool = False,
    choices_ignore_punctuation: bool = False,
    choices_remove: str | None = None,
) -> Metric:
    """Return the metric; the settings are those of lm-evaluation-harness's metric and filters."""
    settings = {
        "ignore_case": ignore_case,
        "ignore_punctuation": ignore_punctuation,
        "ignore_numbers": ignore_numbers,
        "remove": _expressions("remove", remove),
        "pattern": pattern,
        "group": group,
        "fallback": fallback,
        "choices_ignore_case": choices_ignore_case,
        "choices_ignore_punctuation": choices_ignore_punctuation,
        "choices_remove": _expressions("choices_remove", choices_remove),
    }
    if pattern is not None:
        _check("pattern", pattern)

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return (hits, samples)."""
        shown = _choices(sample) if choices else None
        request = {
            **settings,
            "text": generation.text,
            "references": list(sample.references),
            "choices": shown,
        }
        given, *wanted = _cleaned(request, sample)
        return float(given in wanted), 1.0

    said = "|".join(f"{name}:{_said(value)}" for name, value in settings.items() if value or value == 0)
    return Metric(
        names=NAMES,
        signature=f"exact_match|{said}|choices:{choices}|space:trimmed|nrefs:var|refs:any|lm_eval:0.4.13|version:1",
        unit="%",
        interval="wilson",
        row=row,
        value=exact.value,
    )


def _said(value: object) -> str:
    return str(value).replace("|", "\\x7c")


def _expressions(name: str, listed: str | None) -> list[str]:
    try:
        found = [] if listed is None else json.loads(listed)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise SuiteError(f"exact_match: {name}: found {listed!r}; give a JSON list of texts: '[\",\"]'")
    for expression in found:
        _check(name, expression)
    return found


def _check(name: str, expression: str) -> None:
    try:
        re.compile(expression)
    except (re.error, RecursionError, OverflowError) as error:
        raise SuiteError(
            f"exact_match: {name}: found {expression!r}, which is no regular expression: {error}"
        ) from error


def _choices(sample: Sample) -> list[str]:
    try:
        found = json.loads(sample.metadata.get("choices", ""))
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise DataError(f"sample {sample.id!r}: exact_match: no list of texts in the column 'choices'")
    return found


def _cleaned(request: dict[str, object], sample: Sample) -> list[str]:
    try:
        found: list[str] = _sandbox(os.getpid()).ask(request, SECONDS)
    except Exceeded as error:
        _sandbox.cache_clear()
        raise SuiteError(
            f"exact_match: the expressions for the answer to sample {sample.id!r}: {error}; avoid nested repetitions "
            "such as (a+)+, and a group that is not there"
        ) from error
    return found


@lru_cache(1)
def _sandbox(_: int) -> Sandbox:
    return Sandbox(_answers)
