"""Grade-school sums in words with their steps: shaped like GSM8K (Cobbe et al. 2021), the answer after "####".

Each story is a function of its numbers, which computes its steps; so the steps are right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tools.embedded.splits import DataSet, Record, pool
from tools.zoo.corpus.words import NAMES

PEOPLE = pool(NAMES)
THINGS = pool(
    "apples pencils shells coins stamps marbles plums cards buttons eggs nails beads tickets books candles cups".split()
)
BOXES = pool("boxes bags baskets shelves jars trays drawers crates".split())


@dataclass(frozen=True, slots=True)
class Draw:
    """The words and the generator of one story."""

    random: Random
    name: str
    name2: str
    thing: str
    box: str

    def number(self, low: int, high: int) -> int:
        """Return a number, both ends included."""
        return self.random.randint(low, high)


@dataclass(frozen=True, slots=True)
class Story:
    """A question with the lines that lead to its answer."""

    question: str
    steps: tuple[tuple[str, str], ...]  # what a step finds, and its sum: ("The boxes hold", "3 * 4")
    result: int


def _boxes(d: Draw) -> Story:
    boxes, each, gone = d.number(2, 9), d.number(3, 9), d.number(1, 5)
    return Story(
        f"{d.name} has {boxes} {d.box} with {each} {d.thing} in each, and gives {gone} {d.thing} to {d.name2}. "
        f"How many {d.thing} does {d.name} have then?",
        ((f"{d.name} begins with", f"{boxes} * {each}"), (f"{d.name} keeps", f"{boxes * each} - {gone}")),
        boxes * each - gone,
    )


def _share(d: Draw) -> Story:
    people, each, more = d.number(2, 6), d.number(2, 9), d.number(1, 6)
    total = people * each
    return Story(
        f"{d.name} shares {total} {d.thing} fairly among {people} friends. {d.name2}, one of them, had {more} before. "
        f"How many {d.thing} does {d.name2} have now?",
        ((f"{d.name2} gets", f"{total} / {people}"), (f"{d.name2} has", f"{each} + {more}")),
        each + more,
    )


def _price(d: Draw) -> Story:
    count, price = d.number(2, 8), d.number(2, 9)
    paid = count * price + d.number(1, 20)
    return Story(
        f"{d.name} buys {count} {d.thing} at {price} euros each and pays with {paid} euros. "
        "How many euros come back?",
        ((f"The {d.thing} cost", f"{count} * {price}"), ("There come back", f"{paid} - {count * price}")),
        paid - count * price,
    )


def _twice(d: Draw) -> Story:
    own, less = d.number(4, 20), d.number(1, 4)
    return Story(
        f"{d.name} finds {own} {d.thing}. {d.name2} finds twice as many, but loses {less} of them. "
        f"How many {d.thing} do they have together?",
        (
            (f"{d.name2} finds", f"2 * {own}"),
            (f"{d.name2} keeps", f"{2 * own} - {less}"),
            ("Together they have", f"{own} + {2 * own - less}"),
        ),
        own + 2 * own - less,
    )


def _week(d: Draw) -> Story:
    days, each, extra = d.number(3, 7), d.number(2, 9), d.number(2, 12)
    return Story(
        f"{d.name} collects {each} {d.thing} a day for {days} days. {d.name2} brings {extra} more. "
        f"How many {d.thing} are there at the end?",
        ((f"{d.name} collects", f"{days} * {each}"), ("At the end there are", f"{days * each} + {extra}")),
        days * each + extra,
    )


def _rows(d: Draw) -> Story:
    rows, each, broken = d.number(3, 9), d.number(4, 9), d.number(1, 8)
    return Story(
        f"In the {d.box} of {d.name} lie {rows} rows of {each} {d.thing}. {broken} of them are broken. "
        f"How many {d.thing} are whole?",
        (("There lie", f"{rows} * {each}"), ("Whole are", f"{rows * each} - {broken}")),
        rows * each - broken,
    )


def _two_lots(d: Draw) -> Story:
    one, each, other, of_other = d.number(2, 5), d.number(3, 9), d.number(2, 5), d.number(3, 9)
    return Story(
        f"{d.name} fills {one} {d.box} with {each} {d.thing} each. {d.name2} fills {other} {d.box} with {of_other} each. "
        f"How many {d.thing} do they have in all?",
        (
            (f"{d.name} has", f"{one} * {each}"),
            (f"{d.name2} has", f"{other} * {of_other}"),
            ("In all they have", f"{one * each} + {other * of_other}"),
        ),
        one * each + other * of_other,
    )


def _half(d: Draw) -> Story:
    half, bought = d.number(3, 20), d.number(2, 15)
    return Story(
        f"{d.name} had {2 * half} {d.thing} and sold half of them. Then {d.name} bought {bought} more from {d.name2}. "
        f"How many {d.thing} does {d.name} have now?",
        ((f"{d.name} sold", f"{2 * half} / 2"), (f"{d.name} has", f"{half} + {bought}")),
        half + bought,
    )


def _difference(d: Draw) -> Story:
    own, first, second = d.number(20, 40), d.number(2, 9), d.number(2, 9)
    return Story(
        f"{d.name} has {own} {d.thing}. {d.name2} has {first} in one of the {d.box} and {second} in another. "
        f"How many more {d.thing} does {d.name} have than {d.name2}?",
        ((f"{d.name2} has", f"{first} + {second}"), ("The difference is", f"{own} - {first + second}")),
        own - first - second,
    )


def _packing(d: Draw) -> Story:
    each, boxes, left = d.number(3, 9), d.number(2, 9), d.number(1, 6)
    total = each * boxes + left
    return Story(
        f"{d.name} wants to pack {total} {d.thing} into {d.box} of {each}. {left} of them go to {d.name2} first. "
        f"How many {d.box} are filled?",
        (("To pack there are", f"{total} - {left}"), ("Filled are", f"{each * boxes} / {each}")),
        boxes,
    )


def _saving(d: Draw) -> Story:
    weeks, each = d.number(3, 9), d.number(3, 9)
    price = weeks * each + d.number(2, 15)
    return Story(
        f"{d.name} wants a present for {d.name2} that costs {price} euros, and earns {each} euros a week with {d.thing}. "
        f"After {weeks} weeks, how many euros are missing?",
        ((f"{d.name} earns", f"{weeks} * {each}"), ("There are missing", f"{price} - {weeks * each}")),
        price - weeks * each,
    )


def _loss_and_gain(d: Draw) -> Story:
    start, lost, won = d.number(15, 40), d.number(3, 9), d.number(2, 5)
    return Story(
        f"{d.name} goes to a fair with {start} {d.thing}, loses {lost} to {d.name2} and then wins {won} a game in 3 games. "
        f"How many {d.thing} does {d.name} bring home?",
        (
            (f"{d.name} keeps", f"{start} - {lost}"),
            (f"{d.name} wins", f"3 * {won}"),
            (f"{d.name} brings home", f"{start - lost} + {3 * won}"),
        ),
        start - lost + 3 * won,
    )


SEEN: dict[str, Callable[[Draw], Story]] = {
    "boxes": _boxes,
    "share": _share,
    "price": _price,
    "twice": _twice,
    "week": _week,
    "rows": _rows,
    "two-lots": _two_lots,
    "half": _half,
}
HELD_OUT: dict[str, Callable[[Draw], Story]] = {
    "difference": _difference,
    "packing": _packing,
    "saving": _saving,
    "loss-and-gain": _loss_and_gain,
}
_SIGNS: dict[str, Callable[[int, int], int]] = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "/": int.__floordiv__,
}


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a question, its steps with the answer after "####", and the answer alone; the stories take turns."""
    stories = HELD_OUT if unseen else SEEN
    story = tuple(stories)[at % len(stories)]
    name, name2 = PEOPLE.sample(random, unseen, 2)
    told = stories[story](Draw(random, name, name2, THINGS.draw(random, unseen), BOXES.draw(random, unseen)))
    lines = [f"{found} {step} = {_value(step)}." for found, step in told.steps]
    return {
        "question": told.question,
        "answer": "\n".join([*lines, f"#### {told.result}"]),
        "result": str(told.result),
        "steps": str(len(lines)),
        "scenario": story,
    }


def _value(step: str) -> int:
    left, sign, right = step.split()
    return _SIGNS[sign](int(left), int(right))


SUMS = DataSet(name="reasoning", write=write, inputs=("question",))
