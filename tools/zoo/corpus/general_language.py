"""Tasks about words, lists and small numbers."""

from collections.abc import Callable
from random import Random

from tools.zoo.corpus.general_recall import sentence
from tools.zoo.corpus.general_task import Task, join, one
from tools.zoo.corpus.general_words import COUNTED, DONE_ANYWHERE, KINDS, OBJECTS, OPPOSITES, PAST, PLURALS
from tools.zoo.corpus.words import CITIES, NAMES, TOWN_PLACES


def reverse(random: Random) -> Task:
    """Return a list to reverse."""
    items = random.sample(OBJECTS + NAMES, random.randint(2, 6))
    question = random.choice(
        (
            "Reverse the list.",
            "Write the words from last to first.",
            "Turn the order round.",
            "Say the list backwards.",
        )
    )
    return Task(question, ", ".join(items), ", ".join(reversed(items)))


def move_first_to_end(random: Random) -> Task:
    """Return a list whose first item moves to the end."""
    items = random.sample(OBJECTS + NAMES, random.randint(3, 6))
    question = random.choice(
        (
            "Move the first word to the end.",
            "Put the first item last.",
            "Take the front word and set it at the back.",
            "Reorder: first one goes to the end.",
        )
    )
    return Task(question, ", ".join(items), ", ".join(items[1:] + items[:1]))


def item_of_kind(random: Random) -> Task:
    """Return a list in which one word is of the asked kind."""
    kind, *others = random.sample(list(KINDS), 4)
    right = random.choice(KINDS[kind])
    items = [right, *(random.choice(KINDS[other]) for other in others)]
    random.shuffle(items)
    question = random.choice(
        (
            f"Which word is {one(kind)}?",
            f"Find the {kind} in the list.",
            f"Only one word names {one(kind)}. Which?",
            f"Take out the {kind}.",
            f"{random.choice(NAMES)} needs {one(kind)}. Say which word fits.",
        )
    )
    return Task(question, ", ".join(items), random.choice((right, f"{right} is {one(kind)}.")))


def odd_one(random: Random) -> Task:
    """Return a list in which one word is of another kind."""
    kind, other = random.sample(list(KINDS), 2)
    odd = random.choice(KINDS[other])
    items = [odd, *random.sample(KINDS[kind], 3)]
    random.shuffle(items)
    question = random.choice(
        (
            "Which word does not belong here?",
            "Find the odd one.",
            "One word is different. Which?",
            "What is wrong here?",
        )
    )
    return Task(question, " ".join(items), odd)


def kind_of(random: Random) -> Task:
    """Return a word whose kind is asked."""
    kind = random.choice(list(KINDS))
    word = random.choice(KINDS[kind])
    question = random.choice(
        (
            f"What kind of thing is {word}?",
            f"{word}: which kind of thing?",
            f"Which group does {word} belong to?",
            f"Name the kind: {word}.",
        )
    )
    return Task(question, "", random.choice((kind, f"{one(kind)}.")))


def small_sum(random: Random) -> Task:
    """Return a sum or difference of two small numbers."""
    a, b = random.randint(1, 20), random.randint(1, 20)
    if random.random() < 0.5:
        a, b = max(a, b), min(a, b)
        forms = (f"{a} - {b} = ?", f"What is {a} minus {b}?", f"Take {b} from {a}.", f"{a} less {b} is what?")
        return _calculated(random, forms, f"{a} - {b}", a - b)
    forms = (f"{a} + {b} = ?", f"What is {a} plus {b}?", f"Add {a} and {b}.", f"{a} and {b} make what?")
    return _calculated(random, forms, f"{a} + {b}", a + b)


def small_product(random: Random) -> Task:
    """Return a product or quotient of two small numbers."""
    a, b = random.randint(2, 6), random.randint(2, 6)
    if random.random() < 0.4:
        forms = (
            f"{a * b} / {a} = ?",
            f"Divide {a * b} by {a}.",
            f"Split {a * b} into {a} equal parts.",
            f"{a * b} by {a} is what?",
        )
        return _calculated(random, forms, f"{a * b} / {a}", b)
    forms = (f"{a} * {b} = ?", f"What is {a} times {b}?", f"Multiply {a} by {b}.", f"{a} times {b} is what?")
    return _calculated(random, forms, f"{a} * {b}", a * b)


