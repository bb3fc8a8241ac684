"""Check numbers and names in a stranger's file: find what could not be computed with or shown, and its place."""

from collections.abc import Iterator

LARGEST_NUMBER = 1e300  # sums and small multiples stay finite
LARGEST_WHOLE = 1 << 53  # beyond it, a float is another number
LARGEST_SEED = 1 << 64
DEEPEST = 64  # lists and objects in one another; ours are fewer than 10
SEEDS = frozenset({"seed", "seeds"})
COUNTS = frozenset(
    {"n", "step", "count", "of", "workers", "eigenvalues", "rows", "cols", "shots", "parameters", *SEEDS}
)
NAMES = frozenset({"name", "task", "model", "adapter", "recipe", "trained_on", "metric"})
FREE = frozenset({"where", "metadata"})  # their keys are columns of the user's, their values any text


def wrong_value(data: object) -> str:
    """Return the place of the first number out of range, name that does not fit a line, or value nested too deeply.

    "" if there is none.
    """
    return next((f"{place}: found {said}" for place, said in _wrong(data, "", "", 0)), "")


def fits(number: float) -> bool:
    """Return whether a number is finite and small enough to compute with."""
    return -LARGEST_NUMBER <= number <= LARGEST_NUMBER


def refused_constant(name: str) -> float:
    """Raise ValueError for NaN and Infinity, which Python's parser would accept as numbers."""
    raise ValueError(f"found {name}, which is not a number of JSON")


def _wrong(data: object, place: str, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        yield _short(place), f"lists or objects nested in more than {DEEPEST} others"
    elif isinstance(data, dict):
        for name, value in data.items():
            inner = key if key in FREE else name
            yield from _wrong(value, f"{place}.{_short(name)}" if place else _short(name), inner, depth + 1)
    elif isinstance(data, list | tuple):
        for number, item in enumerate(data):
            if type(item) is not str:
                inner = key if key in SEEDS or key in FREE else ""
                yield from _wrong(item, f"{place}[{number}]", inner, depth + 1)
    elif isinstance(data, str):
        if key in NAMES and not data.isprintable():
            yield place, f"{_short(data)!a}, a name with a character that does not fit a line"
    elif data is not None and data is not True and data is not False and (said := _number(data, key)):
        yield place, said


def _number(data: object, key: str) -> str:
    """Return what is wrong with a number; "" if it is sound."""
    if isinstance(data, float):
        return "" if fits(data) else f"{data}, not a finite number up to {LARGEST_NUMBER:g}"
    if not isinstance(data, int):
        return ""
    if data < 0 and key in COUNTS:
        return f"{data if data > -LARGEST_WHOLE else 'a number'}, less than 0"
    if abs(data) > (LARGEST_SEED if key in SEEDS else LARGEST_WHOLE):
        return "a whole number above the largest that is read"
    return ""


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
