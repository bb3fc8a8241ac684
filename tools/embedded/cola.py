"""Sentences that are English, or nearly: shaped like CoLA (Warstadt et al. 2019). Each rule of grammar is a scenario."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tools.embedded.splits import DataSet, Record, pool, sentence, with_article
from tools.zoo.corpus.words import NAMES

LABELS = ("acceptable", "unacceptable")

PEOPLE = pool(NAMES)
PLURALS = {
    "teacher": "teachers", "farmer": "farmers", "singer": "singers", "driver": "drivers", "child": "children",
    "baker": "bakers", "sailor": "sailors", "king": "kings", "nurse": "nurses", "doctor": "doctors",
    "student": "students", "painter": "painters", "woman": "women", "clerk": "clerks", "cook": "cooks",
    "pilot": "pilots", "man": "men", "neighbour": "neighbours", "guest": "guests", "waiter": "waiters",
}  # fmt: skip
NOUNS = pool(list(PLURALS))
THINGS = pool(
    "apple book egg table orange letter umbrella car clock onion window engine chair island lamp picture box "
    "artichoke shoe ticket axe bottle map envelope coat oven kite statue".split()
)
ADJECTIVES = pool("red small heavy broken green round cheap dusty blue long empty shiny".split())
PLACES = pool("garden kitchen park market station village harbour tower forest library cellar chapel".split())


@dataclass(frozen=True, slots=True)
class Verb:
    """The forms of a verb."""

    base: str
    third: str
    past: str
    participle: str


def _verbs(rows: str) -> dict[str, Verb]:
    return {line.split()[0]: Verb(*line.split()) for line in rows.strip().splitlines()}


WITH_OBJECT = _verbs("""
see sees saw seen
take takes took taken
break breaks broke broken
draw draws drew drawn
hide hides hid hidden
choose chooses chose chosen
give-back gives-back gave-back given-back
forget forgets forgot forgotten
steal steals stole stolen
shake shakes shook shaken
throw throws threw thrown
bite bites bit bitten
""")
WITHOUT_OBJECT = _verbs("""
sleep sleeps slept slept
arrive arrives arrived arrived
smile smiles smiled smiled
sneeze sneezes sneezed sneezed
fall falls fell fallen
wait waits waited waited
cough coughs coughed coughed
vanish vanishes vanished vanished
""")
TRANSITIVE, INTRANSITIVE = pool(list(WITH_OBJECT)), pool(list(WITHOUT_OBJECT))


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one sentence."""

    name: str
    noun: str
    nouns: str
    thing: str
    thing2: str
    adjective: str
    place: str
    verb: Verb
    alone: Verb  # takes no object


Pair = tuple[str, str]  # a sentence that is English, and its neighbour that is not


def _agreement(w: Words) -> Pair:
    return (
        f"the {w.nouns} {w.verb.base} the {w.adjective} {w.thing}",
        f"the {w.nouns} {w.verb.third} the {w.adjective} {w.thing}",
    )


def _perfect(w: Words) -> Pair:
    return (
        f"{w.name} has {w.verb.participle} the {w.thing} of the {w.noun}",
        f"{w.name} has {w.verb.base} the {w.thing} of the {w.noun}",
    )


def _article(w: Words) -> Pair:
    right = with_article(w.thing)
    wrong = f"a {w.thing}" if right.startswith("an ") else f"an {w.thing}"
    return (
        f"the {w.noun} in the {w.place} {w.verb.past} {right}",
        f"the {w.noun} in the {w.place} {w.verb.past} {wrong}",
    )


def _order(w: Words) -> Pair:
    return (
        f"{w.name} {w.verb.past} the {w.adjective} {w.thing} in the {w.place}",
        f"{w.name} {w.verb.past} the {w.thing} {w.adjective} in the {w.place}",
    )


def _object(w: Words) -> Pair:
    return f"the {w.noun} {w.alone.past} near the {w.thing}", f"the {w.noun} {w.alone.past} the {w.thing}"


def _reflexive(w: Words) -> Pair:
    return (
        f"the {w.nouns} {w.verb.past} a picture of themselves in the {w.place}",
        f"the {w.nouns} {w.verb.past} a picture of himself in the {w.place}",
    )


def _question(w: Words) -> Pair:
    return (
        f"where did {w.name} {w.verb.base} the {w.adjective} {w.thing}?",
        f"where did {w.name} {w.verb.past} the {w.adjective} {w.thing}?",
    )


def _infinitive(w: Words) -> Pair:
    return (
        f"the {w.noun} wants to {w.verb.base} the {w.thing} of {w.name}",
        f"the {w.noun} wants to {w.verb.third} the {w.thing} of {w.name}",
    )


def _gap(w: Words) -> Pair:
    return (
        f"which {w.thing} did {w.name} {w.verb.base} in the {w.place}?",
        f"which {w.thing} did {w.name} {w.verb.base} the {w.thing2} in the {w.place}?",
    )


def _pronoun(w: Words) -> Pair:
    return (
        f"she and the {w.noun} {w.alone.past} in the {w.place} of {w.name}",
        f"her {w.alone.past} and the {w.noun} in the {w.place} of {w.name}",
    )


def _distant_agreement(w: Words) -> Pair:
    return (
        f"the {w.nouns} beside the {w.thing} {w.alone.base} in the {w.place}",
        f"the {w.nouns} beside the {w.thing} {w.alone.third} in the {w.place}",
    )


def _passive(w: Words) -> Pair:
    return (
        f"the {w.adjective} {w.thing} was {w.verb.participle} by {w.name}",
        f"the {w.adjective} {w.thing} was {w.verb.base} by {w.name}",
    )


def _there(w: Words) -> Pair:
    return (
        f"there are two {w.nouns} with {with_article(w.thing)} in the {w.place}",
        f"there is two {w.nouns} with {with_article(w.thing)} in the {w.place}",
    )


def _modal(w: Words) -> Pair:
    return (
        f"{w.name} can {w.verb.base} the {w.adjective} {w.thing}",
        f"{w.name} can {w.verb.third} the {w.adjective} {w.thing}",
    )


SEEN: dict[str, Callable[[Words], Pair]] = {
    "agreement": _agreement,
    "perfect": _perfect,
    "article": _article,
    "order": _order,
    "object": _object,
    "reflexive": _reflexive,
    "question": _question,
    "infinitive": _infinitive,
    "gap": _gap,
    "pronoun": _pronoun,
}
HELD_OUT: dict[str, Callable[[Words], Pair]] = {
    "distant-agreement": _distant_agreement,
    "passive": _passive,
    "there": _there,
    "modal": _modal,
}


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a sentence; six of ten are acceptable."""
    rules = HELD_OUT if unseen else SEEN
    rule = random.choice(tuple(rules))
    noun = NOUNS.draw(random, unseen)
    thing, thing2 = THINGS.sample(random, unseen, 2)
    words = Words(
        name=PEOPLE.draw(random, unseen),
        noun=noun,
        nouns=PLURALS[noun],
        thing=thing,
        thing2=thing2,
        adjective=ADJECTIVES.draw(random, unseen),
        place=PLACES.draw(random, unseen),
        verb=WITH_OBJECT[TRANSITIVE.draw(random, unseen)],
        alone=WITHOUT_OBJECT[INTRANSITIVE.draw(random, unseen)],
    )
    good = at % 10 < 6
    text = rules[rule](words)[0 if good else 1].replace("-", " ")
    return {
        "sentence": sentence(text if text.endswith("?") else f"{text}."),
        "label": LABELS[0 if good else 1],
        "scenario": rule,
    }


COLA = DataSet(name="cola", write=write, inputs=("sentence",))
