"""RESULTs that somebody forged, digests and all: what does not follow from the answers is told."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.files.json_lines import to_json
from harness.gates.judge import judge
from harness.report.page import build
from harness.results import json_lines, read
from harness.results import verdicts as verdicts_file
from harness.results.digests import InputDigests
from harness.results.document import write_document
from harness.results.verdicts import missing
from harness.verification import verify
from harness.verification.scores import check

Document = dict[str, Any]


@pytest.fixture
def forge(example: Path, tmp_path: Path) -> Callable[[Callable[[Document], object]], Path]:
    def forged(edit: Callable[[Document], object]) -> Path:
        folder = Path(shutil.copytree(example, tmp_path / "forged", dirs_exist_ok=True))
        document = json.loads((folder / "result.json").read_bytes())
        document["manifest"]["libraries"]["numpy"] = np.__version__
        edit(document)
        write_document(folder, document)
        return folder

    return forged


def test_a_result_that_is_only_written_again_verifies(forge: Callable[..., Path]) -> None:
    assert verify(forge(lambda document: None)) == []


def told(document: Document, **equal: object) -> Document:
    """The first comparison that is so."""
    return next(one for one in document["comparisons"] if all(one[k] == v for k, v in equal.items()))


def in_family(document: Document) -> Document:
    return next(one for one in document["comparisons"] if one["family"] is not None)


def smaller_p(document: Document) -> None:
    """With Holm's correction to match."""
    from harness.stats import holm

    family = in_family(document)["family"]
    members = [one for one in document["comparisons"] if one["family"] == family]
    members[0]["p"] = 0.0 if members[0]["p"] > 0.5 else 0.9
    for one, p in zip(members, holm([one["p"] for one in members]), strict=True):
        one["p_holm"] = p


def older(document: Document) -> None:
    """Made by another version, which may have drawn other resamples."""
    document["manifest"]["harness"] = "0.0.1"


def in_turn(*edits: Callable[[Document], object]) -> Callable[[Document], None]:
    """Return an edit that makes all of these edits."""

    def edit_all(document: Document) -> None:
        for edit in edits:
            edit(document)

    return edit_all


def swap(document: Document) -> None:
    one = in_family(document)
    one["low"], one["high"] = one["high"], one["low"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (smaller_p, ": p 0."),
        (in_turn(older, smaller_p), ": p 0."),
        (lambda d: in_family(d).update(low=in_family(d)["low"] + 1e-3), ": low "),
        (in_turn(older, lambda d: in_family(d).update(low=in_family(d)["high"])), ": low "),
        (swap, "down to"),
        (lambda d: in_family(d).update(n=4000), ": n 4000 in result.json, 40 from the rows"),
        (lambda d: in_family(d).update(better=39), ": better 39 in result.json"),
        (in_turn(older, lambda d: in_family(d).update(worse=39)), ": worse 39 in result.json"),
        (lambda d: in_family(d).update(detectable=0.01), ": detectable 0.010000 in result.json"),
        (lambda d: in_family(d).update(test="an exact test"), ": test an exact test in result.json"),
        (lambda d: in_family(d).update(family="alone", p_holm=in_family(d)["p"]), "the family 'alone'"),
        (lambda d: d["comparisons"].append(in_family(d)), "compared twice"),
        (lambda d: d["comparisons"].remove(in_family(d)), "missing from its family"),
        (lambda d: told(d, family=None).update(p_holm=0.01), "outside every family"),
        (lambda d: in_family(d).update(p=-1.0), "no probability"),
    ],
)
def test_a_forged_comparison_is_told(
    forge: Callable[..., Path], edit: Callable[[Document], object], said: str
) -> None:
    problems = verify(forge(edit))
    assert any(said in one for one in problems), problems


def test_a_result_of_another_version_may_have_drawn_other_resamples(forge: Callable[..., Path]) -> None:
    def edit(document: Document) -> None:
        older(document)
        for one in document["comparisons"]:
            one["low"] += 0.01 * (one["high"] - one["low"])
            one["detectable"] *= 1.005

    assert verify(forge(edit)) == []


def of_model(document: Document) -> Document:
    return next(one for one in document["scores"] if one["metric"] == "rougeL" and one["adapter"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda d: of_model(d).update(better="lower"),
            ": better lower in result.json, higher is the metric's",
        ),
        (lambda d: of_model(d).update(unit="%"), ": unit % in result.json"),
        (lambda d: of_model(d).update(signature="rouge|of:another"), ": signature rouge|of:another"),
        (lambda d: of_model(d).update(primary=False), ": primary False in result.json"),
        (lambda d: of_model(d).update(low=None, high=None), ": no interval in result.json"),
        (lambda d: d["scores"].append({**of_model(d), "value": 99.0}), "scored twice"),
    ],
)
def test_a_score_that_is_not_as_its_metric_says_is_told(
    forge: Callable[..., Path], edit: Callable[[Document], object], said: str
) -> None:
    problems = verify(forge(edit))
    assert any(said in one for one in problems), problems


def test_a_metric_of_another_version_is_said_and_no_fault(forge: Callable[..., Path]) -> None:
    def edit(document: Document) -> None:
        score = of_model(document)
        score["signature"] = score["signature"].rpartition("|")[0] + "|version:0.0.1"

    found = check(forge(edit))
    assert not found.problems
    assert len(found.remarks) == 1 and "made by another version" in found.remarks[0]


