"""Which samples the page shows, against the plainest way to choose them."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from harness.digest import text_digest
from harness.report.picks import EACH, choose
from harness.results import TaskFacts
from harness.types import System

TASK = TaskFacts(name="chats", primary="exact", metrics=("exact",))
SYSTEMS = [System(model=model, adapter=adapter) for model in "ab" for adapter in (None, "x", "y")]


def plainly(values: dict[System, list[float]], ids: list[str], lower: bool) -> dict[str, tuple[str, object]]:
    """Every change of every adapter, sorted whole."""
    sign = -1 if lower else 1
    changes = [
        (sign * (values[system][n] - values[System(model=system.model)][n]), one, system)
        for system in values
        if system.adapter
        for n, one in enumerate(ids)
    ]
    changes = [entry for entry in changes if entry[0] == entry[0]]
    changes.sort(key=lambda entry: (entry[0], entry[1], str(entry[2])))
    chosen: dict[str, tuple[str, object]] = {}
    for why, ordered in (
        ("regression", [entry for entry in changes if entry[0] < 0]),
        ("gain", [entry for entry in changes[::-1] if entry[0] > 0]),
    ):
        seen: set[System] = set()
        for again in (False, True):
            for _, one, system in ordered:
                if sum(kind == why for kind, _ in chosen.values()) == EACH:
                    break
                if one not in chosen and (again or system not in seen):
                    chosen[one] = (why, system)
                    seen.add(system)
    unseen = sorted((one for one in ids if one not in chosen), key=lambda one: text_digest(f"chats {one}"))
    return chosen | dict.fromkeys(unseen[:EACH], ("random", None))


@settings(deadline=None)
@given(some.integers(0, 10**6), some.integers(1, 60), some.integers(1, 6), some.booleans())
def test_samples_are_chosen_as_if_all_changes_were_sorted(
    seed: int, n: int, levels: int, lower: bool
) -> None:
    chance = Random(seed)
    ids = [f"s{place}" for place in range(n)]
    chance.shuffle(ids)
    several = [
        *range(levels),
        float("nan"),
    ]  # few values: many changes are equal; NaN: a sample without a row
    values = {system: [float(chance.choice(several)) for _ in ids] for system in SYSTEMS}
    arrays = {system: np.array(one) for system, one in values.items()}
    found = choose(TASK, arrays, ids, lower)
    assert list(found.items()) == list(plainly(values, ids, lower).items())


@pytest.mark.parametrize("adapter", [None, "x"])
def test_without_a_base_and_an_adapter_samples_are_drawn_without_looking(adapter: str | None) -> None:
    ids = [f"s{place}" for place in range(9)]
    found = choose(TASK, {System(model="a", adapter=adapter): np.arange(9.0)}, ids)
    assert [why for why, _ in found.values()] == ["random"] * EACH
