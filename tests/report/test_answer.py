"""What the report claims, from results small enough to judge by hand."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.report.answer import Answer, answer
from harness.results import AdapterFacts, ModelFacts, Result, SuiteFacts, TaskFacts
from harness.stats import settle
from harness.types import Comparison, Note, Score, System

TASK = TaskFacts(name="talks", primary="rougeL", metrics=("rouge",))
BASE, OTHER = System(model="alpha"), System(model="beta")
TUNED, OTHER_TUNED = System(model="alpha", adapter="lora"), System(model="beta", adapter="lora")
COPY = System(model="trivial:copy")


def result(
    values: dict[System, float],
    pairs: Sequence[tuple[System, System, float | None]],
    seeds: int = 1,
    better: str = "higher",
) -> Result:
    """`pairs` are candidate, baseline and corrected p; differences follow from the values."""
    return Result(
        folder=Path(),
        suite=SuiteFacts(
            name="suite",
            tasks=(TASK,),
            models=tuple(ModelFacts(name=one) for one in ("alpha", "beta")),
            adapters=tuple(
                AdapterFacts(name=one.adapter, model=one.model, recipe="lora-r8", trained_on="talks", seed=seed)
                for seed, one in enumerate(values)
                if one.adapter
            ),
        ),
        scores=tuple(
            Score(task="talks", system=one, metric="rougeL", primary=True, signature="s", unit="points",
                  better=better, value=value, low=value - 1, high=value + 1, n=50)  # type: ignore[arg-type]
            for one, value in values.items()
        ),
        comparisons=tuple(
            Comparison(task="talks", metric="rougeL", baseline=baseline, candidate=candidate,
                       difference=values[candidate] - values[baseline], low=values[candidate] - values[baseline] - 1,
                       high=values[candidate] - values[baseline] + 1, p=0.0001 if p is None else p / 2, p_holm=p,
                       family=None if p is None else "talks: a question", test="t", detectable=1.5, n=50)
            for candidate, baseline, p in pairs
        ),
    )  # fmt: skip


def said(found: Answer | None) -> str:
    assert found
    spans = "".join(span.text for span in (*found.lead, *found.gain))
    return f"{spans} {found.seeds} {found.power} {found.settled}".replace("\N{NO-BREAK SPACE}", " ")


def test_what_quantising_alone_costs_is_said_where_both_were_asked() -> None:
    made = result({BASE: 20.0, OTHER: 18.5}, [(OTHER, BASE, 0.03)])
    whole = ModelFacts(name="alpha", uri="hub:a/b", revision="1", quantization="none")

    def found(quantised: ModelFacts, one: ModelFacts = whole) -> str:
        asked = answer(replace(made, suite=replace(made.suite, models=(one, quantised))), TASK)
        assert asked
        return asked.quantising.replace("\N{NO-BREAK SPACE}", " ")

    small = replace(whole, name="beta", quantization="nf4")
    assert (
        found(small)
        == "Quantising alone (nf4) moves the score of alpha by −1.5 [−2.5, −0.5] (p_holm = 0.030)."
    )
    assert found(replace(small, revision="2")) == ""  # other weights
    assert found(replace(small, quantization="none")) == ""
    assert found(small, replace(whole, quantization="int8")) == ""  # nothing that is not quantised beside it


def test_the_winner_is_named_with_its_interval_its_lead_and_how_many_were_tried() -> None:
    values = {BASE: 20.0, OTHER: 22.0, TUNED: 41.2, OTHER_TUNED: 39.8, COPY: 12.0}
    pairs = [
        (TUNED, BASE, 0.002),
        (OTHER_TUNED, OTHER, 0.01),
        (OTHER_TUNED, TUNED, 0.012),
        (TUNED, COPY, 0.002),
    ]
    text = said(answer(result(values, pairs), TASK))
    assert (
        "On talks, alpha + lora scores highest of 4 systems tried (2 bases and 2 adapters): ROUGE-L 41.2 [40.2, 42.2], "
        "ahead of beta + lora by 1.4 [0.4, 2.4] (p_holm = 0.012)."
    ) in text
    assert "Both adapters beat their base: +17.8 to +21.2 (p_holm ≤ 0.010 each)" in text
    assert (
        "adds +21.2 [+20.2, +22.2] (p_holm = 0.002) over alpha, the best of its base and the trivial rules"
        in text
    )


def test_an_open_lead_names_a_number_of_samples_and_a_settled_one_none() -> None:
    values = {TUNED: 21.0, OTHER_TUNED: 20.9}
    open_one = result(values, [(TUNED, OTHER_TUNED, 0.31)])
    (pair,) = open_one.comparisons
    needed = settle.samples(pair)
    error = pair.detectable / 2.8016  # quantiles of 97.5 % and 80 %
    assert needed is not None and needed > 50
    # So many find the truth, wherever in the interval it lies, in four of five cases.
    random = np.random.default_rng(1)
    later = error * (50 / needed) ** 0.5
    truth = random.normal(pair.difference, error, 40_000)
    found = pair.difference * 50 / needed + (needed - 50) / needed * random.normal(
        truth, error * (50 / (needed - 50)) ** 0.5
    )
    assert np.mean(np.abs(found) > 1.96 * later) == pytest.approx(0.8, abs=0.03)
    assert re.search(
        r"Some [\d,]+ samples would probably settle which of the first two is better",
        said(answer(open_one, TASK)),
    )
    assert "probably settle" not in said(answer(result(values, [(TUNED, OTHER_TUNED, 0.04)]), TASK))


@pytest.mark.parametrize("p_holm", [0.05, 0.0500001, 0.31, 1.0])
def test_a_difference_is_not_called_significant_from_p_holm_005_on(p_holm: float) -> None:
    values = {BASE: 20.0, TUNED: 21.0, OTHER: 20.5, OTHER_TUNED: 20.9}
    pairs = [(TUNED, BASE, p_holm), (OTHER_TUNED, OTHER, p_holm), (TUNED, OTHER_TUNED, p_holm)]
    text = said(answer(result(values, pairs), TASK))
    assert "but not significantly ahead of beta + lora" in text
    assert "Neither adapter differs significantly from its base" in text
    assert "beat" not in text
    assert "(not significant, p_holm" in text


def test_an_exploratory_difference_is_not_called_significant_whatever_its_p() -> None:
    text = said(answer(result({BASE: 20.0, TUNED: 40.0}, [(TUNED, BASE, None)]), TASK))
    assert "not tested" in text
    assert "The adapter does not differ significantly from its base" in text
    assert "exploratory" in text


def test_pairs_that_were_never_compared_are_said_to_be_untested() -> None:
    text = said(answer(result({BASE: 20.0, OTHER_TUNED: 30.0}, []), TASK))
    assert "10.0 ahead of alpha (not tested)" in text


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_speak_for_the_adapter_and_not_for_its_recipe(seeds: int) -> None:
    tuned = [System(model="alpha", adapter=f"lora#{seed}") for seed in range(seeds)]
    values = {BASE: 20.0} | {one: 40.0 + place for place, one in enumerate(tuned)}
    text = said(answer(result(values, [(one, BASE, 0.001) for one in tuned]), TASK))
    assert "recipe" not in text
    assert re.search("these? adapters?|this adapter", text)


def test_three_seeds_speak_for_the_recipe_by_their_mean_and_spread() -> None:
    tuned = [System(model="alpha", adapter=f"lora#{seed}") for seed in range(3)]
    values = {BASE: 20.0, OTHER: 30.0} | {one: 40.0 + place for place, one in enumerate(tuned)}
    text = said(answer(result(values, [(one, BASE, 0.001) for one in tuned]), TASK))
    assert (
        "alpha with recipe lora-r8 scores highest of 5 systems tried (2 bases and 3 adapters): "
        "ROUGE-L 41.0 (mean of 3 seeds, 40.0 to 42.0)" in text
    )
    assert "this adapter" not in text


def test_adapters_that_harm_are_said_to_harm() -> None:
    values = {BASE: 30.0, OTHER: 28.0, TUNED: 20.0, OTHER_TUNED: 29.0}
    text = said(answer(result(values, [(TUNED, BASE, 0.001), (OTHER_TUNED, OTHER, 0.6)]), TASK))
    assert "1 scores below its base and 1 shows no significant difference" in text
    assert "no adapter scores better than alpha, the best base" in text


def test_where_lower_is_better_the_lowest_wins_and_a_drop_is_a_gain() -> None:
    text = said(answer(result({BASE: 30.0, TUNED: 20.0}, [(TUNED, BASE, 0.001)], better="lower"), TASK))
    assert "alpha + lora scores lowest, which is best" in text
    assert "ahead of alpha by 10.0 [9.0, 11.0]" in text
    assert "The adapter beats its base: −10.0" in text


def test_models_asked_with_examples_too_are_counted_once() -> None:
    with_examples = {System(model=one, shots=4): 15.0 for one in ("alpha", "beta")}
    values = {BASE: 20.0, OTHER: 22.0, TUNED: 41.2, OTHER_TUNED: 39.8}
    text = said(answer(result(values | with_examples, [(TUNED, OTHER_TUNED, 0.9)]), TASK))
    assert "of 6 systems tried (2 models, zero-shot and with 4 examples, and 2 adapters): " in text
    assert "but not significantly ahead of beta + lora (difference: 1.4 [0.4, 2.4], p_holm = 0.90)." in text
    one_only = {**values, System(model="beta", shots=4): 15.0}
    text = said(answer(result(one_only, []), TASK))
    assert "of 5 systems tried (2 models with different numbers of examples and 2 adapters): " in text


def test_a_rule_that_stands_in_for_a_base_is_not_compared_with_it() -> None:
    values = {BASE: 12.0, TUNED: 41.2, COPY: 12.0}
    pairs = [(TUNED, BASE, 0.002), (TUNED, COPY, 0.002)]
    note = Note(
        kind="stand-in", where="talks, alpha", count=50, of=50, detail="no trained head: copy answers"
    )
    alone = said(answer(replace(result(values, pairs), notes=(note,)), TASK))
    assert "The adapter beats its base: +29.2 [+28.2, +30.2] (p_holm = 0.002). " in alone
    assert "adds" not in alone
    two = {**values, OTHER: 10.0, OTHER_TUNED: 30.0}
    text = said(answer(replace(result(two, pairs), notes=(note,)), TASK))
    assert (
        "over the rule “copy of the input”, which answers for its base." in text
        and "the best of its" not in text
    )


def test_a_base_that_a_rule_answers_for_is_no_model_that_was_tried() -> None:
    """It has no answers of its own, so it is neither the best base nor among the models that do not beat the rule."""
    note = Note(kind="stand-in", where="talks, beta", count=50, of=50, detail="no trained head: copy answers")
    values = {BASE: 10.0, TUNED: 9.0, OTHER: 30.0, OTHER_TUNED: 20.0, COPY: 30.0}
    pairs = [(TUNED, BASE, 0.5), (OTHER_TUNED, OTHER, 0.001)]
    text = said(answer(replace(result(values, pairs), notes=(note,)), TASK))
    assert "beta + lora scores highest among the 3 models tried (1 base and 2 adapters): 20.0" in text
    assert "1 scores below its base and 1 shows no significant difference" in text
    assert "the best base" not in text and "beta scores" not in text
    alone = said(answer(replace(result({OTHER: 30.0, COPY: 30.0}, []), notes=(note,)), TASK))
    assert "beta" in alone


def test_one_sample_is_no_finding() -> None:
    whole = result({BASE: 20.0, TUNED: 41.2}, [])
    single = replace(whole, scores=tuple(replace(score, n=1) for score in whole.scores))
    text = said(answer(single, TASK))
    assert (
        "ROUGE-L 41.2 [40.2, 42.2], which a single test sample cannot show to be better than any other."
        in text
    )
    assert "ahead" not in text and "21.2" not in text


def test_a_rule_that_beats_every_model_is_the_news() -> None:
    values = {BASE: 10.0, TUNED: 20.0, COPY: 30.0}
    text = said(answer(result(values, [(TUNED, BASE, 0.001), (TUNED, COPY, 0.2)]), TASK))
    assert text.startswith(
        "On talks, no model beats the rule “copy of the input”, which needs no model and has ROUGE-L 30.0 [29.0, 31.0]. "
        "alpha + lora scores highest among the 2 models tried (1 base and 1 adapter): 20.0 [19.0, 21.0]"
    )
    assert "; the rule is 10.0 [9.0, 11.0] ahead of alpha + lora (not significant, p_holm = 0.20)." in text
    assert "adds" not in text
    bases = said(answer(result({BASE: 10.0, COPY: 30.0}, []), TASK))
    assert (
        "and has ROUGE-L 30.0 [29.0, 31.0]. alpha, the only base that was tried, has 10.0 [9.0, 11.0]."
        in bases
    )
    assert "No adapter was tried on this task." in bases


def test_a_task_that_only_bases_answered_says_so() -> None:
    assert "No adapter was tried on this task" in said(answer(result({BASE: 20.0, OTHER: 10.0}, []), TASK))


def test_a_task_that_no_model_answered_has_no_answer() -> None:
    assert answer(result({COPY: 10.0}, []), TASK) is None


def doubted(*notes: tuple[str, System, int, int], allow_empty: bool = False) -> tuple[str, ...]:
    """What the answer doubts where these were noted."""
    values = {BASE: 20.0, OTHER: 22.0, TUNED: 41.2, COPY: 12.0}
    task = replace(TASK, allow_empty=allow_empty)
    found = answer(
        replace(
            result(values, []),
            notes=tuple(
                Note(kind=kind, where=f"talks, {system}", count=count, of=of)
                for kind, system, count, of in notes
            ),
        ),
        task,
    )
    assert found is not None
    return tuple(one.replace("\N{NO-BREAK SPACE}", " ") for one in found.doubts)


def test_prompts_that_were_shortened_are_no_footnote_where_they_are_more_than_one_in_a_hundred() -> None:
    assert doubted(("truncated", BASE, 2, 200)) == ()
    assert doubted(
        ("truncated", BASE, 729, 729), ("truncated", TUNED, 729, 729), ("truncated", OTHER, 3, 200)
    ) == (
        "729 of 729 prompts (100 %) of alpha and alpha + lora did not fit the model's window and were shortened: the score "
        "measures what was left. Lower max_new_tokens, shorten the prompt or choose a model with a longer window.",
        "3 of 200 prompts (2 %) of beta did not fit the model's window and were shortened: the score measures what was "
        "left. Lower max_new_tokens, shorten the prompt or choose a model with a longer window.",
    )


def test_prompts_that_were_refused_are_said_in_the_same_place() -> None:
    (said,) = doubted(("refused", BASE, 3, 200))
    assert said.startswith(
        "3 of 200 prompts (2 %) of alpha did not fit the model's window and were not asked: "
    )


def test_answers_that_are_empty_are_said_where_they_are_more_than_one_in_twenty() -> None:
    assert doubted(("empty", BASE, 10, 200), ("empty", COPY, 200, 200)) == ()
    assert doubted(("empty", BASE, 11, 200)) == (
        "11 of 200 answers (6 %) of alpha are empty: the score says little.",
    )
    (allowed,) = doubted(("empty", BASE, 11, 200), allow_empty=True)
    assert allowed.endswith("are empty, which the task allows.")
