"""Questions to a service desk with a good answer and a worse one: wrong, rude, off the topic, or without an answer.

The good answer is polite, right and short. Rude and wandering answers may be longer than the good one, so that length alone
does not tell them apart.
"""

from dataclasses import dataclass
from random import Random

from tools.embedded.splits import DataSet, Record, pool
from tools.zoo.corpus.words import NAMES

PEOPLE = pool(NAMES)
HOURS = pool("six seven eight nine ten eleven noon one two three four five".split())


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that people ask about: how it is told, how it is asked for, and which values it can have."""

    fact: str
    question: str
    answer: str
    values: tuple[str, ...]


SEEN = {
    "opening": Topic("The {place} opens at {value}.", "When does the {place} open?", "The {place} opens at {value}.",
                     HOURS.seen),
    "price": Topic("A ticket for the {place} costs {value} euros.", "What does a ticket for the {place} cost?",
                   "It costs {value} euros.", ("four", "six", "eight", "ten", "twelve", "fifteen")),
    "where": Topic("The {place} is {value}.", "Where do I find the {place}?", "You find it {value}.",
                   ("behind the station", "beside the bridge", "in the main street", "near the church", "at the harbour")),
    "dogs": Topic("Dogs are {value} in the {place}.", "May I bring my dog to the {place}?", "Dogs are {value} there.",
                  ("allowed", "not allowed", "allowed on a lead", "welcome")),
    "bus": Topic("Bus {value} goes to the {place}.", "Which bus goes to the {place}?", "Take bus {value}.",
                 ("two", "five", "seven", "nine", "eleven", "twenty")),
}  # fmt: skip
HELD_OUT = {
    "closing": Topic("The last visitors leave the {place} at {value}.", "Until when can I stay in the {place}?",
                     "You can stay until {value}.", HOURS.unseen),
    "guide": Topic("Tours of the {place} are given by {value}.", "Who gives the tours of the {place}?",
                   "The tours are given by {value}.", ("a gardener", "the owner", "two students", "a retired captain")),
    "food": Topic("The kitchen of the {place} serves {value}.", "What can I eat in the {place}?",
                  "The kitchen serves {value}.", ("waffles", "dumplings", "pancakes", "lentils")),
}  # fmt: skip
PLACES = pool(
    "museum library pool theatre zoo castle cinema bakery gallery stadium market lighthouse".split()
)

POLITE = (
    "Good question, {name}! {answer}",
    "Gladly, {name}. {answer} Enjoy your visit!",
    "{answer} Is there more that I can do for you, {name}?",
    "Thank you for asking, {name}. {answer}",
)
RUDE = (
    "{answer} You could have read that on the door yourself, {name}, like everybody else does.",
    "Not again. {answer} Do not waste my time, {name}.",
    "Can you not read, {name}? {answer}",
)
OFF_TOPIC = (
    "The {place} is a fine place, {name}. Many people like it, and the weather has been good this week.",
    "{name}, did you know that the roof of the {place} was painted in spring? It took three weeks.",
    "I like the {place} too, {name}!",
)
EMPTY = (
    "I do not know, {name}.",
    "Please ask somebody else, {name}. I have no time to look it up today.",
    "Maybe.",
)
FAULTS = ("wrong", "rude", "off-topic", "no-answer")


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a question with a good answer and a worse one; the faults take turns."""
    topics = HELD_OUT if unseen else SEEN
    scenario = random.choice(tuple(topics))
    topic, fault = topics[scenario], FAULTS[at % len(FAULTS)]
    value, wrong = random.sample(topic.values, 2)
    slots = {"name": PEOPLE.draw(random, unseen), "place": PLACES.draw(random, unseen), "value": value}
    right = topic.answer.format_map(slots)
    polite, other = random.sample(POLITE, 2)
    worse = {
        "wrong": other.format(**slots, answer=topic.answer.format_map({**slots, "value": wrong})),
        "rude": random.choice(RUDE).format(**slots, answer=right),
        "off-topic": random.choice(OFF_TOPIC).format_map(slots),
        "no-answer": random.choice(EMPTY).format_map(slots),
    }
    return {
        "prompt": f"{topic.fact.format_map(slots)}\n{slots['name']}: {topic.question.format_map(slots)}",
        "chosen": polite.format(**slots, answer=right),
        "rejected": worse[fault],
        "fault": fault,
        "scenario": scenario,
    }


PREFERENCES = DataSet(name="preferences", write=write, inputs=("prompt", "chosen", "rejected"))
