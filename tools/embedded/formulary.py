"""A formulary that is made up: its medicines, illnesses and effects do not exist, so nothing in it can be advice."""

from dataclasses import dataclass
from random import Random

from tools.embedded.splits import pool

INVENTED = (
    "The medicine in it is made up: these drugs, illnesses and effects do not exist. "
    "Nothing in it may be used as advice."
)

DRUGS = pool(
    "Velorin Tasmodel Quarrimol Bexolan Jundarine Orvexil Plimotan Drusefin Kaltorex Mirovane Zephadol Norquatil Fendrisol "
    "Hulbamine Wextorin Graldipan Yostaril Cambrevol Loquistan Rindamex Ubrelone Skartivol Tombraxin Averdolin".split()
)
ILLNESSES = pool(
    [
        "dune fever", "glass cough", "marsh rash", "lantern eye", "bell ear", "copper throat", "moss itch", "river cramp",
        "ash lung", "velvet skin", "clockwork pulse", "tin stomach", "salt knee", "feather sleep", "thistle hand",
        "harbour ague",
    ]
)  # fmt: skip
CONDITIONS = pool(
    [
        "a slow heart", "a tender liver", "thin blood", "a stone in the kidney", "brittle bones", "a soft palate",
        "a narrow throat", "weak veins",
    ]
)  # fmt: skip
EFFECTS = pool(
    [
        "blue fingertips", "a taste of tin", "loud dreams", "cold ears", "a dry nose", "heavy eyelids", "hiccups at night",
        "warm feet", "green nails", "a ringing jaw", "a numb tongue", "itchy elbows",
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the formulary."""

    drug: str
    treats: str
    not_with: str
    effect: str
    milligrams: int  # for each ten kilograms

    def __str__(self) -> str:
        return (
            f"{self.drug}: for {self.treats}; {self.milligrams} mg per 10 kg; not with {self.not_with}; "
            f"may cause {self.effect}."
        )


def page(random: Random, unseen: bool) -> list[Entry]:
    """Return four entries: the first two treat the same illness, and their conditions differ."""
    drugs = DRUGS.sample(random, unseen, 4)
    same, third, fourth = ILLNESSES.sample(random, unseen, 3)
    first, second = CONDITIONS.sample(random, unseen, 2)
    conditions = (first, second, CONDITIONS.draw(random, unseen), CONDITIONS.draw(random, unseen))
    effects = random.sample((*EFFECTS.seen, *EFFECTS.unseen) if unseen else EFFECTS.seen, 4)
    doses = random.sample(range(2, 13), 4)
    return [
        Entry(*row)
        for row in zip(drugs, (same, same, third, fourth), conditions, effects, doses, strict=True)
    ]
