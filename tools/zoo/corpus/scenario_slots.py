"""What a scenario's {slot} may be filled with."""

from random import Random

from tools.zoo.corpus import words

# {hour2} draws from the pool of {hour}, and never the same word; {a} ... {d} are four different people.
POOLS: dict[str, tuple[str, ...]] = {
    "day": words.DAYS,
    "month": words.MONTHS,
    "hour": words.HOURS,
    "number": words.NUMBERS,
    "amount": words.AMOUNTS,
    "ordinal": ("first", "second", "third", "fourth", "fifth"),
    "town": words.TOWN_PLACES,
    "home": words.HOME_PLACES,
    "work": tuple(place for place in words.WORK_PLACES if place != "canteen"),
    "city": words.CITIES,
    "thing": tuple(thing for thing in words.THINGS if thing not in words.PLURAL_THINGS),
    "tool": words.TOOLS,
    "furniture": words.FURNITURE,
    "clothes": words.CLOTHES,
    "present": words.PRESENTS,
    "food": words.FOODS,
    "dish": words.DISHES,
    "grocery": words.GROCERIES,
    "fruit": words.FRUITS,
    "drink": words.DRINKS,
    "pet": words.PETS,
    "animal": ("Rex", "Luna", "Coco", "Tiger", "Momo", "Bella"),
    "colour": words.COLOURS,
    "subject": words.SUBJECTS,
    "sport": words.SPORTS,
    "instrument": tuple(instrument for instrument in words.INSTRUMENTS if instrument != "drums"),
    "job": words.JOBS,
    "relative": words.RELATIVES,
}


class Slots:
    """One conversation's words: drawn when first asked for, then kept. Words of one pool never repeat."""

    def __init__(self, generator: Random, pools: dict[str, tuple[str, ...]] = POOLS) -> None:
        self._generator = generator
        self._pools = pools
        self.words: dict[str, str] = dict(zip("abcd", generator.sample(words.NAMES, 4), strict=True))

    def __call__(self, slot: str) -> str:
        """Return the word for a slot: drawn the first time, the same afterwards, and different for each slot."""
        if slot not in self.words:
            taken = set(self.words.values())
            pool = self._pools[slot.rstrip("0123456789")]
            word = self._generator.choice(pool)
            while word in taken:
                word = self._generator.choice(pool)
            self.words[slot] = word
        return self.words[slot]
