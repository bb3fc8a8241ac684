"""Judges: what they find, what becomes of their errors in pages and gates, and what a suite may say of them."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import harness
from harness import results
from harness.errors import DataError, HarnessError, SuiteError
from harness.metrics.xstest_rule import refuses
from harness.results.judged import JudgedTask, judged
from harness.run import judging
from harness.suite.load import load_suite
from harness.types import AnswerJudge, System
from tests.cli.words import exit_code

SAMPLES, LABELLED = 400, 600
STYLES = {  # of two families: half of the second's refusals begin as the rule knows
    "usual": ("I'm sorry, I can't help with that.", "I cannot do this.", "Sorry, no."),
    "own": ("Let us talk about something else.", "Better not.", "I cannot do this.", "No, thank you."),
}
TRUTH = {"usual": 0.25, "own": 0.6}  # share of refusals
BACKEND = '''
"""Answers that a file says."""
import json
from pathlib import Path
from harness.backends import Backend
from harness.types import Generation, Uri

class Said:
    def __init__(self, path): self.said = json.loads(Path(path).read_text())
    def write(self, prompts, decode, overflow, adapter, done=frozenset()):
        for prompt in prompts:
            if prompt.sample_id not in done:
                yield Generation(sample_id=prompt.sample_id, text=self.said[prompt.sample_id], output_tokens=1)
    def tokens(self, prompt, overflow, answer_tokens=0): return prompt.text, []
    def close(self): pass

BACKEND = Backend(schemes=("said",), about="its answers are in a file", open=lambda model, pin, runtime:
    Said(Uri.parse(model.uri).place))
'''


def refusal(chance: random.Random, style: str) -> str:
    return chance.choice(STYLES[style])


def comply(chance: random.Random) -> str:
    return chance.choice(("Here is how.", "Take the bus.", "Of course: use a knife.", "Sorting is easy."))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task whose two models refuse with words of their own, and labelled answers of both."""
    folder, chance = tmp_path_factory.mktemp("judges"), random.Random(5)
    (folder / "said.py").write_text(BACKEND)
    for split, count in (("train", 20), ("test", SAMPLES)):
        rows = [
            {"id": f"{split}{n}", "input": f"How do I do {split} {n}?", "reference": "Here is how."}
            for n in range(count)
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    labelled = []
    for style, share in TRUTH.items():
        answers = {
            f"test{n}": refusal(chance, style) if n < share * SAMPLES else comply(chance)
            for n in range(SAMPLES)
        }
        (folder / f"{style}.json").write_text(json.dumps(answers))
        for n in range(LABELLED):
            text = refusal(chance, style) if n % 2 else comply(chance)
            labelled.append({"system": style, "text": text, "label": bool(n % 2), "question": f"How {n}?"})
    (folder / "labelled.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled))
    (folder / "unnamed.csv").write_text(
        "text,label\n" + "".join(f'"{row["text"]}",{row["label"]}\n' for row in labelled)
    )
    return folder


def suite(place: Path, judge: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    task: dict[str, Any] = {
        "name": "ask",
        "source": {"uri": f"file:{place}", "columns": {"id": "id"}, "share": "text"},
        "prompt": "$input",
        "metrics": ["exact", "judge" if judge else "xstest_rule"],
        "primary": "exact",
        "calibrate": str(place / "labelled.jsonl"),
        **({"judge": judge} if judge else {}),
        **changes.pop("task", {}),
    }
    return {
        "name": "judged",
        "tasks": [{key: value for key, value in task.items() if value is not None}],
        "models": [{"name": style, "uri": f"said:{place / style}.json"} for style in STYLES],
        "plugins": [str(place / "said.py")],
        "weights": False,
        **changes,
    }


def run(place: Path, name: str, asked: dict[str, Any], limit: int = SAMPLES) -> Path:
    harness.run(asked, store=place / "store", out=place / name, limit=limit, workers=0, offline=True)
    return place / name


def found(folder: Path) -> JudgedTask:
    (one,) = judged(results.read(folder))
    return one


@pytest.fixture(scope="module")
def calibrated(place: Path) -> Path:
    return run(place, "calibrated", suite(place))


def test_the_rule_ranks_two_families_wrongly_and_what_is_corrected_does_not(calibrated: Path) -> None:
    rates = {rate.system.model: rate for rate in found(calibrated).rates}
    usual, own = rates["usual"], rates["own"]
    assert usual.score.low and own.score.high and usual.score.low > own.score.high
    assert usual.corrected and own.corrected
    assert usual.corrected.high < own.corrected.low
    for style, rate in rates.items():
        assert rate.corrected and rate.corrected.low <= 100 * TRUTH[style] <= rate.corrected.high
        assert rate.errors.source == f"labelled answers of {style}"


def test_pages_say_both_shares_and_the_errors(calibrated: Path) -> None:
    (own,) = [rate for rate in found(calibrated).rates if rate.system.model == "own"]
    assert own.corrected
    for name in ("report.html", "report.md"):
        page = (calibrated / name).read_text(encoding="utf-8")
        assert "As judges found" in page and "labelled answers of own" in page
        assert f"{own.score.value:.1f}" in page and f"{own.corrected.value:.1f}" in page


def test_verify_recomputes_the_shares_as_judged(calibrated: Path) -> None:
    harness.verify(calibrated)  # raises where one does not follow
    path = calibrated / "result.json"
    document = json.loads(path.read_text())
    assert [one["system"] for one in document["calibrations"]] == ["usual", "own"]


def test_answers_of_unnamed_systems_correct_all_alike(place: Path) -> None:
    folder = run(place, "unnamed", suite(place, task={"calibrate": str(place / "unnamed.csv")}))
    assert {rate.errors.source for rate in found(folder).rates} == {"labelled answers of unnamed systems"}


def test_nothing_is_compared_where_the_error_differs_and_a_system_has_no_labels(place: Path) -> None:
    models = [{"name": "third", "uri": f"said:{place / 'own.json'}"}, *suite(place)["models"]]
    folder = run(place, "third", suite(place, models=models))
    (third,) = [rate for rate in found(folder).rates if rate.system.model == "third"]
    assert third.corrected is None
    assert third.errors.problem.startswith(
        "not comparable: the judge's error differs between systems: it finds 100 %"
    )


@pytest.mark.parametrize(
    ("calibrate", "limit", "verdict"),
    [(True, 30.0, "pass"), (True, 80.0, "fail"), (False, 1.0, "invalid"), (False, 99.0, "invalid")],
)
def test_gates_judge_the_corrected_share_and_none_passes_without(
    place: Path, calibrated: Path, calibrate: bool, limit: float, verdict: str
) -> None:
    folder = calibrated if calibrate else run(place, "bare", suite(place, task={"calibrate": None}))
    rules = {
        "gates": [
            {
                "task": "ask",
                "model": "own",
                "adapter": "base",
                "metric": "refusals_by_rule",
                "min_value": limit,
            }
        ]
    }
    (one,) = harness.gate(folder, rules=rules).verdicts
    assert one.verdict == verdict
    if not calibrate:
        assert "uncalibrated" in one.because and "calibrate: FILE" in one.because
        assert "nothing may be concluded" in (folder / "report.md").read_text()
    else:
        assert "the judge's errors" in one.because.lower() or "judge's errors" in one.because


def test_a_rule_of_single_answers_refuses_what_a_judge_found(calibrated: Path) -> None:
    gate = {
        "task": "ask",
        "adapter": "base",
        "metric": "refusals_by_rule",
        "max_worse_samples": {"drop": 1, "percent": 5},
        "against": "base",
    }
    for one in harness.gate(calibrated, rules={"gates": [gate]}).verdicts:
        assert one.verdict == "invalid"


# Models as judges.

CHOOSE = {
    "model": "copies",
    "finds": "refusals",
    "prompt": "$question\n$answer",
    "options": ["yes", "no"],
    "counts": ["yes"],
}


def with_copies(place: Path, judge: Mapping[str, Any], answers: Mapping[str, str], name: str) -> Path:
    """A suite whose judge says what it is shown."""
    (place / f"{name}.json").write_text(json.dumps(answers))
    models = [{"name": "m", "uri": f"said:{place / name}.json"}, {"name": "copies", "uri": "echo:copy"}]
    asked = suite(place, judge, models=models, task={"calibrate": None})
    return run(place, f"out-{name}", asked, limit=3)


def given(folder: Path, system: str) -> list[float]:
    frame = harness.load(folder).generations
    return [float(each["judged"]) for each in frame[frame.model == system].given]


def test_a_judge_that_writes_is_read_by_the_first_option_in_it(place: Path) -> None:
    answers = {"test0": "well, no, not yes", "test1": "yes", "test2": "nothing of that"}
    folder = with_copies(place, {**CHOOSE, "by": "write"}, answers, "writes")
    assert given(folder, "m") == [0.0, 1.0, 0.0]
    (note,) = [
        one
        for one in results.read(folder).notes
        if one.kind == "judge outside its options" and one.where == "ask, m"
    ]
    assert (note.count, note.of) == (1, 3)


def test_options_are_words_of_their_own_and_the_longest_wins() -> None:
    assert judging.option_in("I give it 10 of 10", ("1", "10")) == "10"
    assert judging.option_in("rating: 4.", ("1", "2", "3", "4", "5")) == "4"
    assert judging.option_in("41", ("1", "4")) is None
    assert judging.option_in("", ("A", "B")) is None


def test_pairs_are_asked_in_both_orders_and_a_judge_that_prefers_a_place_ties() -> None:
    judge = AnswerJudge(
        model="m", prompt="$answer | $other", finds="better answers", options=("A", "B"), pairs=True
    )
    answers = [judging.ToJudge(id=str(n), answer="mine", other="theirs") for n in range(4)]
    asked = judging.prompts(judge, answers)
    assert [prompt.text for prompt in asked[:2]] == ["mine | theirs", "theirs | mine"]
    said = {"0": ("A", "B"), "1": ("B", "A"), "2": ("A", "A"), "3": (None, "B")}
    replies = {
        (name, order): judging.Reply(id=name, order=order, option=option)
        for name, options in said.items()
        for order, option in zip(judging.ORDERS, options, strict=True)
    }
    each = list(judging.findings(judge, replies, list(said)))
    assert [one.found for one in each] == [1.0, 0.0, 0.5, 0.5]
    assert [one.outside for one in each] == [False, False, False, True]


SMALL = {"tasks": ["dialogues"], "weights": False}


@pytest.mark.slow
def test_a_model_judges_by_the_likeliest_option_and_goes_on_after_a_kill(place: Path) -> None:
    judge = {"model": "writes", "finds": "good answers", "prompt": "$question $answer\nFrom 1 to 5:"}
    models = [
        {"name": "usual", "uri": f"said:{place / 'usual.json'}"},
        {"name": "writes", "uri": "zoo:llama2-tiny"},
    ]
    folder = run(place, "likeliest", suite(place, judge, models=models, task={"calibrate": None}), limit=8)
    values = given(folder, "usual")
    assert set(values) <= {0.0, 1.0} and len(values) == 8
    (step,) = [
        path
        for path in (place / "store" / "done").glob("*/found.jsonl")
        if "replies" and path.parent.joinpath("replies.jsonl").read_text().count("\n") == 8
    ][:1]
    replies = [json.loads(line) for line in (step.parent / "replies.jsonl").read_text().splitlines()]
    by_id = {reply["id"]: float(reply["option"] in ("4", "5")) for reply in replies}
    assert all(reply["option"] in "12345" for reply in replies) and len(by_id) == 8


@pytest.mark.slow
def test_an_encoder_judges_by_the_head_that_it_was_trained_for(tmp_path: Path, place: Path) -> None:
    recipe = {
        "name": "quick",
        "rank": 4,
        "alpha": 8,
        "targets": ["all-linear"],
        "steps": 4,
        "batch_size": 4,
        "max_tokens": 96,
        "validation_samples": 0,
    }
    judge = {
        "model": "bert", "adapter": "quick", "finds": "friendly answers", "prompt": "$answer",
        "options": ["negative", "positive"], "counts": ["positive"],
    }  # fmt: skip
    asked = suite(
        place, judge, task={"calibrate": None}, recipes=[recipe], train_on=["sentiment"], across="own",
        models=[{"name": "usual", "uri": f"said:{place / 'usual.json'}"}, {"name": "bert", "uri": "zoo:bert-tiny"}],
    )  # fmt: skip
    asked["tasks"].append("sentiment")
    folder = run(place, "head", asked, limit=6)
    assert len(given(folder, "usual")) == 6
    wrong = {
        **asked,
        "tasks": [
            {**asked["tasks"][0], "judge": {**judge, "options": ["positive", "negative"]}},
            "sentiment",
        ],
    }
    with pytest.raises(
        HarnessError,
        match=r"was trained for negative, positive; write `options: \[negative, positive\]`",
    ):
        run(place, "wrong", wrong, limit=6)


# What a suite may say.


@pytest.mark.parametrize(
    ("task", "judge", "said"),
    [
        ({"primary": "refusals_by_rule"}, None, "by which nothing may be ranked"),
        ({"metrics": ["exact"], "calibrate": "x"}, None, "no metric of the task judges"),
        ({"metrics": ["exact", "judge"]}, None, "the metric judge needs a model that judges"),
        ({"metrics": ["exact"], "calibrate": None}, CHOOSE, "nothing asks the judge; add `judge` to the metrics"),
        ({}, {**CHOOSE, "model": "nobody"}, "no model in this suite named 'nobody'"),
        ({}, {**CHOOSE, "prompt": "$question"}, r"\$answer occurs 0 times"),
        ({}, {**CHOOSE, "prompt": "$answer $reply"}, "'reply'"),
        ({}, {**CHOOSE, "prompt": "$answer $other"}, "add `pairs: true`"),
        ({}, {**CHOOSE, "options": ["yes"]}, "give two different options"),
        ({}, {**CHOOSE, "counts": ["maybe"]}, "found \\['maybe'\\]; name those of yes, no"),
        ({}, {**CHOOSE, "counts": ["yes", "no"]}, "and not all"),
        ({}, {**CHOOSE, "finds": " "}, "say in plural what the judge looks for"),
        ({}, {"model": "copies", "finds": "x", "prompt": "$answer $other", "pairs": True}, r"`options: \[A, B\]`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    place: Path, task: dict[str, Any], judge: dict[str, Any] | None, said: str
) -> None:
    models = [{"name": "m", "uri": "echo:copy"}, {"name": "copies", "uri": "echo:copy"}]
    with pytest.raises(SuiteError, match=said):
        load_suite(suite(place, judge, models=models, task=task))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"text": "a", "label": true}'], "no answer is labelled as one that has not"),
        (['{"text": "a", "label": false}'], "no answer is labelled as one that has what"),
        (['{"text": "a", "label": "perhaps"}'], "label: found 'perhaps'; write true or false"),
        (['{"text": "a", "label": true}', '{"label": false}'], r"labelled.jsonl:2.*no 'text'"),
    ],
)
def test_labelled_answers_that_say_nothing_are_refused_by_check(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], said: str
) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text("\n".join(lines) + "\n")
    models = [{"name": "m", "uri": "echo:copy"}]
    with pytest.raises(DataError, match=said):
        harness.plan(suite(place, models=models, task={"calibrate": str(path)}), offline=True)


def test_the_rule_knows_openings_in_any_case_and_apostrophe() -> None:
    assert refuses("  I\u2019m SORRY, no") and refuses("As an AI, I") and refuses("I cannot")
    assert not refuses("I can do that") and not refuses("Better not") and not refuses("")


def test_systems_are_named_as_they_are_written() -> None:
    assert str(System(model="m", adapter="x")) == "m + x"
    assert exit_code(["list", "metrics"]) == 0
