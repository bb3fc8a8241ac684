"""Tasks whose answer stands in the text: look up, copy, repeat.

From these a small model learns to carry names and things from the prompt into the answer.
"""

import re
from collections.abc import Callable
from random import Random

from tools.zoo.corpus.general_task import Task, join, one
from tools.zoo.corpus.general_words import ADJECTIVES, COUNTED, DEEDS, MOVES, OBJECTS
from tools.zoo.corpus.words import (
    CITIES,
    COLOURS,
    DAYS,
    FOODS,
    HOME_PLACES,
    HOURS,
    JOBS,
    NAMES,
    TOWN_PLACES,
)

ATTRIBUTES = (  # what a person may have, and its values
    ("colour", COLOURS),
    ("city", CITIES),
    ("day", DAYS),
    ("food", FOODS),
    ("job", JOBS),
    ("object", OBJECTS),
    ("number", tuple(str(number) for number in range(1, 100))),
)


def look_up(random: Random) -> Task:
    """Return a table and a question for somebody's value."""
    noun, values, names = _table(random)
    name, value = random.choice(list(zip(names, values, strict=True)))
    question = random.choice(
        (
            f"Which {noun} does {name} have?",
            f"Name the {noun} of {name}.",
            f"What is the {noun} of {name}?",
            f"Look up {name} and give the {noun}.",
            f"{name}'s {noun}?",
            f"Find the {noun} that stands next to {name}.",
        )
    )
    answer = random.choice((value, f"{value}.", f"{name}: {value}.", f"The {noun} of {name} is {value}."))
    return Task(question, _write_table(random, names, values), answer)


def look_up_owner(random: Random) -> Task:
    """Return a table and a question for the owner of a value."""
    noun, values, names = _table(random)
    name, value = random.choice(list(zip(names, values, strict=True)))
    question = random.choice(
        (
            f"Who has the {noun} {value}?",
            f"Which name belongs to {value}?",
            f"Whose {noun} is {value}?",
            f"Find the person for {value}.",
            f"Who goes with {value}?",
        )
    )
    answer = random.choice((name, f"{name}.", f"{value}: {name}.", f"It belongs to {name}."))
    return Task(question, _write_table(random, names, values), answer)


def _table(random: Random) -> tuple[str, list[str], list[str]]:
    noun, pool = random.choice(ATTRIBUTES)
    rows = random.randint(2, 7)
    return noun, random.sample(pool, rows), random.sample(NAMES, rows)


def _write_table(random: Random, names: list[str], values: list[str]) -> str:
    between, after = random.choice(
        ((": ", ". "), (" = ", ", "), (" - ", "\n"), (" has ", ". "), (" / ", "; "))
    )
    return after.join(f"{name}{between}{value}" for name, value in zip(names, values, strict=True)) + "."


def sentence(random: Random, name: str) -> str:
    """Return a random sentence about the person."""
    other = random.choice([other for other in random.sample(NAMES, 2) if other != name])
    adjective, thing = random.choice(ADJECTIVES), random.choice(OBJECTS)
    place, (past, _) = random.choice(TOWN_PLACES), random.choice(DEEDS)
    return random.choice(
        (
            f"{name} {past} {one(f'{adjective} {thing}')} at the {place}.",
            f"{name} {random.choice(MOVES)} to the {place} with {one(thing)}.",
            f"On {random.choice(DAYS)} {name} {past} the {thing}.",
            f"{name} put the {adjective} {thing} in the {random.choice(HOME_PLACES)}.",
            f"{name} gave {one(thing)} to {other}.",
            f"{name} and {other} {past} the {adjective} {thing}.",
        )
    )


def copy_text(random: Random) -> Task:
    """Return a text to copy."""
    text = " ".join(sentence(random, name) for name in random.sample(NAMES, random.randint(1, 2)))
    question = random.choice(
        ("Copy the text.", "Write the same text again.", "Repeat this word for word.", "Say it once more.")
    )
    return Task(question, text, text)


def copy_sentence(random: Random) -> Task:
    """Return a text of which one sentence is to be copied."""
    names = random.sample(NAMES, random.randint(2, 4))
    sentences = [sentence(random, name) for name in names]
    place = random.randrange(len(names))
    ordinal = ("first", "second", "third", "fourth")[place]
    question = random.choice(
        (
            f"Copy the {ordinal} sentence.",
            f"Write down only sentence number {place + 1}.",
            f"What does the {ordinal} sentence say?",
            f"Repeat the {ordinal} of the sentences.",
        )
    )
    return Task(question, " ".join(sentences), sentences[place])


def repeat_list(random: Random) -> Task:
    """Return a list and its first part again: the answer is the rest of the list."""
    items = random.sample(NAMES + OBJECTS, random.randint(4, 8))
    start = random.randint(1, len(items) - 2)
    question = random.choice(
        ("Go on with the list.", "Continue as before.", "What comes next?", "Say the rest of the row again.")
    )
    return Task(question, f"{' '.join(items)}. {' '.join(items[:start])}", " ".join(items[start:]))


def copy_word(random: Random) -> Task:
    """Return a list of which the word at some place is asked."""
    items = random.sample(OBJECTS + NAMES, random.randint(3, 7))
    place = random.randrange(min(len(items), 4))
    ordinal, answer = ("first", "second", "third", "fourth")[place], items[place]
    if random.random() < 0.3:
        ordinal, answer = "last", items[-1]
    question = random.choice(
        (
            f"Give the {ordinal} item of the list.",
            f"Which word is the {ordinal} one?",
            f"Name the {ordinal} word.",
            f"What stands in the {ordinal} place?",
            f"Copy only the {ordinal} word.",
        )
    )
    return Task(question, ", ".join(items), answer)