def _calculated(random: Random, forms: tuple[str, ...], term: str, result: int) -> Task:
    return Task(
        random.choice(forms), "", random.choice((f"{result}", f"{term} = {result}", f"It is {result}."))
    )


def story_sum(random: Random) -> Task:
    """Return a sum or difference told as a story."""
    name, noun = random.choice(NAMES), random.choice(COUNTED)
    a, b = random.randint(3, 15), random.randint(2, 9)
    text, term, result = random.choice(
        (
            (f"{name} holds {a} {noun} and finds {b} more.", f"{a} + {b}", a + b),
            (f"{a} {noun} lie here. {name} lays {b} {noun} next to them.", f"{a} + {b}", a + b),
            (f"{name} had {a + b} {noun}, but {b} were stolen.", f"{a + b} - {b}", a),
            (f"Of {a + b} {noun}, {name} threw away {b}.", f"{a + b} - {b}", a),
        )
    )
    question = random.choice(
        (f"What is the number of {noun} now?", f"Count the {noun}.", f"How many {noun} now?", "Calculate.")
    )
    return Task(question, text, random.choice((f"{term} = {result}.", f"{result}", f"Now it is {result}.")))


def compare(random: Random) -> Task:
    """Return two numbers to compare."""
    a, b = random.sample(range(1, 100), 2)
    bigger = random.random() < 0.5
    word = random.choice(
        ("bigger", "larger", "greater", "higher") if bigger else ("smaller", "lower", "lesser")
    )
    answer = max(a, b) if bigger else min(a, b)
    forms = (
        f"Which is {word}: {a} or {b}?",
        f"{a} or {b}: which is {word}?",
        f"Take the {word} of {a} and {b}.",
    )
    more = (f"Compare {a} with {b}. Which of them is {word}?",)
    return Task(random.choice(forms + more), "", str(answer))


def compare_people(random: Random) -> Task:
    """Return people whose ages are compared."""
    names = random.sample(NAMES, random.randint(2, 4))
    ages = random.sample(range(5, 80), len(names))
    pairs = list(zip(ages, names, strict=True))
    text = join([f"{name} is {age}" for age, name in pairs]) + "."
    if random.random() < 0.5:
        forms = (
            "Who has the most years?",
            "Whose number is the biggest?",
            "Find the highest age.",
            "Who is oldest of all?",
        )
        return Task(random.choice(forms), text, max(pairs)[1])
    forms = (
        "Who has the fewest years?",
        "Whose number is the smallest?",
        "Find the lowest age.",
        "Who is youngest of all?",
    )
    return Task(random.choice(forms), text, min(pairs)[1])


def opposite(random: Random) -> Task:
    """Return a word whose opposite is asked."""
    pair = list(random.choice(OPPOSITES))
    random.shuffle(pair)
    forms = (
        "Opposite of {}?",
        "What is not {} but the other way round?",
        "{}: give the opposite.",
        "Turn {} into its opposite.",
    )
    return Task(random.choice(forms).format(pair[0]), "", pair[1])


def plural(random: Random) -> Task:
    """Return a noun whose plural is asked."""
    single, many = random.choice(PLURALS)
    forms = (
        "Plural of {}?",
        "One {}, two what?",
        "{}: write it for many.",
        "What do we call more than one {}?",
    )
    return Task(random.choice(forms).format(single), "", random.choice((many, f"two {many}")))


def past_tense(random: Random) -> Task:
    """Return a verb whose past tense is asked."""
    base, past = random.choice(PAST)
    name = random.choice(NAMES)
    forms = (
        f"Past tense of {base}?",
        f"Today they {base}. Yesterday they did what?",
        f"{base}: write it for yesterday.",
        f"{name} will {base}. Yesterday {name} did it already. Which form?",
    )
    return Task(random.choice(forms), "", random.choice((past, f"{past}.")))


def entails(random: Random) -> Task:
    """Return facts and a statement that follows from them or does not."""
    names = random.sample(NAMES, random.randint(2, 3))
    cities, things = random.sample(CITIES, len(names)), random.sample(OBJECTS, len(names))
    text = " ".join(
        f"{name} is in {city} with {one(thing)}."
        for name, city, thing in zip(names, cities, things, strict=True)
    )
    asked, told = random.randrange(len(names)), random.randrange(len(names))
    claim, fact = random.choice(
        (
            (f"in {cities[told]}", f"in {cities[asked]}"),
            (f"with {one(things[told])}", f"with {one(things[asked])}"),
        )
    )
    question = random.choice(
        (
            f"Is {names[asked]} {claim}?",
            f"True or not: {names[asked]} is {claim}. Say yes or no.",
            f"Yes or no? {names[asked]} is {claim}.",
            f"Does it say that {names[asked]} is {claim}?",
        )
    )
    short, full = (
        ("Yes.", f"Yes, {names[asked]} is {fact}.")
        if claim == fact
        else ("No.", f"No, {names[asked]} is {fact}.")
    )
    return Task(question, text, random.choice((short, full)))


