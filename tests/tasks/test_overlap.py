"""What training gives away of the test."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from harness.tasks.overlap import WORDS, overlap
from harness.types import Sample


def sample(name: str, text: str, answer: str = "", **metadata: str) -> Sample:
    return Sample(id=name, input=text, references=(answer,), metadata=metadata)


RUN = "one two three four five six seven eight nine ten eleven twelve thirteen"


def test_equal_questions_apart_from_case_and_punctuation() -> None:
    train = [sample("t", "A: Hi, you!", "x")]
    test = [sample("a", "a hi you", "y"), sample("b", "A: hi, they"), sample("c", "")]
    assert overlap(train, test).exact == ("a",)
    assert overlap([*train, sample("u", "")], test).exact == ("a",)


def test_a_question_is_all_but_the_answer() -> None:
    train = [sample("t", "Paris lies in France.", "x", instruction="Where is Paris?")]
    test = [
        sample("a", "Paris lies in France.", "y", instruction="Where is Paris?"),
        sample("b", "Paris lies in France.", "y", instruction="Name a town."),
    ]
    assert overlap(train, test).exact == ("a",)


def test_a_run_of_thirteen_words_counts_and_twelve_do_not() -> None:
    assert len(RUN.split()) == WORDS
    train = [sample("t", f"Before, {RUN.upper()}. After", "x")]
    test = [
        sample("a", f"other {RUN} things"),
        sample("b", RUN.removesuffix(" thirteen")),
        sample("c", "x", answer=RUN),
        sample("d", RUN.replace("seven", "7")),
    ]
    found = overlap(train, test)
    assert (found.ngram, found.exact, found.test) == (("a", "c"), (), 4)


def test_runs_end_where_a_sample_ends() -> None:
    first, second = RUN.split(" seven ")
    train = [sample("t", first), sample("u", f"seven {second}")]
    assert overlap(train, [sample("a", RUN)]).ngram == ()


def test_nothing_shares_nothing() -> None:
    assert overlap([], [sample("a", RUN)]).ngram == ()
    assert overlap([sample("t", RUN)], []).test == 0


words = some.lists(some.sampled_from("abc"), min_size=0, max_size=40).map(" ".join)


@pytest.mark.slow
@given(some.lists(words, max_size=4), some.lists(words, max_size=4))
def test_runs_are_those_that_a_set_of_tuples_finds(train: list[str], test: list[str]) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        found = text.split()
        return {tuple(found[at : at + WORDS]) for at in range(len(found) - WORDS + 1)}

    known = set().union(*map(runs, train)) if train else set()
    expected = tuple(str(n) for n, text in enumerate(test) if runs(text) & known)
    samples = [sample(str(n), text) for n, text in enumerate(test)]
    assert overlap([sample(f"t{n}", text) for n, text in enumerate(train)], samples).ngram == expected


def test_many_samples_are_passed_over_once_in_batches() -> None:
    random = Random(0)
    vocabulary = [f"w{n}" for n in range(5_000)]
    train = (sample(f"t{n}", " ".join(random.choices(vocabulary, k=40))) for n in range(5_000))
    copied = [*train]
    test = [
        sample("far", "x " * 40),
        sample("near", copied[4_321].input),
        sample("new", " ".join(random.choices(vocabulary, k=40))),
    ]
    found = overlap(iter(copied), test)
    assert (found.exact, found.ngram) == (("near",), ("near",))
