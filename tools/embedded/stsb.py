"""Pairs of sentences with their similarity, 0 to 5: shaped like STS-B (Cer et al. 2017).

A sentence tells who does what to what thing, where and when. The second sentence tells the same in other words, leaves parts
out, or changes them. Each changed part costs its weight, and a part that is left out costs half.
"""

from random import Random

from tools.embedded.splits import DataSet, Pool, Record, pool, sentence

WEIGHTS = {"who": 0.8, "does": 1.4, "thing": 1.2, "place": 0.8, "time": 0.8}  # 5 together

# Each entry: ways to say the same.
WHO = pool(
    [
        "the girl|a young girl", "the teacher|a school teacher", "the old man|an elderly man", "the cook|a chef",
        "the doctor|a physician", "the boy|a young boy", "the woman|a lady", "the soldier|a man in uniform",
        "the farmer|a man from the farm", "the student|a young scholar", "the driver|the man at the wheel",
        "the nurse|a hospital nurse",
    ]
)  # fmt: skip
DOES = pool(
    [
        "buys|purchases", "repairs|fixes", "finds|discovers", "washes|cleans", "carries|bears", "paints|colours",
        "sells|offers for sale", "draws|sketches", "loses|mislays", "shows|presents", "hides|conceals",
        "photographs|takes a picture of",
    ]
)  # fmt: skip
THING = pool(
    [
        "a car|an automobile", "a bicycle|a bike", "a picture|an image", "a basket|a wicker basket",
        "a coat|a jacket", "a stone|a rock", "a boat|a small ship", "a kettle|a pot for tea", "a phone|a telephone",
        "a sofa|a couch", "a gift|a present", "a violin|a fiddle",
    ]
)  # fmt: skip
PLACE = pool(
    [
        "in the shop|at the store", "in the street|on the road", "at home|in the house", "in the barn|at the stable",
        "in the garden|in the yard", "by the sea|on the coast", "in the wood|in the forest", "at the quay|at the pier",
    ]
)  # fmt: skip
TIME = pool(
    [
        "in the morning|before noon", "in the evening|late in the day", "on Sunday|at the weekend",
        "in autumn|when the leaves fall", "at night|after dark", "in summer|in the hot season",
        "today|on this day", "at dawn|when the sun rises",
    ]
)  # fmt: skip
POOLS: dict[str, Pool] = {"who": WHO, "does": DOES, "thing": THING, "place": PLACE, "time": TIME}

SEEN = ("{who} {does} {thing} {place} {time}", "{time}, {who} {does} {thing} {place}")
HELD_OUT = ("{place}, {who} {does} {thing} {time}",)
LEVELS = (  # parts that are left out, parts that change
    ((), ()),
    (("time",), ()),
    (("place",), ()),
    ((), ("time",)),
    (("time",), ("place",)),
    ((), ("who",)),
    ((), ("thing",)),
    ((), ("place", "time")),
    ((), ("does",)),
    (("time",), ("thing", "place")),
    ((), ("does", "thing")),
    ((), ("who", "place", "time")),
    ((), ("who", "does", "thing")),
    ((), ("does", "thing", "place", "time")),
    ((), ("who", "does", "thing", "place", "time")),
)


def similarity(left_out: tuple[str, ...], changed: tuple[str, ...]) -> float:
    """Return how similar two sentences are, 0 to 5."""
    return round(5 - sum(WEIGHTS[part] for part in changed) - sum(WEIGHTS[part] / 2 for part in left_out), 1)


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a pair of sentences; all levels of similarity take turns."""
    left_out, changed = LEVELS[at % len(LEVELS)]
    first, second = {}, {}
    for part, words in POOLS.items():
        one, other = words.sample(random, unseen, 2)
        first[part] = random.choice(one.split("|"))
        second[part] = random.choice((other if part in changed else one).split("|"))
    template = random.choice(HELD_OUT if unseen else SEEN)
    shorter = template
    for part in left_out:
        shorter = shorter.replace(f"{{{part}}}", "")
    return {
        "sentence1": _told(template, first),
        "sentence2": _told(shorter, second),
        "label": similarity(left_out, changed),
        "scenario": "place-first" if unseen else "place-later",
    }


def _told(template: str, parts: dict[str, str]) -> str:
    return sentence(" ".join(template.format_map(parts).replace(" ,", ",").split()).lstrip(", ")) + "."


STSB = DataSet(name="stsb", write=write, inputs=("sentence1", "sentence2"))
