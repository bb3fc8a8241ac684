"""Small tasks over the training splits of the two data sets: gaps to fill, lines to find, messages to continue.

They make a model at home in the world that the data sets tell of, in other tasks and wordings than the two that are
measured. Validation and test samples are never read.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

GAP = "___"
LONGEST_GAP = 5  # words
Record = Mapping[str, str]


def studies(
    dialogues: Sequence[Record], instructions: Sequence[Record], seed: int
) -> Iterator[dict[str, str]]:
    """Tasks without end, with prompt, answer and kind."""
    random = Random(f"{seed}-studies")
    while True:
        if random.random() < 0.6:
            yield random.choice((_summary_gap, _next_message, _message_of, _dialogue_gap))(
                random.choice(dialogues), random
            )
        else:
            yield random.choice((_output_gap, _input_gap))(random.choice(instructions), random)


def _gap(sentence: str, random: Random) -> tuple[str, str]:
    """Return the sentence without some consecutive words, and these words."""
    words = sentence.split()
    length = min(random.randint(1, LONGEST_GAP), len(words) - 1) or 1
    at = random.randrange(len(words) - length + 1)
    return " ".join([*words[:at], GAP, *words[at + length :]]), " ".join(words[at : at + length])


def _ask(text: str, question: str, answer: str, kind: str, random: Random) -> dict[str, str]:
    layout = random.choice(
        ("{text}\n{question}\n", "{question}\n{text}\n=>", "Text:\n{text}\nTask: {question}\nResult:")
    )
    return {"prompt": layout.format(text=text, question=question), "answer": answer, "kind": kind}


def _summary_gap(record: Record, random: Random) -> dict[str, str]:
    told, answer = _gap(record["summary"], random)
    wording = random.choice(
        ("Which words are missing? {}", "Fill the gap: {}", "What belongs in the gap of: {}")
    )
    return _ask(record["dialogue"], wording.format(told), answer, "summary gap", random)


def _dialogue_gap(record: Record, random: Random) -> dict[str, str]:
    lines = record["dialogue"].split("\n")
    at = random.randrange(len(lines))
    lines[at], answer = _gap(lines[at], random)
    return _ask(
        "\n".join(lines),
        random.choice(("What is left out?", "Guess the lost words.")),
        answer,
        "lost words",
        random,
    )


def _next_message(record: Record, random: Random) -> dict[str, str]:
    lines = record["dialogue"].split("\n")
    at = random.randint(1, len(lines) - 1)
    wording = random.choice(("What is said next?", "Write the message that follows.", "And then?"))
    return _ask("\n".join(lines[:at]), wording, lines[at], "next message", random)


def _message_of(record: Record, random: Random) -> dict[str, str]:
    lines = record["dialogue"].split("\n")
    line = random.choice(lines)
    start = " ".join(line.split()[:3])
    wording = random.choice(("How does the line “{}” go on?", "Give the rest of: {}"))
    return _ask(
        record["dialogue"],
        wording.format(start),
        line.removeprefix(start).strip() or line,
        "rest of line",
        random,
    )


def _output_gap(record: Record, random: Random) -> dict[str, str]:
    told, answer = _gap(record["output"], random)
    wording = random.choice(("Complete the reply: {}", "The reply has a hole, fill it: {}"))
    return _ask(
        f"{record['input']} {record['instruction']}", wording.format(told), answer, "output gap", random
    )


def _input_gap(record: Record, random: Random) -> dict[str, str]:
    told, answer = _gap(record["input"] or record["instruction"], random)
    return _ask(
        told, random.choice(("What is left out?", "Guess the lost words.")), answer, "lost words", random
    )
