"""What one scenario of the instruction data is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A small world with several ways to ask, to tell and to answer.

    Templates name slots in braces. The slots of `instruction_slots.draw` are always there. A scenario
    with `rows` adds its own: four different rows are drawn, and the column `need` of the first is
    `{need}`, of the second `{need2}`, and so on. A cell such as "pear|plum|fig|kiwi" stands for three of
    its words, joined. A column named `pick` adds `{options}`: the picks of all drawn rows, in any order.
    """

    name: str
    instructions: tuple[str, ...]
    passages: tuple[str, ...]
    outputs: tuple[str, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    held_out: bool = False  # only in the test split
