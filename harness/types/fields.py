"""Annotate the fields of records in result.json: how a field is written, and whether a copy without texts keeps it.

A copy of a RESULT that withholds texts keeps only the fields that are marked `Kept`. A field without a mark is left out of
the copy, and a test requires a mark on every field.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, TypeVar

Value = TypeVar("Value")


class Copy(Enum):
    """Whether a copy that withholds texts keeps a field."""

    KEPT = "kept"  # numbers, names, digests and the user's own settings
    LEFT_OUT = "left out"


class Shape(Enum):
    """How a field is written, if not simply under its own name."""

    SPREAD = "spread"  # the keys of its value are written instead of it
    IF_SET = "if set"  # it is left out while it has its default
    SPARSE = "sparse"  # each record of the list is written without what equals its defaults
    ASIDE = "aside"  # it is not part of the document


@dataclass(frozen=True, slots=True)
class Withheld:
    """A mark: a copy that withholds texts has another value in the field."""

    where: tuple[str, str] | None = None  # only if another field has this value; None: always
    instead: str = ""  # that value; in a mapping, it replaces each of the values


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest number that a field can have."""

    least: float
    most: float | None = None


Kept = Annotated[Value, Copy.KEPT]
LeftOut = Annotated[Value, Copy.LEFT_OUT]
Spread = Annotated[Value, Shape.SPREAD]
IfSet = Annotated[Value, Shape.IF_SET]
Sparse = Annotated[Value, Shape.SPARSE]
Aside = Annotated[Value, Shape.ASIDE]

Count = Annotated[int, Range(0)]
Size = Annotated[int, Range(1)]
Probability = Annotated[float, Range(0, 1)]
