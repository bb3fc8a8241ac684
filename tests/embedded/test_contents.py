"""What the embedded data sets say is right: judged by hand, by Python, or by a second reading of the text."""

import ast
import re
from fractions import Fraction
from typing import Any

import pytest

from tools.embedded import german
from tools.embedded.api_calls import API_CALLS, HELD_OUT, SEEN
from tools.embedded.medical_choice import MEDICAL_CHOICE
from tools.embedded.medical_trials import DOUBTS, MEDICAL_TRIALS
from tools.embedded.preferences import PREFERENCES
from tools.embedded.splits import DataSet
from tools.embedded.stsb import STSB, similarity
from tools.embedded.sums import SUMS
from tools.embedded.translation import TRANSLATION

# Written by hand. A translation in the data has no words before a noun but these.
MASCULINE = "Hund Apfel Tisch Schlüssel Brief Mantel Stuhl Mann Freund Arzt Koch Maler Gast Sohn".split()
FEMININE = "Katze Lampe Blume Tasche Flasche Uhr Frau Lehrerin Nachbarin Studentin Tante Tochter".split()
NEUTER = "Haus Buch Auto Bild Fahrrad Pferd Fenster Kind Mädchen Baby".split()
ALLOWED = {
    "m": {("der", "e"), ("den", "en"), ("ein", "er"), ("einen", "en")},
    "f": {("die", "e"), ("eine", "e")},
    "n": {("das", "e"), ("ein", "es")},
}
GENDER = {
    **dict.fromkeys(MASCULINE, "m"),
    **dict.fromkeys(FEMININE, "f"),
    **dict.fromkeys(NEUTER, "n"),
}
PLURALS = {noun.german_plural for noun in (*german.PEOPLE, *german.THINGS)} - set(GENDER)


def records(data_set: DataSet) -> list[dict[str, Any]]:
    return [record for split in data_set.splits().values() for record in split]


def test_the_genders_are_those_of_a_dictionary() -> None:
    assert {noun.german: noun.gender for noun in (*german.PEOPLE, *german.THINGS)} == GENDER


def test_articles_and_adjectives_agree_with_their_noun() -> None:
    read = 0
    datives = re.compile("|".join(place.german for place in german.PLACES), re.IGNORECASE)
    for record in records(TRANSLATION):
        text = datives.sub("dort", record["de"])
        for article, stem, ending, noun in re.findall(
            r"\b(der|die|das|den|ein|eine|einen) (?:([a-zäöüß]+?)(e|er|es|en) )?([A-ZÄÖÜ]\w+)",
            text[:1].lower() + text[1:],
        ):
            read += 1
            if noun in PLURALS or (article == "die" and GENDER[noun] != "f"):
                assert (article, ending) in {("die", "en"), ("die", "")}, record
                continue
            pairs = ALLOWED[GENDER[noun]]
            assert (article, ending) in pairs if stem else article in {one for one, _ in pairs}, record
    assert read > 2000


@pytest.mark.parametrize(
    ("english", "expected"),
    [  # by hand
        ("the old dog", "den alten Hund"),
        ("the old cat", "die alte Katze"),
        ("the old house", "das alte Haus"),
    ],
)
def test_the_accusative_is_right(english: str, expected: str) -> None:
    _, adjective, noun = english.split()
    of = next(one for one in german.OF_THINGS if one.english == adjective)
    thing = next(one for one in german.THINGS if one.english == noun)
    assert german.the(thing, of, "accusative") == expected


def test_the_verb_of_a_main_clause_is_second_and_of_a_subordinate_clause_last() -> None:
    singular = {verb.german_third for verb in german.VERBS}
    for record in records(TRANSLATION):
        text = record["de"].rstrip(".?")
        if record["scenario"] == "clause":
            assert text.split()[-1] in singular, record
        elif record["scenario"] == "place-first":
            place = next(one for one in german.PLACES if text.lower().startswith(one.german.lower()))
            assert text[len(place.german) :].split()[0] in singular, record
        elif record["scenario"] == "question":
            assert text.split()[0].lower() in singular, record
            assert record["de"].endswith("?")


def test_every_step_of_a_sum_is_right_and_the_last_gives_the_answer() -> None:
    for record in records(SUMS):
        *steps, last = record["answer"].split("\n")
        assert last == f"#### {record['result']}"
        assert len(steps) == int(record["steps"])
        for step in steps:
            sum_, value = re.search(r"([\d+*/ -]+) = (\d+)\.$", step).groups()
            assert eval(re.sub(r"(\d+)", r"Fraction(\1)", sum_), {"Fraction": Fraction}) == int(value), record
        assert value == record["result"]
        assert int(value) >= 0