def listed(document: Document, folder: Path) -> None:
    """As a run lists answers."""
    asked = InputDigests()
    for _ in asked.samples(json_lines(folder / "samples.jsonl.gz")):
        pass
    for _ in asked.generations(json_lines(folder / "generations.jsonl.gz")):
        pass
    document["answers"] = [
        {"task": one.task, **to_json(one.system), "prompts": one.prompts, "texts": one.texts, "n": one.n}
        for one in asked.answers()
    ]
    for task in document["suite"]["tasks"]:
        task["samples"] = asked.of(task["name"])


def test_digests_that_a_run_takes_of_samples_and_answers_are_found_again(
    forge: Callable[..., Path], example: Path
) -> None:
    assert verify(forge(lambda document: listed(document, example))) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: d["answers"][0].update(texts="0" * 16), "the digests are"),
        (lambda d: d["answers"][0].update(prompts="1" * 16), "the digests are"),
        (lambda d: d["answers"][0].update(n=4000), "n = 4000 in result.json, 40 generations"),
        (lambda d: d["answers"].append(d["answers"][0]), "listed twice"),
        (lambda d: d["answers"].pop(), "are not listed"),
        (lambda d: d["answers"].append({**d["answers"][0], "model": "another"}), "and there are none"),
        (lambda d: d["suite"]["tasks"][0].update(samples="0" * 16), "the digest of its samples is 0000"),
    ],
)
def test_a_forged_digest_is_told(
    forge: Callable[..., Path], example: Path, edit: Callable[[Document], object], said: str
) -> None:
    problems = verify(forge(in_turn(lambda document: listed(document, example), edit)))
    assert any(said in one for one in problems), problems


def gated(document: Document) -> None:
    document["suite"]["gates"] = [{"name": "no loss", "max_drop": 1.0}]


def judged(folder: Path) -> Path:
    verdicts_file.write(folder, judge(folder).verdicts)
    assert len(json.loads((folder / "verdicts.json").read_bytes())["verdicts"]) > 1
    return folder / "verdicts.json"


def test_verdicts_that_a_run_gave_are_given_again(forge: Callable[..., Path]) -> None:
    folder = forge(gated)
    judged(folder)
    found = check(folder)
    assert (found.problems, found.remarks) == ((), ())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda v: v[0].update(verdict="invalid"), ": verdict invalid in it"),
        (lambda v: v[0].update(value=99.0), ": value 99.0 in it"),
        (lambda v: v[0].update(because="all is well"), ": because all is well in it"),
        (lambda v: v.append({**v[0], "subject": "another"}), "no gate of result.json gives this"),
        (lambda v: v.pop(), "the verdict is missing"),
        (lambda v: v.append(v[0]), "listed twice"),
    ],
)
def test_a_forged_verdict_is_told(
    forge: Callable[..., Path], edit: Callable[[list[Document]], object], said: str
) -> None:
    folder = forge(gated)
    path = judged(folder)
    document = json.loads(path.read_bytes())
    edit(document["verdicts"])
    path.write_text(json.dumps(document))
    problems = verify(folder)
    assert any(said in one for one in problems), problems


def test_deleted_verdicts_are_missed_by_the_check_and_by_the_report(forge: Callable[..., Path]) -> None:
    folder = forge(gated)
    judged(folder).unlink()
    sentence = f"verdicts.json is missing, though the suite has 1 gate; `harness gate {folder}` judges again"
    found = check(folder)
    assert (found.problems, found.remarks) == ((), (sentence,))
    page = build(read(folder))
    assert page.verdicts == ()
    assert (page.notes[-1].kind, page.notes[-1].detail) == ("verdicts missing", sentence)


def test_a_copy_without_texts_and_a_suite_without_gates_miss_no_verdicts(forge: Callable[..., Path]) -> None:
    assert not missing(read(forge(lambda document: None)))
    result = read(forge(gated))
    tasks = tuple(replace(task, share="scores") for task in result.suite.tasks)
    copy = replace(
        result,
        suite=replace(result.suite, tasks=tasks),
        manifest=replace(result.manifest, shareable=True),
    )
    assert missing(result) and not missing(copy)


@pytest.mark.slow
def test_verdicts_without_a_gate_are_told(forge: Callable[..., Path]) -> None:
    folder = forge(gated)
    judged(folder)
    document = json.loads((folder / "result.json").read_bytes())
    document["suite"]["gates"] = []
    write_document(folder, document)
    assert any("holds no gate" in one for one in verify(folder))


def test_gates_against_a_baseline_that_is_not_here_are_not_judged_again(forge: Callable[..., Path]) -> None:
    folder = forge(lambda d: d["suite"].update(gates=[{"max_drop": 1.0, "against": "nowhere.json"}]))
    judged(folder)
    found = check(folder)
    assert not found.problems
    assert found.remarks == ("verdicts: not judged again, because the baseline nowhere.json is not here",)


def test_a_report_shows_no_verdict_on_a_system_that_is_not_in_the_result(forge: Callable[..., Path]) -> None:
    folder = forge(gated)
    path = judged(folder)
    document = json.loads(path.read_bytes())
    verdicts = document["verdicts"]
    stranger = {**verdicts[0]["system"], "model": "stranger"}
    more = {**verdicts[0], "subject": "stranger", "system": stranger}
    path.write_text(json.dumps({**document, "verdicts": [*verdicts, more]}))
    page = build(read(folder))
    assert len(page.verdicts) == len(verdicts) and all(one.subject != "stranger" for one in page.verdicts)
    assert page.notes[-1].kind == "verdicts left out" and page.notes[-1].count == 1
