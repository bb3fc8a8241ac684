"""The vote over sampled answers: who wins, who does not vote, and what is kept of all of them."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tasks.extracts import Extraction
from harness.tasks.votes import count, drawn_id, elected, gathered, several, shares
from harness.types import Generation, Prompt

NUMBERS = Extraction()


def answers(*texts: str) -> list[Generation]:
    return [
        Generation(sample_id=drawn_id("s", draw), text=text, output_tokens=draw + 1, prompt_tokens=7)
        for draw, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("texts", "winner", "votes", "voters", "tied"),
    [
        (("#### 3", "#### 4", "#### 4"), "#### 4", 2, 3, False),
        (("#### 4", "2 + 2 = 4", "The answer is 4.0"), "#### 4", 3, 3, False),  # numbers, not spellings
        (("#### 3", "#### 4"), "#### 3", 1, 2, True),  # a tie: the one that was given first
        (("#### 3", "#### 4", "#### 4", "#### 3"), "#### 3", 2, 4, True),
        (("who knows", "#### 4"), "#### 4", 1, 1, False),  # no result, no vote
        (("who knows", "not I", "#### 4"), "#### 4", 1, 1, False),
        (("who knows", "not I"), "who knows", 0, 0, False),
        (("1,200", "$1200", "7"), "1,200", 2, 3, False),
    ],
)
def test_the_result_that_most_answers_give_wins(
    texts: tuple[str, ...], winner: str, votes: int, voters: int, tied: bool
) -> None:
    found = elected("s", answers(*texts), NUMBERS)
    counted = count(found.ballots)
    assert (found.text, counted.votes, counted.voters, counted.tied) == (winner, votes, voters, tied)
    assert [ballot.text for ballot in found.ballots] == [*texts]
    assert found.output_tokens == sum(range(1, len(texts) + 1))
    assert (found.sample_id, found.prompt_tokens, counted.drawn) == ("s", 7, len(texts))


def test_texts_vote_as_texts_and_by_a_pattern() -> None:
    given_answers = answers("It is Oslo.\nOslo.", "Oslo", "Rome", "Rome or so")
    assert elected("s", given_answers, Extraction(kind="text")).text == "It is Oslo.\nOslo."
    found = elected("s", given_answers, Extraction(kind="text", pattern="(Rome)"))
    assert (found.text, [ballot.result for ballot in found.ballots]) == ("Rome", [None, None, 0, 0])


@given(st.lists(st.sampled_from(["#### 1", "#### 2", "#### 3", "none"]), min_size=1, max_size=9))
def test_a_vote_is_the_first_mode_of_the_results(texts: list[str]) -> None:
    """The oracle: Counter keeps the order of first appearance, and most_common keeps it among equals."""
    voting = [text for text in texts if text != "none"]
    wanted = Counter(voting).most_common(1)[0][0] if voting else texts[0]
    assert elected("s", answers(*texts), NUMBERS).text == wanted


def test_answers_may_come_in_any_order_and_only_whole_votes_are_yielded() -> None:
    drawn = answers("#### 3", "#### 4", "#### 4")
    whole = elected("s", drawn, NUMBERS)
    for order in permutations(drawn):
        assert list(gathered(order, ["s"], 3, NUMBERS)) == [whole]
        assert list(gathered(order[:2], ["s"], 3, NUMBERS)) == []


def test_a_refused_prompt_has_no_vote() -> None:
    refused = [Generation(sample_id=drawn_id("s", n), text="", finish="refused") for n in range(3)]
    assert elected("s", refused, NUMBERS) == Generation(sample_id="s", text="", finish="refused")


def test_each_prompt_is_asked_under_an_id_for_each_draw_the_first_under_its_own() -> None:
    prompts = [Prompt(sample_id=name, before="", input=name, after="") for name in ("a", "b")]
    drawn = several(prompts, 3)
    assert len({prompt.sample_id for prompt in drawn}) == 6
    assert [prompt.sample_id for prompt in drawn][::3] == ["a", "b"]
    assert [prompt.input for prompt in drawn] == ["a"] * 3 + ["b"] * 3


def test_votes_are_shown_with_the_most_votes_first() -> None:
    found = elected("s", answers("none", "3", "4", "4.0"), NUMBERS)
    assert shares([(ballot.found, ballot.result) for ballot in found.ballots]) == {"4": 2, "3": 1, "": 1}