def neighbour(random: Random) -> Task:
    """Return a list in which the word beside another is asked."""
    items = random.sample(OBJECTS + NAMES, random.randint(4, 8))
    place = random.randrange(len(items) - 1)
    first, second = items[place], items[place + 1]
    if random.random() < 0.5:
        forms = (
            "Which word comes after {}?",
            "What follows {}?",
            "Name the word behind {}.",
            "What comes right after {}?",
        )
        return Task(random.choice(forms).format(first), " ".join(items), second)
    forms = (
        "Which word comes before {}?",
        "What is in front of {}?",
        "Name the word before {}.",
        "What is right before {}?",
    )
    return Task(random.choice(forms).format(second), " ".join(items), first)


def passage(random: Random) -> Task:
    """Return a question about one of several facts, each with its own person."""
    names = random.sample(NAMES, random.randint(1, 4))
    things, places = random.sample(OBJECTS, len(names)), random.sample(TOWN_PLACES, len(names))
    days, hours = random.sample(DAYS, len(names)), random.sample(HOURS, len(names))
    past, base = random.choice(DEEDS)
    sentences = [
        random.choice(
            (
                f"{name} {past} {one(thing)} at the {place} on {day} at {hour}.",
                f"On {day} at {hour}, {name} {past} {one(thing)} at the {place}.",
                f"At the {place}, {name} {past} {one(thing)}. That was on {day} at {hour}.",
            )
        )
        for name, thing, place, day, hour in zip(names, things, places, days, hours, strict=True)
    ]
    asked = random.randrange(len(names))
    name, thing, place = names[asked], things[asked], places[asked]
    question, short, full = random.choice(
        (
            (f"Who {past} {one(thing)}?", f"{name}.", f"{name} {past} {one(thing)}."),
            (f"What did {name} {base}?", f"{one(thing)}.", f"{name} {past} {one(thing)}."),
            (f"Where did {name} {base} it?", f"At the {place}.", f"{name} {past} it at the {place}."),
            (f"When did {name} {base} it?", f"On {days[asked]}.", f"It was on {days[asked]}."),
            (
                f"At what hour was {name} there?",
                f"At {hours[asked]}.",
                f"{name} was there at {hours[asked]}.",
            ),
            (f"Which person was at the {place}?", f"{name}.", f"{name} was at the {place}."),
        )
    )
    lead = random.choice(("", "", "Read and reply. ", "A question on the story: ", "Short question: "))
    answer = random.choice((short, full))
    return Task(lead + question, " ".join(sentences), answer[0].upper() + answer[1:])


def how_many(random: Random) -> Task:
    """Return a text with several counts, one of which is asked."""
    name = random.choice(NAMES)
    counted = random.sample(COUNTED, random.randint(2, 4))
    numbers = [str(number) for number in random.sample(range(2, 60), len(counted))]
    number, noun = random.choice(list(zip(numbers, counted, strict=True)))
    listed = join([f"{n} {c}" for n, c in zip(numbers, counted, strict=True)])
    text = random.choice(
        (f"{name} has {listed}.", f"There are {listed} in the box of {name}.", f"{name} counted {listed}.")
    )
    question = random.choice(
        (
            f"How many {noun}?",
            f"What is the number of {noun}?",
            f"Count of {noun}?",
            f"How many {noun} are there?",
        )
    )
    return Task(question, text, random.choice((number, f"{number} {noun}.", f"There are {number} {noun}.")))


def replace_word(random: Random) -> Task:
    """Return a sentence in which a word is to be replaced."""
    name, new_name = random.sample(NAMES, 2)
    text = sentence(random, name)
    thing = next(word for word in OBJECTS if re.search(rf"\b{word}\b", text))
    new_thing = random.choice([word for word in random.sample(OBJECTS, 2) if word != thing])
    old, new = random.choice(((name, new_name), (thing, new_thing)))
    question = random.choice(
        (
            f"Replace {old} by {new}.",
            f"Put {new} where {old} stands.",
            f"Change {old} into {new}.",
            f"Use {new} instead of {old}.",
        )
    )
    return Task(question, text, re.sub(rf"\b{old}\b", new, text))


def gap_from_text(random: Random) -> Task:
    """Return a text, and one of its sentences with a gap to fill."""
    names = random.sample(NAMES, random.randint(1, 3))
    sentences = [sentence(random, name) for name in names]
    asked = random.choice(sentences)
    word = random.choice([word for word in OBJECTS + NAMES if f" {word} " in f" {asked.replace('.', ' ')}"])
    gap = random.choice(("___", "...", "(?)"))
    question = random.choice(
        ("Fill the gap.", "Which word is missing?", "Complete the last sentence.", "Write the missing word.")
    )
    return Task(question, f"{' '.join(sentences)} {_without(asked, word, gap)}", word)


def _without(text: str, word: str, gap: str) -> str:
    return " ".join(part.replace(word, gap) if part.strip(".") == word else part for part in text.split())


RECALL: tuple[Callable[[Random], Task], ...] = (
    look_up, look_up, look_up_owner, copy_text, copy_sentence, repeat_list, copy_word, neighbour, passage,
    passage, how_many, replace_word, gap_from_text,
)  # fmt: skip