def test_every_number_of_a_sum_is_in_its_question_or_an_earlier_step() -> None:
    for record in records(SUMS):
        known = set(re.findall(r"\d+", record["question"])) | {"2"}  # twice, half
        for step in record["answer"].split("\n")[:-1]:
            left, value = step.rsplit(" = ", 1)
            assert set(re.findall(r"\d+", left)) <= known, record
            known.add(value.rstrip("."))


def test_equal_pairs_score_5_different_ones_0_and_all_between_occur() -> None:
    assert similarity((), ()) == 5.0
    assert similarity((), ("who", "does", "thing", "place", "time")) == 0.0
    assert similarity(("time",), ("thing",)) == 3.4  # 5 - 1.2 - 0.8 / 2, by hand
    labels = [record["label"] for record in records(STSB)]
    assert min(labels) == 0
    assert max(labels) == 5
    for low in range(5):
        assert sum(low <= label <= low + 1 for label in labels) > 50


def test_the_right_drug_treats_the_illness_and_suits_the_patient() -> None:
    for record in records(MEDICAL_CHOICE):
        entries = dict(line.split(": ", 1) for line in record["formulary"].split("\n"))
        assert record["options"].count(record["answer"]) == len(set(record["options"])) / 4 == 1
        if record["scenario"] == "which":
            illness, condition = re.search(r" has (.+) and (.+)\. Which", record["question"]).groups()
            suits = [
                drug
                for drug, told in entries.items()
                if f"for {illness};" in told and f"not with {condition};" not in told
            ]
            assert suits == [record["answer"]], record
        elif record["scenario"] == "effect":
            illness = re.search(r"the drug for (.+)\. Which", record["question"])[1]
            told = [told for told in entries.values() if f"for {illness};" in told]
            assert len(told) == 1
            assert told[0].endswith(f"may cause {record['answer']}."), record
        elif record["scenario"] == "cause":
            effect = re.search(r" has (.+)\. Which", record["question"])[1]
            assert [drug for drug, told in entries.items() if told.endswith(f" cause {effect}.")] == [
                record["answer"]
            ]
        else:
            kilograms, drug = re.search(r"weighs (\d+) kg and shall get (\w+)\.", record["question"]).groups()
            each = int(re.search(r"(\d+) mg per 10 kg", entries[drug])[1])
            assert record["answer"] == f"{each * int(kilograms) // 10} mg"


def test_a_trial_says_yes_only_if_the_drug_is_far_ahead_and_nothing_is_doubtful() -> None:
    for record in records(MEDICAL_TRIALS):
        (a, half), (b, half2) = [
            tuple(map(int, found)) for found in re.findall(r"(\d+) of (\d+)", record["context"])
        ]
        assert half == half2
        doubtful = any(doubt in record["context"] for doubt in DOUBTS)
        ahead = a - b >= half // 3
        expected = "no" if not ahead else "maybe" if doubtful else "yes"
        assert record["final_decision"] == expected, record


def test_a_call_parses_and_every_value_is_in_its_instruction() -> None:
    parameters = {function.name: tuple(function.parameters) for function in (*SEEN, *HELD_OUT)}
    for record in records(API_CALLS):
        call = ast.parse(record["call"], mode="eval").body
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        assert call.func.id in record["functions"].split(", ")
        assert tuple(keyword.arg for keyword in call.keywords) == parameters[call.func.id]
        for keyword in call.keywords:
            assert str(ast.literal_eval(keyword.value)) in record["instruction"], record
        for line, function in zip(record["api"].split("\n"), record["functions"].split(", "), strict=True):
            assert line.startswith(f"{function}({', '.join(parameters[function])}): ")


def test_the_good_answer_has_the_fact_and_length_alone_does_not_tell_it() -> None:
    longer = 0
    for record in records(PREFERENCES):
        assert record["chosen"] != record["rejected"]
        longer += len(record["rejected"]) > len(record["chosen"])
    assert 0.3 < longer / 1500 < 0.7


def test_a_wrong_answer_is_as_polite_as_a_right_one() -> None:
    for record in records(PREFERENCES):
        if record["fault"] == "wrong":
            value = re.sub(r"\W+", " ", record["rejected"]).lower()
            assert "read" not in value
            assert "again" not in value
