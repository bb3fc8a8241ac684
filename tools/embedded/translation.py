"""English sentences and their German, by a small grammar: articles, endings of adjectives, plurals, word order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tools.embedded import german
from tools.embedded.german import Adjective, Noun, Phrase, Verb
from tools.embedded.splits import DataSet, Record, sentence, with_article

Word = TypeVar("Word")
Pair = tuple[str, str]  # English, German

EVERY = 4  # every fourth word is only in unseen samples


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one sentence."""

    who: Noun
    thing: Noun
    of_who: Adjective
    of_thing: Adjective
    verb: Verb
    place: Phrase
    time: Phrase


def _definite(w: Words) -> Pair:
    return (
        f"the {w.of_who.english} {w.who.english} {w.verb.english_third} the {w.thing.english}",
        f"{german.the(w.who, w.of_who, 'nominative')} {w.verb.german_third} {german.the(w.thing, None, 'accusative')}",
    )


def _indefinite(w: Words) -> Pair:
    thing = with_article(f"{w.of_thing.english} {w.thing.english}")
    return (
        f"the {w.who.english} {w.verb.english_third} {thing} {w.place.english}",
        f"{german.the(w.who, None, 'nominative')} {w.verb.german_third} {w.place.german} "
        f"{german.a(w.thing, w.of_thing, 'accusative')}",
    )


def _plural(w: Words) -> Pair:
    return (
        f"the {w.of_who.english} {w.who.english_plural} {w.verb.english} the {w.thing.english_plural}",
        f"{german.the(w.who, w.of_who, 'nominative', plural=True)} {w.verb.german} "
        f"{german.the(w.thing, None, 'accusative', plural=True)}",
    )


def _time_first(w: Words) -> Pair:
    return (
        f"{w.time.english} the {w.who.english} {w.verb.english_third} the {w.of_thing.english} {w.thing.english}",
        f"{w.time.german} {w.verb.german_third} {german.the(w.who, None, 'nominative')} "
        f"{german.the(w.thing, w.of_thing, 'accusative')}",
    )


def _past(w: Words) -> Pair:
    who = with_article(f"{w.of_who.english} {w.who.english}")
    return (
        f"{who} {w.verb.english_past} the {w.of_thing.english} {w.thing.english}",
        f"{german.a(w.who, w.of_who, 'nominative')} {w.verb.german_past} "
        f"{german.the(w.thing, w.of_thing, 'accusative')}",
    )


def _negation(w: Words) -> Pair:
    return (
        f"the {w.who.english} does not {w.verb.english} the {w.of_thing.english} {w.thing.english}",
        f"{german.the(w.who, None, 'nominative')} {w.verb.german_third} "
        f"{german.the(w.thing, w.of_thing, 'accusative')} nicht",
    )


def _question(w: Words) -> Pair:
    return (
        f"does the {w.of_who.english} {w.who.english} {w.verb.english} the {w.thing.english}?",
        f"{w.verb.german_third} {german.the(w.who, w.of_who, 'nominative')} "
        f"{german.the(w.thing, None, 'accusative')}?",
    )


def _wants(w: Words) -> Pair:
    return (
        f"the {w.who.english} wants to {w.verb.english} {with_article(f'{w.of_thing.english} {w.thing.english}')}",
        f"{german.the(w.who, None, 'nominative')} will {german.a(w.thing, w.of_thing, 'accusative')} {w.verb.german}",
    )


def _clause(w: Words) -> Pair:
    return (
        f"we know that the {w.who.english} {w.verb.english_third} the {w.of_thing.english} {w.thing.english}",
        f"wir wissen, dass {german.the(w.who, None, 'nominative')} "
        f"{german.the(w.thing, w.of_thing, 'accusative')} {w.verb.german_third}",
    )


def _past_plural(w: Words) -> Pair:
    return (
        f"{w.time.english} the {w.who.english_plural} {w.verb.english_past} the {w.thing.english}",
        f"{w.time.german} {w.verb.german_past_plural} {german.the(w.who, None, 'nominative', plural=True)} "
        f"{german.the(w.thing, None, 'accusative')}",
    )


def _place_first(w: Words) -> Pair:
    return (
        f"{w.place.english} the {w.of_who.english} {w.who.english} {w.verb.english_third} {with_article(w.thing.english)}",
        f"{w.place.german} {w.verb.german_third} {german.the(w.who, w.of_who, 'nominative')} "
        f"{german.a(w.thing, None, 'accusative')}",
    )


SEEN: dict[str, Callable[[Words], Pair]] = {
    "definite": _definite,
    "indefinite": _indefinite,
    "plural": _plural,
    "time-first": _time_first,
    "past": _past,
    "negation": _negation,
    "question": _question,
    "wants": _wants,
}
HELD_OUT: dict[str, Callable[[Words], Pair]] = {
    "clause": _clause,
    "past-plural": _past_plural,
    "place-first": _place_first,
}


def _pick(words: Sequence[Word], random: Random, unseen: bool) -> Word:
    """Return one of the words; every fourth is only in unseen samples."""
    return random.choice([word for at, word in enumerate(words, start=1) if (at % EVERY == 0) == unseen])


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a sentence with its translation."""
    rules = HELD_OUT if unseen else SEEN
    rule = random.choice(tuple(rules))
    words = Words(
        who=_pick(german.PEOPLE, random, unseen),
        thing=_pick(german.THINGS, random, unseen),
        of_who=_pick(german.OF_PEOPLE, random, unseen),
        of_thing=_pick(german.OF_THINGS, random, unseen),
        verb=_pick(german.VERBS, random, unseen),
        place=_pick(german.PLACES, random, unseen),
        time=_pick(german.TIMES, random, unseen),
    )
    english, translated = rules[rule](words)
    return {"en": _ended(english), "de": _ended(translated), "scenario": rule}


def _ended(text: str) -> str:
    return sentence(text if text.endswith("?") else f"{text}.")


TRANSLATION = DataSet(name="translate-en-de", write=write, inputs=("en",))
