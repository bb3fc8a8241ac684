"""Summaries of made-up trials and a question: yes, no or maybe: shaped like PubMedQA (Jin et al. 2019)."""

from random import Random

from tools.embedded.formulary import DRUGS, EFFECTS, ILLNESSES, INVENTED
from tools.embedded.splits import DataSet, Record

LABELS = ("yes", "no", "maybe")

ASKED = {
    "helps": "Does {drug} help against {illness}?",
    "faster": "Do patients with {illness} recover faster with {drug}?",
    "causes": "Does {drug} cause {effect} in patients with {illness}?",
}
HELD_OUT = {
    "prevents": "Can {drug} prevent {illness}?",
    "better": "Is {drug} better than {drug2} against {illness}?",
}

GROUPS = (
    "Of {n} patients with {illness}, half were given {drug} and half {other}.",
    "{n} patients with {illness} took part; one group of {half} received {drug}, the other {other}.",
    "We compared {drug} with {other} in {n} patients with {illness}.",
)
HELD_OUT_GROUPS = (
    "{half} people received {drug} and {half} received {other}; all of them lived where {illness} is common.",
    "In a village where {illness} is common, {n} volunteers were given {drug} or {other}.",
)
OUTCOMES = {
    "helps": "After {weeks} weeks, {a} of {half} were well with {drug} and {b} of {half} with {other}.",
    "faster": "{a} of {half} recovered within {weeks} weeks with {drug}, and {b} of {half} with {other}.",
    "causes": "{a} of {half} reported {effect} with {drug}, and {b} of {half} with {other}.",
    "prevents": "After {weeks} weeks, {a} of {half} with {drug} and {b} of {half} with {other} had no {illness}.",
    "better": "After {weeks} weeks, {a} of {half} with {drug} and {b} of {half} with {other} were well.",
}
DOUBTS = (
    "Half of the records were lost.",
    "The groups differed in age, and many patients left early.",
    "A second hospital found the opposite.",
)
CLOSE = ("All patients finished.", "Nobody knew who received what.", "A second hospital found the same.")


def write(random: Random, unseen: bool, at: int) -> Record:
    """Return a trial; the labels take turns.

    yes: {drug} is far ahead. no: both are equal, or it is behind. maybe: it is ahead, but the trial is doubtful.
    """
    asked = HELD_OUT if unseen else ASKED
    scenario = random.choice(tuple(asked))
    label = LABELS[at % len(LABELS)]
    half = random.choice((20, 30, 40, 50, 60))
    a = random.randint(half // 2 + 4, half - 1)
    b = random.randint(1, a - half // 3)
    if label == "no":
        a, b = random.choice(((b, a), (b, b), (b, b + 1)))
    drug, drug2 = DRUGS.sample(random, unseen, 2)
    words = {
        "drug": drug,
        "drug2": drug2,
        "other": drug2 if scenario == "better" else "an empty pill",
        "illness": ILLNESSES.draw(random, unseen),
        "effect": EFFECTS.draw(random, unseen),
        "n": 2 * half,
        "half": half,
        "weeks": random.randint(2, 12),
        "a": a,
        "b": b,
    }
    told = (
        random.choice(HELD_OUT_GROUPS if unseen else GROUPS),
        OUTCOMES[scenario],
        random.choice(DOUBTS if label == "maybe" else CLOSE),
    )
    return {
        "question": asked[scenario].format_map(words),
        "context": " ".join(part.format_map(words) for part in told),
        "final_decision": label,
        "scenario": scenario,
    }


MEDICAL_TRIALS = DataSet(name="medical-yesno", write=write, inputs=("question", "context"), note=INVENTED)
