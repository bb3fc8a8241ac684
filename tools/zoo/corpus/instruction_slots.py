"""Draws the values that fill the slots of a scenario: people, things, days and small numbers."""

from random import Random

from tools.zoo.corpus import words

WOMEN = tuple(
    "Ada Alma Amy Anna Carla Clara Dora Elena Emma Eva Grace Hana Ida Jana Julia Kate Lara Leila Lena Lucy "
    "Maria Marta Maya Nadia Nina Nora Olga Petra Pia Priya Rosa Ruth Sara Sofia Vera Zoe".split()
)
MEN = tuple(
    "Adam Amir Ben Dan David Diego Eric Felix Hugo Ian Ivan Jack Jonas Kemal Leo Lucas Max Mike Noah Omar "
    "Oscar Paul Ravi Sam Simon Tariq Tom".split()
)
POOLS: dict[str, tuple[str, ...]] = {
    "thing": tuple(
        "lamp clock chair basket mirror blanket kettle radio camera suitcase umbrella drum carpet vase "
        "bicycle ladder bucket pillow jacket hammer".split()
    ),
    "place": words.TOWN_PLACES,
    "town": words.CITIES,
    "day": words.DAYS,
    "month": words.MONTHS,
    "hour": words.HOURS,
    "colour": words.COLOURS,
    "fruit": words.FRUITS,
    "food": words.FOODS,
    "drink": words.DRINKS,
    "animal": words.PETS,
    "job": words.JOBS,
    "music": words.INSTRUMENTS,
    "sport": words.SPORTS,
    "weather": tuple("rainy sunny windy cold snowy foggy warm cloudy".split()),
    "relation": tuple("neighbour cousin friend colleague classmate".split()),
    "opening": (
        "in the morning",
        "at noon",
        "before breakfast",
        "after lunch",
        "on Monday morning",
        "on Friday afternoon",
        "on Sunday evening",
        "on a rainy day",
        "on a sunny day",
        "one day in June",
        "one day in October",
    ),
    "habit": (
        "every morning",
        "every evening",
        "every Monday",
        "every Friday",
        "on Sundays",
        "on rainy days",
        "on sunny days",
        "at noon",
        "before breakfast",
        "after lunch",
    ),
    "then": ("after that,", "later", "in the evening", "a little later", "at night", "then"),
    "cause": (
        "the bus was late",
        "the road was icy",
        "the bridge was closed",
        "the train had stopped",
        "the car had broken down",
        "the alarm had failed",
        "the map was wrong",
        "the rain was heavy",
    ),
}
DRAWN_TOGETHER = 3  # {thing}, {thing2} and {thing3} are never the same


def draw(random: Random) -> dict[str, str]:
    """One value for every slot; people come with their pronouns, numbers with their sums."""
    return _people(random) | _draw_words(random) | _numbers(random)


def _people(random: Random) -> dict[str, str]:
    slots: dict[str, str] = {}
    for suffix, name in zip(("", "2", "3"), random.sample(WOMEN + MEN, 3), strict=True):
        he, his, him = ("she", "her", "her") if name in WOMEN else ("he", "his", "him")
        slots |= {f"name{suffix}": name, f"he{suffix}": he, f"his{suffix}": his, f"him{suffix}": him}
    return slots


def _draw_words(random: Random) -> dict[str, str]:
    slots = {}
    for slot, pool in POOLS.items():
        for suffix, word in zip(("", "2", "3"), random.sample(pool, DRAWN_TOGETHER), strict=True):
            slots[slot + suffix] = word
    return slots


def _numbers(random: Random) -> dict[str, str]:
    many, few, more = random.randint(6, 12), random.randint(2, 4), random.randint(2, 4)
    groups, each, start = random.randint(2, 5), random.randint(2, 6), random.randint(1, 7)
    numbers = {
        "many": many,
        "few": few,
        "more": more,
        "groups": groups,
        "each": each,
        "start": start,
        "sum": many + few,
        "sum_more": many + few + more,
        "sum_less": many + few - more,
        "difference": many - few,
        "product": groups * each,
        "product_more": groups * each + more,
        "end": start + few,
        "change": 20 - many,
        "twice": 2 * many,
    }
    return {slot: str(number) for slot, number in numbers.items()}