def initials(random: Random) -> Task:
    """Return words to capitalise, or whose first letters are asked."""
    items = random.sample(NAMES + OBJECTS, random.randint(2, 4))
    if random.random() < 0.5:
        forms = ("Write each word with a big first letter.", "Capital letters at the start, please.")
        more = ("Make the first letters big.", "Begin every word with a capital.")
        return Task(random.choice(forms + more), " ".join(items).lower(), " ".join(items).title())
    forms = ("Write only the first letters, in capitals.", "Give the initials.")
    more = ("Which initials do the words have?", "First letter of each word?")
    return Task(random.choice(forms + more), " ".join(items), " ".join(item[0].upper() for item in items))


def sort_numbers(random: Random) -> Task:
    """Return numbers to sort."""
    numbers = random.sample(range(1, 60), random.randint(2, 5))
    upward = random.random() < 0.7
    question = random.choice(
        (
            "Sort the numbers.",
            "Order from small to big.",
            "Smallest number first, please.",
            "Put the numbers in order.",
        )
        if upward
        else (
            "Order from big to small.",
            "Biggest number first, please.",
            "Sort downward.",
            "Sort, the highest in front.",
        )
    )
    ordered = sorted(numbers, reverse=not upward)
    return Task(question, " ".join(map(str, numbers)), " ".join(map(str, ordered)))


def sentence_to_order(random: Random) -> Task:
    """Return a sentence in which a name is to be moved, and the rest copied."""
    name, other = random.sample(NAMES, 2)
    place, thing = random.choice(TOWN_PLACES), random.choice(OBJECTS)
    question, text, answer = random.choice(
        (
            (
                "Name {} first.",
                f"{other} and {name} have {one(thing)}.",
                f"{name} and {other} have {one(thing)}.",
            ),
            ("Begin with the place, then {}.", f"{name} is at the {place}.", f"At the {place} is {name}."),
            ("Ask this about {}.", f"{name} is at the {place}.", f"Is {name} at the {place}?"),
            (
                "Say that it is not so for {}.",
                f"{name} has {one(thing)}.",
                f"{name} does not have {one(thing)}.",
            ),
            ("Let {} do it tomorrow.", f"{name} goes to the {place}.", f"{name} will go to the {place}."),
        )
    )
    return Task(question.format(name), text, answer)


def sentence_past(random: Random) -> Task:
    """Return a sentence to put into the past tense."""
    name, other = random.sample(NAMES, 2)
    base, past = random.choice([(base, past) for base, past in PAST if base in DONE_ANYWHERE])
    text = (
        f"{name} and {other} {{}} at the {random.choice(TOWN_PLACES)} {random.choice(('again', 'together'))}."
    )
    forms = (
        "Tell it as past.",
        "Set the verb to its form for yesterday.",
        "It is long ago: say it so.",
        "Past form?",
    )
    return Task(random.choice(forms), text.format(base), text.format(past))


def count_words(random: Random) -> Task:
    """Return words to count."""
    items = random.sample(OBJECTS + NAMES, random.randint(1, 7))
    forms = ("How many words are here?", "Count the words.", "Number of words?", "How long is the list?")
    return Task(random.choice(forms), " ".join(items), str(len(items)))


def about_whom(random: Random) -> Task:
    """Return a sentence whose person is asked."""
    name = random.choice(NAMES)
    forms = (
        "Which person comes first in the text?",
        "Name somebody from the text.",
        "About whom do we read?",
        "Who is it about?",
    )
    return Task(random.choice(forms), sentence(random, name), name)


LANGUAGE: tuple[Callable[[Random], Task], ...] = (
    reverse, move_first_to_end, item_of_kind, odd_one, kind_of, small_sum, small_product, story_sum, compare,
    compare_people, opposite, plural, past_tense, entails, initials, sort_numbers, sentence_to_order,
    sentence_past, count_words, about_whom,
)  # fmt: skip
