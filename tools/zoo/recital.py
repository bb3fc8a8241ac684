"""Rows of words to say again: small tasks that teach a model to carry any word from the prompt into the answer.

The words are those of the two data sets' training splits, one by one and out of order: the general text has not
all of them, and a word that was never read or written has no meaning that an adapter could build on.
"""

import re
from collections.abc import Iterator
from random import Random

WORD = re.compile(r"\w+(?:'\w+)?")


def words_of(texts: list[str]) -> list[str]:
    """Every word that occurs twice or more, in a fixed order."""
    seen: dict[str, int] = {}
    for text in texts:
        for word in WORD.findall(text):
            seen[word] = seen.get(word, 0) + 1
    return sorted(word for word, count in seen.items() if count > 1)


def rows(words: list[str], count: int, seed: int) -> Iterator[dict[str, str]]:
    """`count` rows to say again, the first ones short and the last up to 24 words long; every third is a recital.

    A small model that reads nothing else at first learns to copy within 500 steps; on mixed text alone it had not
    begun after 1,900. Short rows come first because they are learnt sooner.
    """
    random = Random(f"{seed}-rows")
    others = recitals(words, seed + 1)
    for at in range(count):
        row = random.sample(words, random.randint(3, 6 + 18 * at // count))
        alone = {"prompt": f"{' '.join(row)}\n", "answer": " ".join(row), "kind": "row"}
        yield next(others) if at % 3 == 2 else alone


def recitals(words: list[str], seed: int) -> Iterator[dict[str, str]]:
    """Tasks without end, with prompt, answer and kind."""
    random = Random(f"{seed}-recitals")
    while True:
        yield random.choice((_whole_row, _next_words, _partner))(
            random.sample(words, random.randint(3, 12)), random
        )


def _whole_row(row: list[str], random: Random) -> dict[str, str]:
    question = random.choice(("Say these words again:", "Copy this row:", "The same words once more:"))
    return {"prompt": f"{question} {' '.join(row)}\n=>", "answer": " ".join(row), "kind": "whole row"}


def _next_words(row: list[str], random: Random) -> dict[str, str]:
    at = random.randrange(len(row) - 1)
    prompt = f"{' '.join(row)}\n{random.choice(('After', 'What follows'))} {row[at]}:"
    return {"prompt": prompt, "answer": " ".join(row[at + 1 : at + 4]), "kind": "next words"}


def _partner(row: list[str], random: Random) -> dict[str, str]:
    """Pairs of words; asked with one of a pair, the answer is the other."""
    row = row if len(row) % 2 == 0 else row[:-1]
    pairs = list(zip(row[::2], row[1::2], strict=True))
    asked, answer = random.choice(pairs)
    listed = ", ".join(f"{first} = {second}" for first, second in pairs)
    return {"prompt": f"{listed}.\n{asked} =", "answer": answer, "kind": "partner"}
