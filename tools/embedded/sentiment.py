"""Sentences of reviews that praise or complain: shaped like SST-2 (Socher et al. 2013).

Some say it outright, some by a negation, some praise one thing and complain about another; then the last word decides.
"""

from random import Random

from tools.embedded.splits import DataSet, Record, pool, sentence
from tools.zoo.corpus.words import NAMES

LABELS = ("negative", "positive")

PEOPLE = pool(NAMES)
# What is reviewed, and its parts.
SEEN = {
    "film": ("story", "ending", "music", "cast", "first half", "camera work"),
    "restaurant": ("soup", "service", "bread", "dessert", "wine list", "fish"),
    "hotel": ("room", "breakfast", "bed", "view", "front desk", "bathroom"),
    "book": ("plot", "first chapter", "language", "hero", "last page", "cover"),
    "shop": ("staff", "choice", "delivery", "price", "fitting room", "return desk"),
    "course": ("teacher", "homework", "textbook", "classroom", "exam", "pace"),
}
HELD_OUT = {
    "concert": ("singer", "drummer", "sound", "encore", "stage light", "violin solo"),
    "headphone": ("battery", "bass", "cushion", "cable", "volume knob", "charging case"),
    "ferry": ("deck", "captain", "crossing", "cabin", "boarding", "sun terrace"),
}
PRAISE = ("excellent", "wonderful", "charming", "delightful", "outstanding", "lovely", "brilliant", "superb")
BLAME = ("dreadful", "boring", "chaotic", "poor", "awful", "terrible", "worthless", "disappointing")
LIKES = ("loved", "enjoyed", "admired", "praised")
DISLIKES = ("hated", "regretted", "disliked", "could not stand")
ALWAYS = ("from start to end", "on the whole", "in every way", "this time", "once more", "as we had heard")

TEMPLATES = (
    "the {part} of the {thing} was {good}, {name} said",
    "{name} {likes} the {part} of this {thing} {always}",
    "for {name}, the {part} was {good} and the {part2} was {good2}",
    "the {part} of the {thing} was not {bad} at all, {name} found",
    "no one who came with {name} called the {part} of the {thing} {bad}",
    "the {part} was {bad}, but the {part2} of the {thing} was so {good} that {name} will come back",
    "at first the {part} of the {thing} seemed {bad}, but in the end {name} found it {good}",
    "what {name} will remember of the {thing} is the {part}, which was {good} {always}",
)
NEVER_BACK = {"so {good} that {name} will come back": "so {good} that {name} will never come back"}


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a sentence; the labels take turns."""
    things = HELD_OUT if unseen else SEEN
    thing = random.choice(tuple(things))
    positive = at % 2 == 1
    part, part2 = random.sample(things[thing], 2)
    good, good2 = random.sample(PRAISE if positive else BLAME, 2)
    template = random.choice(TEMPLATES)
    if not positive:
        for praise, blame in NEVER_BACK.items():
            template = template.replace(praise, blame)
    text = template.format(
        part=part,
        part2=part2,
        thing=thing,
        name=PEOPLE.draw(random, unseen),
        good=good,
        good2=good2,
        bad=random.choice(BLAME if positive else PRAISE),
        likes=random.choice(LIKES if positive else DISLIKES),
        always=random.choice(ALWAYS),
    )
    return {"sentence": sentence(text) + ".", "label": LABELS[positive], "scenario": thing}


SENTIMENT = DataSet(name="sentiment", write=write, inputs=("sentence",))
