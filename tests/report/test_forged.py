"""RESULTs that somebody forged, digests and all: what does not follow from the answers is told."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.result import verify
from harness.result.document import write_document

Document = dict[str, Any]


@pytest.fixture
def forge(example: Path, tmp_path: Path) -> Callable[[Callable[[Document], object]], Path]:
    def forged(edit: Callable[[Document], object]) -> Path:
        folder = Path(shutil.copytree(example, tmp_path / "forged"))
        document = json.loads((folder / "result.json").read_bytes())
        document["manifest"]["libraries"]["numpy"] = np.__version__
        edit(document)
        write_document(folder, document)
        return folder

    return forged


def test_a_result_that_is_only_written_again_verifies(forge: Callable[..., Path]) -> None:
    assert verify(forge(lambda document: None)) == []


def told(document: Document, **equal: object) -> Document:
    """The first comparison that is so."""
    return next(one for one in document["comparisons"] if all(one[k] == v for k, v in equal.items()))


def in_family(document: Document) -> Document:
    return next(one for one in document["comparisons"] if one["family"] is not None)


def smaller_p(document: Document) -> None:
    """With Holm's correction to match."""
    from harness.stats import holm

    family = in_family(document)["family"]
    members = [one for one in document["comparisons"] if one["family"] == family]
    members[0]["p"] = 0.0 if members[0]["p"] > 0.5 else 0.9
    for one, p in zip(members, holm([one["p"] for one in members]), strict=True):
        one["p_holm"] = p


def older(document: Document) -> None:
    """Made by another version, which may have drawn other resamples."""
    document["manifest"]["harness"] = "0.0.1"


def swap(document: Document) -> None:
    one = in_family(document)
    one["low"], one["high"] = one["high"], one["low"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (smaller_p, ": p 0."),
        (lambda d: (older(d), smaller_p(d)), ": p 0."),
        (lambda d: in_family(d).update(low=in_family(d)["low"] + 1e-3), ": low "),
        (lambda d: (older(d), in_family(d).update(low=in_family(d)["high"])), ": low "),
        (swap, "down to"),
        (lambda d: in_family(d).update(n=4000), ": n 4000 in result.json, 40 from the rows"),
        (lambda d: in_family(d).update(better=39), ": better 39 in result.json"),
        (lambda d: (older(d), in_family(d).update(worse=39)), ": worse 39 in result.json"),
        (lambda d: in_family(d).update(detectable=0.01), ": detectable 0.010000 in result.json"),
        (lambda d: in_family(d).update(test="an exact test"), ": test an exact test in result.json"),
        (lambda d: in_family(d).update(family="alone", p_holm=in_family(d)["p"]), "the family 'alone'"),
        (lambda d: d["comparisons"].append(in_family(d)), "compared twice"),
        (lambda d: d["comparisons"].remove(in_family(d)), "missing from its family"),
        (lambda d: told(d, family=None).update(p_holm=0.01), "outside every family"),
        (lambda d: in_family(d).update(p=-1.0), "no probability"),
        (lambda d: d["manifest"].update(seed=-1), "seeds nothing"),
    ],
)
def test_a_forged_comparison_is_told(
    forge: Callable[..., Path], edit: Callable[[Document], object], said: str
) -> None:
    problems = verify(forge(edit))
    assert any(said in one for one in problems), problems


def test_a_result_of_another_version_may_have_drawn_other_resamples(forge: Callable[..., Path]) -> None:
    def edit(document: Document) -> None:
        older(document)
        for one in document["comparisons"]:
            one["low"] += 0.01 * (one["high"] - one["low"])
            one["detectable"] *= 1.005

    assert verify(forge(edit)) == []
