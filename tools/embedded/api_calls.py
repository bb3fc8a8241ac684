"""Instructions with documented functions and the call that does what is asked: shaped like APIBench (Patil et al. 2023)."""

from dataclasses import dataclass
from random import Random

from tools.embedded.splits import DataSet, Pool, Record, pool
from tools.zoo.corpus import words

VALUES: dict[str, Pool] = {
    "name": pool(words.NAMES),
    "city": pool(words.CITIES),
    "day": Pool(words.DAYS[:5], words.DAYS[5:]),
    "thing": pool(words.THINGS),
    "food": pool(words.GROCERIES),
    "colour": pool(words.COLOURS),
    "subject": pool(words.SUBJECTS),
    "sport": pool(words.SPORTS),
    "number": pool([str(number) for number in range(2, 60)]),
}


@dataclass(frozen=True, slots=True)
class Function:
    """A documented function: its parameters, each with the pool of its values, and ways to ask for it."""

    name: str
    parameters: dict[str, str]
    about: str
    asks: tuple[str, ...]

    @property
    def line(self) -> str:
        """Return the function's documentation."""
        return f"{self.name}({', '.join(self.parameters)}): {self.about}"

    def call(self, values: dict[str, str]) -> str:
        """Return the call with these values."""
        parts = (
            f"{parameter}={values[parameter] if kind == 'number' else _quoted(values[parameter])}"
            for parameter, kind in self.parameters.items()
        )
        return f"{self.name}({', '.join(parts)})"


def _quoted(text: str) -> str:
    return f'"{text}"'


SEEN = (
    Function(
        "send_mail",
        {"to": "name", "subject": "subject"},
        "sends a mail",
        ("Write a mail to {to} about {subject}.", "Mail {to}; the matter is {subject}."),
    ),
    Function(
        "book_train",
        {"to": "city", "day": "day"},
        "books a seat in a train",
        ("I need a train to {to} on {day}.", "Get me a seat in the train to {to}, on {day}."),
    ),
    Function(
        "set_alarm",
        {"minutes": "number"},
        "rings after some minutes",
        ("Wake me in {minutes} minutes.", "Ring when {minutes} minutes are over."),
    ),
    Function(
        "add_to_list",
        {"item": "food", "count": "number"},
        "puts food on the shopping list",
        ("Put {count} packs of {item} on the list.", "We are out of {item}: note {count}."),
    ),
    Function(
        "weather",
        {"city": "city", "day": "day"},
        "tells the weather",
        ("How will the weather be in {city} on {day}?", "Will it rain in {city} on {day}?"),
    ),
    Function(
        "find_shop",
        {"sells": "thing", "city": "city"},
        "finds a shop for a thing",
        ("Where in {city} can I buy a {sells}?", "Find a shop in {city} that has a {sells}."),
    ),
    Function(
        "call_person",
        {"name": "name"},
        "makes a phone call",
        ("Call {name}, please.", "I want to talk to {name} on the phone."),
    ),
    Function(
        "set_lamp",
        {"colour": "colour", "percent": "number"},
        "changes colour and brightness of the lamp",
        ("Make the lamp {colour}, at {percent} percent.", "I want {colour} light with {percent} percent."),
    ),
    Function(
        "reserve_court",
        {"sport": "sport", "day": "day"},
        "reserves a place to play",
        ("We want to play {sport} on {day}.", "Reserve a court for {sport} on {day}."),
    ),
)
HELD_OUT = (
    Function(
        "invite",
        {"guest": "name", "day": "day"},
        "invites a guest",
        ("Ask {guest} to come on {day}.", "{guest} shall be our guest on {day}."),
    ),
    Function(
        "order_parcel",
        {"content": "thing", "colour": "colour"},
        "orders a thing by post",
        ("Order a {colour} {content} for me.", "I want a {content} by post, in {colour}."),
    ),
    Function(
        "start_course",
        {"topic": "subject", "weeks": "number"},
        "enrols in a course",
        ("I want to learn {topic} for {weeks} weeks.", "Enrol me for {weeks} weeks of {topic}."),
    ),
    Function(
        "cook_timer",
        {"dish": "food", "minutes": "number"},
        "watches the stove",
        ("The {dish} needs {minutes} minutes on the stove.", "Watch the {dish} for {minutes} minutes."),
    ),
)


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return an instruction, the documentation of three functions in any order, and the call; the functions take turns."""
    functions = HELD_OUT if unseen else SEEN
    wanted = functions[at % len(functions)]
    documented = [wanted, *random.sample([other for other in functions if other is not wanted], 2)]
    random.shuffle(documented)
    values = {parameter: VALUES[kind].draw(random, unseen) for parameter, kind in wanted.parameters.items()}
    return {
        "instruction": random.choice(wanted.asks).format_map(values),
        "api": "\n".join(function.line for function in documented),
        "functions": ", ".join(function.name for function in documented),
        "call": wanted.call(values),
        "scenario": wanted.name,
    }


API_CALLS = DataSet(name="api-call", write=write, inputs=("instruction", "api"))
