"""Vote over sampled answers to one prompt: the result that most answers give counts (Wang et al. 2022, arXiv 2203.11171).

The steps of an answer may be right in many ways and wrong in many more, but right ones end in the same result. An answer in
which no result is found does not vote. If several results have the most votes, the one that was given first counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from harness.tasks.extracts import Extraction
from harness.types import Ballot, Generation, Prompt

DRAW = "\x1fdraw "  # between the id of a sample and the number of a draw, from 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCount:
    """How the answers to one prompt voted."""

    winner: int | None  # the number of the result with the most votes; None: no answer voted
    votes: int  # for it
    voters: int
    drawn: int
    tied: bool  # another result has as many votes


def drawn_id(sample_id: str, draw: int) -> str:
    """Return the id under which an answer to a sample is drawn, from 0; the first has the sample's own.

    Whoever samples by the seed and the id draws otherwise for each, and the first as it would without a vote.
    """
    return sample_id if draw == 0 else f"{sample_id}{DRAW}{draw + 1}"


def several(prompts: Iterable[Prompt], votes: int) -> list[Prompt]:
    """Return each prompt as often as it is answered, those of a sample side by side."""
    return [
        replace(prompt, sample_id=drawn_id(prompt.sample_id, draw))
        for prompt in prompts
        for draw in range(votes)
    ]


def gathered(
    answers: Iterable[Generation],
    sample_ids: Sequence[str],
    votes: int,
    extraction: Extraction,
) -> Iterator[Generation]:
    """Yield the answer to each sample as soon as all of its answers are there."""
    places = {
        drawn_id(sample_id, draw): (sample_id, draw) for sample_id in sample_ids for draw in range(votes)
    }
    open_votes: dict[str, dict[int, Generation]] = {}
    for answer in answers:
        sample_id, draw = places[answer.sample_id]
        given = open_votes.setdefault(sample_id, {})
        given[draw] = answer
        if len(given) == votes:
            del open_votes[sample_id]
            yield elected(sample_id, [given[at] for at in range(votes)], extraction)


def elected(sample_id: str, answers: Sequence[Generation], extraction: Extraction) -> Generation:
    """Return the answer that the vote decides for: the first with the winning result, or the first without any result."""
    first = answers[0]
    if first.finish == "refused":  # so are the others: they have the same prompt
        return replace(first, sample_id=sample_id)
    whose = f"an answer to sample {sample_id!r}"
    ballots = numbered(answers, [extraction.result(answer.text, whose) for answer in answers], extraction)
    winner = count(ballots).winner
    chosen = next(answer for answer, ballot in zip(answers, ballots, strict=True) if ballot.result == winner)
    return replace(
        chosen,
        sample_id=sample_id,
        output_tokens=sum(answer.output_tokens for answer in answers),
        ballots=ballots,
    )


def numbered(
    answers: Sequence[Generation], results: Sequence[str | None], extraction: Extraction
) -> tuple[Ballot, ...]:
    """Return the answers as ballots; equal results have equal numbers."""
    numbers: dict[Decimal | str, int] = {}
    ballots = []
    for answer, result in zip(answers, results, strict=True):
        compared = None if result is None else extraction.compared(result)
        number = None if compared is None else numbers.setdefault(compared, len(numbers))
        ballots.append(
            Ballot(
                text=answer.text,
                found=result or "",
                result=number,
                output_tokens=answer.output_tokens,
                finish=answer.finish,
            )
        )
    return tuple(ballots)


def count(ballots: Sequence[Ballot]) -> VoteCount:
    """Return the count of votes; of results with the most votes, the first that was given wins."""
    votes = Counter(ballot.result for ballot in ballots if ballot.result is not None)
    most = max(votes.values(), default=0)
    leading = [result for result, number in votes.items() if number == most]  # in the order of the answers
    return VoteCount(
        winner=leading[0] if leading else None,
        votes=most,
        voters=votes.total(),
        drawn=len(ballots),
        tied=len(leading) > 1,
    )


def shares(ballots: Sequence[tuple[str, int | None]]) -> Mapping[str, int]:
    """Return the votes for each result as it was first written, the most votes first; "" stands for no result."""
    written: dict[int | None, str] = {}
    for found, result in ballots:
        written.setdefault(result, found if result is not None else "")
    votes = Counter(result for _, result in ballots)
    ordered = sorted(votes, key=lambda result: (result is None, -votes[result]))
    return {written[result]: votes[result] for result in ordered}
