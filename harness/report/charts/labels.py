"""Widths of texts in a chart, and positions at which its labels cover neither each other nor a dot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import cos, hypot, pi, sin

# For each letter, the greater of its widths in DejaVu Sans and in Liberation Sans (Arial, Helvetica), in thousandths of
# the font size. A page takes the font of the reader's system: DejaVu Sans is the widest of the usual ones (as Verdana).
_WIDTHS = {
    278: "ijl'",
    295: "I",
    318: " ,.\N{NO-BREAK SPACE}",
    337: "/:;\\|",
    361: "-f",
    393: "()[]t",
    412: "!r",
    460: '"',
    500: "*J`",
    525: "sz",
    558: "L_?c",
    592: "kvxy",
    616: "FTaeo",
    637: "$0123456789bdghnpqu{}",
    667: "EKPSY",
    687: "ABVXZ",
    732: "CRU",
    752: "HN",
    788: "&DGOQ",
    838: "#+<=>^w~\N{MINUS SIGN}",
    863: "M",
    989: "%Wm",
}
_WIDTH = {letter: width / 1000 for width, letters in _WIDTHS.items() for letter in letters}
WIDEST = 1.02  # of any other character: a wide one of Chinese, or @
SPARE = 1.02  # a browser may round the width of a letter to pixels
BOLD = 1.15  # times as wide as in regular weight
ABOVE, BELOW = 0.62, 0.52  # of the font size: a line of text around its middle
DOT = 6.5  # pixels: half of a dot with its stroke
NEAR, FAR = 9.0, 17.0  # pixels from the middle of a dot to its name
RINGS = (12.0, 16.0, 21.0, 27.0, 34.0, 42.0, 52.0, 64.0, 78.0, 94.0, 112.0, 132.0, 156.0, 184.0)
ANGLES = 16  # positions on a ring
CONSIDERED = 12  # positions of a number, of which the one that crosses the fewest lines is taken


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Return whether the two share an area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def inside(self, other: "Box") -> bool:
        """Return whether no part is outside of the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The dots of a panel, with the lines that its labels should rather not cross."""

    width: float
    height: float
    dots: tuple[tuple[float, float], ...]  # pixels
    lines: tuple[Box, ...] = ()

    @property
    def whole(self) -> Box:
        """Return the panel's own rectangle."""
        return Box(0.0, 0.0, self.width, self.height)


def wide(text: str, size: float) -> float:
    """Return the width of a text in pixels."""
    return SPARE * size * sum(_WIDTH.get(letter, WIDEST) for letter in text)


def fit(text: str, pixels: float, size: float, *, bold: bool = False) -> str:
    """Return the text shortened in its middle to a width, because both ends of a name distinguish it."""
    pixels /= BOLD if bold else 1.0
    if wide(text, size) <= pixels:
        return text
    letters = len(text)
    while letters > 3 and wide(cut(text, letters), size) > pixels:
        letters -= 1
    return cut(text, letters)


def lines(text: str, pixels: float, size: float, *, bold: bool = False) -> list[str]:
    """Return the text broken between words into lines of a width; a word that is wider is shortened."""
    room = pixels / (BOLD if bold else 1.0)
    broken: list[str] = []
    for word in text.split():
        longer = f"{broken[-1]} {word}" if broken else word
        if broken and wide(longer, size) <= room:
            broken[-1] = longer
        else:
            broken.append(fit(word, pixels, size, bold=bold))
    return broken


def cut(name: str, letters: int) -> str:
    """Return the name shortened in its middle, because both ends of a name distinguish it."""
    if len(name) <= letters:
        return name
    half = (letters - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def names(panel: Panel, texts: Sequence[str], size: float) -> list[Box] | None:
    """Return a box for each dot's name that covers no dot and no other name; None if a name has no room."""
    dots = [_around(x, y) for x, y in panel.dots]
    placed: list[Box] = []
    for (x, y), text in zip(panel.dots, texts, strict=True):
        free = [
            box
            for box in _beside(x, y, wide(text, size), size)
            if box.inside(panel.whole) and not any(map(box.overlaps, (*dots, *placed)))
        ]
        if not free:
            return None
        placed.append(min(free, key=lambda box: sum(map(box.overlaps, panel.lines))))  # the first of equals
    return placed


def _around(x: float, y: float) -> Box:
    return Box(x - DOT, y - DOT, x + DOT, y + DOT)


def _beside(x: float, y: float, width: float, size: float) -> Iterator[Box]:
    """Yield the positions of a name around its dot, the best first."""
    for away in (NEAR, FAR):
        rise = DOT + BELOW * size + away - NEAR
        for left, middle in (
            (x + away, y),
            (x - away - width, y),
            (x + 2, y - rise),
            (x - 2 - width, y - rise),
            (x + 2, y + rise),
            (x - 2 - width, y + rise),
            (x - width / 2, y - rise - 2),
            (x - width / 2, y + rise + 2),
        ):
            yield _line(left, middle, width, size)


def _line(left: float, middle: float, width: float, size: float) -> Box:
    return Box(left, middle - ABOVE * size, left + width, middle + BELOW * size)


def numbers(panel: Panel, texts: Sequence[str], size: float) -> list[Box | None]:
    """Return a box for each dot's number, as near to it as there is room; None for a dot without any room."""
    dots = [_around(x, y) for x, y in panel.dots]
    placed: list[Box | None] = []
    for (x, y), text in zip(panel.dots, texts, strict=True):
        taken = (*dots, *(box for box in placed if box))
        free = (
            box
            for away in RINGS
            for box in _ringed(x, y, away, wide(text, size), size)
            if box.inside(panel.whole) and not any(map(box.overlaps, taken))
        )
        nearest = list(islice(free, CONSIDERED))
        # The first of those that cross the fewest lines.
        placed.append(min(nearest, key=lambda box: sum(map(box.overlaps, panel.lines)), default=None))
    return placed


def _ringed(x: float, y: float, away: float, width: float, size: float) -> Iterator[Box]:
    for place in range(ANGLES):
        angle = 2 * pi * place / ANGLES
        yield _line(x + away * cos(angle) - width / 2, y - away * sin(angle), width, size)


def leader(box: Box, x: float, y: float) -> tuple[float, float] | None:
    """Return where a line from the dot to its label ends; None if the label is beside its dot."""
    nearest = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
    return nearest if hypot(nearest[0] - x, nearest[1] - y) > DOT + 4 else None
