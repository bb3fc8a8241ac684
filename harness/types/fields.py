"""What a field of a record in result.json says of itself beside its type.

A copy of a RESULT that withholds texts keeps a field only where the field says so: `Kept`. A field that says nothing is
left out of the copy, and a test asks that every field says something.
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
    """How a field is written, if not under its own name."""

    SPREAD = "spread"  # the keys of its value stand in its place
    IF_SET = "if set"  # it is left out while it has its default
    SPARSE = "sparse"  # each record of the list is written without what equals its defaults
    ASIDE = "aside"  # it is not part of the document


@dataclass(frozen=True, slots=True)
class Withheld:
    """A copy that withholds texts has something else in the field's place."""

    where: tuple[str, str] | None = None  # only if another field has this value; None: always
    instead: str = ""  # what stands there; in a mapping, in place of each of its values


@dataclass(frozen=True, slots=True)
class Range:
    """Between which numbers a field lies."""

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
