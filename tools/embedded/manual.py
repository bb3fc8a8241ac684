"""Paragraphs of a made-up manual of machines that do not exist, as text to read: a text of its own trade, like a firm's."""

from random import Random

from tools.embedded.splits import DataSet, Record, pool

MODELS = pool(
    "Torvik Brennalm Ostrava-9 Kestrelline Dalmund Farrow-12 Quillon Sandvar Merrowby Tessaline Halvorsen-3 Wickham".split()
)
PARTS = pool(
    [
        "drive belt", "feed valve", "gear box", "oil pan", "guide rail", "pressure gauge", "intake filter", "main spindle",
        "cooling fin", "safety latch", "drain plug", "swivel arm", "lower bearing", "idler wheel", "shim plate",
        "tee joint",
    ]
)  # fmt: skip
TOOLS = pool(
    ["a hex key", "a torque wrench", "a feeler gauge", "a soft brush", "a strap wrench", "a bent probe"], 3
)
FAULTS = pool(
    [
        "a dull knocking", "a smell of hot oil", "a drop in pressure", "uneven wear", "a shaking frame", "a slow start",
        "black smoke", "a loose grip",
    ]
)  # fmt: skip

SEEN = {
    "service": (
        "Every {hours} running hours, remove the {part} of the {model} with {tool}.",
        "Clean it, check it for {fault}, and replace it if it is worn.",
        "Tighten the {part2} to {newton} newton metres afterwards.",
        "Enter the date in the log of the machine.",
    ),
    "fault": (
        "If the {model} shows {fault}, stop it and wait until the {part} has cooled down.",
        "The usual cause is the {part2}.",
        "Loosen the {part2} with {tool}, clean its seat and fit it again.",
        "Call the service if the fault comes back within {hours} hours.",
    ),
    "assembly": (
        "Place the {model} on level ground and fit the {part} before the {part2}.",
        "Use {tool} and no more than {newton} newton metres.",
        "A gap of {gap} millimetres between {part} and {part2} is normal.",
        "A wider gap leads to {fault}.",
    ),
    "safety": (
        "Never open the {part} while the {model} is running.",
        "Switch off the mains, wait {gap} minutes and lock the {part2}.",
        "{fault_first} after a start is a reason to stop at once.",
        "Keep {tool} within reach.",
    ),
}
HELD_OUT = {
    "storage": (
        "For a break of more than {hours} days, drain the {model} and grease the {part}.",
        "Cover the {part2} against dust.",
        "Before the next season, look for {fault} and turn the {part} by hand, with {tool}.",
    ),
    "disposal": (
        "When the {model} has reached {hours} thousand hours, it is taken apart.",
        "The {part} and the {part2} are steel and are melted down.",
        "{tool_first} is enough to separate them; {newton} newton metres loosen every bolt.",
    ),
}


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a paragraph; the sections take turns."""
    sections = HELD_OUT if unseen else SEEN
    section = tuple(sections)[at % len(sections)]
    part, part2 = PARTS.sample(random, unseen, 2)
    fault, tool = FAULTS.draw(random, unseen), TOOLS.draw(random, unseen)
    slots = {
        "model": MODELS.draw(random, unseen),
        "part": part,
        "part2": part2,
        "tool": tool,
        "tool_first": tool.capitalize(),
        "fault": fault,
        "fault_first": fault.capitalize(),
        "hours": random.randrange(20, 500, 10),
        "newton": random.randint(4, 60),
        "gap": random.randint(2, 15),
    }
    return {"text": " ".join(sections[section]).format_map(slots), "scenario": section}


MANUAL = DataSet(name="domain-text", write=write, inputs=("text",))
