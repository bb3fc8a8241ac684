"""Draw the splits of a data set, so that some test samples are of scenarios and words that training never shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

SIZES = {"train": 1000, "validation": 200, "test": 300}
UNSEEN = 100  # of the test samples
TRIES = 10_000  # to find a sample that is not there yet

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Pool:
    """Words of one sort; the unseen ones are only in test samples."""

    seen: tuple[str, ...]
    unseen: tuple[str, ...]

    def draw(self, random: Random, unseen: bool) -> str:
        """Return a word of the pool."""
        return random.choice(self.unseen if unseen else self.seen)

    def sample(self, random: Random, unseen: bool, count: int) -> list[str]:
        """Return several words of the pool, no two equal."""
        return random.sample(self.unseen if unseen else self.seen, count)


def pool(words: Sequence[str], every: int = 4) -> Pool:
    """Return a pool whose every fourth word is unseen."""
    unseen = tuple(words[every - 1 :: every])
    return Pool(tuple(word for word in words if word not in unseen), unseen)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A data set: its name, and how a sample of it is written."""

    name: str
    # Generator, whether scenario and words are unseen ones, position (so that labels take turns) -> a record with a
    # `scenario`, without an id.
    write: Callable[[Random, bool, int], Record]
    inputs: tuple[str, ...]  # the columns that make a sample's question: no two samples have the same
    note: str = ""  # a sentence more for the licence

    def splits(self, seed: int = 0) -> dict[str, list[Record]]:
        """Return the records of every split, the same for the same seed."""
        taken: set[tuple[object, ...]] = set()
        return {split: self._split(split, seed, taken) for split in SIZES}

    def _split(self, split: str, seed: int, taken: set[tuple[object, ...]]) -> list[Record]:
        random = Random(f"{seed}-{self.name}-{split}")
        unseen = UNSEEN if split == "test" else 0
        records = [self._new(random, False, at, taken) for at in range(SIZES[split] - unseen)]
        records += [self._new(random, True, at, taken) for at in range(unseen)]
        random.shuffle(records)
        return [{"id": f"{self.name}-{split}-{at:04d}", **record} for at, record in enumerate(records)]

    def _new(self, random: Random, unseen: bool, at: int, taken: set[tuple[object, ...]]) -> Record:
        """Return a record whose question is not taken, and take it."""
        for _ in range(TRIES):
            record = self.write(random, unseen, at)
            question = tuple(str(record[column]) for column in self.inputs)
            if question not in taken:
                taken.add(question)
                return {**record, "scenario_seen": "unseen" if unseen else "seen"}
        raise ValueError(f"{self.name}: no new sample in {TRIES:,} tries; give it more words or scenarios")


def sentence(text: str) -> str:
    """Return a text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def with_article(noun: str) -> str:
    """Return a noun after "a" or "an"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
