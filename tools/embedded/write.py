"""Write the embedded data sets of the kinds of task into a folder: `python -m tools.embedded.write [FOLDER]`."""

import sys
from collections.abc import Callable
from pathlib import Path

from tools.embedded.api_calls import API_CALLS
from tools.embedded.cola import COLA
from tools.embedded.manual import MANUAL
from tools.embedded.medical_choice import MEDICAL_CHOICE
from tools.embedded.medical_trials import MEDICAL_TRIALS
from tools.embedded.preferences import PREFERENCES
from tools.embedded.safety import HARMFUL, HARMLESS, SAFETY, labelled
from tools.embedded.sentiment import SENTIMENT
from tools.embedded.splits import Record
from tools.embedded.stsb import STSB
from tools.embedded.sums import SUMS
from tools.embedded.translation import TRANSLATION
from tools.zoo.corpus.write import DEFAULT_FOLDER, write_splits

Splits = dict[str, list[Record]]
DATA_SETS = {
    one.name: one
    for one in (
        API_CALLS, COLA, MANUAL, MEDICAL_CHOICE, MEDICAL_TRIALS, PREFERENCES, SAFETY, SENTIMENT, STSB, SUMS, TRANSLATION,
    )
}  # fmt: skip
LABELLED = 150  # validation records whose two answers are labelled


def none(splits: Splits) -> Splits:
    """Return no more files."""
    return {}


def of_safety(splits: Splits) -> Splits:
    """Return the test records of each sort, and labelled answers by which judges of refusals are calibrated."""
    parts = {
        sort: [record for record in splits["test"] if record["sort"] == sort] for sort in (HARMFUL, HARMLESS)
    }
    return {**parts, "labelled": labelled(splits["validation"][:LABELLED])}


PARTS: dict[str, Callable[[Splits], Splits]] = {"safety": of_safety}  # further files of a data set
LICENCE = """Apache-2.0

Written for this project by its own program (python -m tools.embedded.write). No text of others is in it.
"""


def write_all(folder: Path) -> None:
    """Write a folder for each data set below `folder`, the same bytes each time."""
    for name, one in DATA_SETS.items():
        splits = one.splits()
        write_splits(
            folder / name,
            splits | PARTS.get(name, none)(splits),
            f"{LICENCE}{one.note}\n" if one.note else LICENCE,
        )


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER)
