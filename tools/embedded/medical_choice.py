"""Questions of an exam over a page of the made-up formulary, four options each: shaped like MedQA (Jin et al. 2021)."""

from collections.abc import Callable
from random import Random

from tools.embedded.formulary import INVENTED, Entry, page
from tools.embedded.splits import DataSet, Record, pool
from tools.zoo.corpus.words import NAMES

PEOPLE = pool(NAMES)
Question = tuple[str, str, list[str]]  # question, right option, all four options


def _which(entries: list[Entry], name: str, random: Random) -> Question:
    right, other = entries[0], entries[1]
    return (
        f"{name}, {random.randint(20, 80)} years old, has {right.treats} and {other.not_with}. Which drug is suitable?",
        right.drug,
        [entry.drug for entry in entries],
    )


def _effect(entries: list[Entry], name: str, random: Random) -> Question:
    right = random.choice(entries[2:])
    return (
        f"{name}, {random.randint(20, 80)} years old, takes the drug for {right.treats}. Which effect can follow?",
        right.effect,
        [entry.effect for entry in entries],
    )


def _cause(entries: list[Entry], name: str, random: Random) -> Question:
    right = random.choice(entries)
    return (
        f"Since last week {name}, {random.randint(20, 80)} years old, has {right.effect}. Which drug can be the cause?",
        right.drug,
        [entry.drug for entry in entries],
    )


def _dose(entries: list[Entry], name: str, random: Random) -> Question:
    right, tens = random.choice(entries), random.randint(2, 9)
    doses = [f"{entry.milligrams * tens} mg" for entry in entries]
    return (
        f"{name} weighs {tens * 10} kg and shall get {right.drug}. How large is the dose?",
        f"{right.milligrams * tens} mg",
        doses,
    )


SEEN: dict[str, Callable[[list[Entry], str, Random], Question]] = {"which": _which, "effect": _effect}
HELD_OUT: dict[str, Callable[[list[Entry], str, Random], Question]] = {"cause": _cause, "dose": _dose}


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a question with its page of the formulary; page and options are in any order."""
    questions = HELD_OUT if unseen else SEEN
    scenario = tuple(questions)[at % len(questions)]
    entries = page(random, unseen)
    question, answer, options = questions[scenario](entries, PEOPLE.draw(random, unseen), random)
    random.shuffle(entries)
    random.shuffle(options)
    return {
        "question": question,
        "formulary": "\n".join(map(str, entries)),
        "options": options,
        "answer": answer,
        "scenario": scenario,
    }


MEDICAL_CHOICE = DataSet(name="medical-qa", write=write, inputs=("question", "formulary"), note=INVENTED)
