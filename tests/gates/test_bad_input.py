"""Whatever is handed to the commands comes to a verdict or to a line with its exit code; never a traceback or a pass."""

import gzip
import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import ResultError
from harness.gates.judge import judge
from harness.gates.rules.max_worse_samples import WorseSamples
from harness.results import baseline
from harness.results.document import content_digest
from harness.types import Judgement, System

from .conftest import Said
from .made import (
    ADAPTER,
    BASE,
    Edit,
    changed,
    costs,
    points,
    result,
    step,
    weights,
    write,
)
from .made import gate as make_gate

Harness = Callable[..., Said]
N = 60
EVERY = make_gate(
    min_value=0,
    max_drop=100,
    max_relative_drop=100,
    max_worse_samples=WorseSamples(drop=100, samples=N),
    min_tokens_per_second=1,
    max_adapter_megabytes=100,
    max_train_seconds=100,
    max_delta_ratio=1,
    max_intruder_dimensions=5,
)
QUALITY = ("min_value", "max_drop", "max_relative_drop", "max_worse_samples")
COSTS = ("min_tokens_per_second", "max_adapter_megabytes", "max_train_seconds")
WEIGHTS = ("max_delta_ratio", "max_intruder_dimensions")
RULES = (
    "gates:\n"
    "  - {model: m, adapter: x, max_drop: 100}\n"
    "  - {model: m, adapter: x, max_drop: 100, against: kept.json}\n"
    "  - {model: m, adapter: x, min_value: 0, by: kind}\n"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound result, its baseline and rules that it passes."""
    folder = tmp_path_factory.mktemp("bad")
    result(folder / "result", {BASE: points(N), ADAPTER: points(N, gain=0.05)})
    baseline.write(folder / "kept.json", baseline.make(folder / "result"))
    (folder / "rules.yaml").write_text(RULES)
    return folder


@pytest.fixture
def here(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(whole, tmp_path / "here"))
    monkeypatch.chdir(folder)
    return folder


def words(judged: Judgement) -> dict[str, str]:
    return {one.rule: one.verdict for one in judged.verdicts}


def reasons(judged: Judgement, word: str = "invalid") -> dict[str, str]:
    return {one.rule: one.because for one in judged.verdicts if one.verdict == word}


def a_line(said: Said, *parts: str) -> None:
    """A mistake of the command line or of a file."""
    assert (said.code, said.out) == (2, ""), said
    assert said.error.startswith("error: ")
    assert len(said.error.splitlines()) == 1, said.error
    assert all(part in said.error for part in parts), said.error


def test_a_sound_result_passes(here: Path, harness: Harness) -> None:
    assert set(words(judge(here / "result", [EVERY])).values()) == {"pass"}
    assert harness("gate", "result", "--rules", "rules.yaml").code == 0


# What a gate asks.


def test_a_limit_of_nothing_is_a_limit(here: Path) -> None:
    gate = make_gate(min_value=0, max_drop=0, max_relative_drop=0, max_intruder_dimensions=0)
    assert [*words(judge(here / "result", [gate]))] == [
        "min_value", "max_drop", "max_relative_drop", "max_intruder_dimensions",
    ]  # fmt: skip
    changed(here / "result", lambda d: d["weights"][0].update(intruder_dimensions=1))
    found = words(judge(here / "result", [make_gate(max_intruder_dimensions=0)]))
    assert found == {"max_intruder_dimensions": "fail"}


def test_no_drop_at_all_is_passed_by_equal_answers_and_failed_by_worse_ones(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    one = result(tmp_path / "one", {BASE: points(N)})
    baseline.write(kept, baseline.make(one))
    gate = make_gate(adapter="base", max_drop=0, against=str(kept))
    assert words(judge(one, [gate])) == {"max_drop": "pass"}
    other = result(tmp_path / "other", {BASE: points(N, gain=-0.05)})
    assert words(judge(other, [gate])) == {"max_drop": "fail"}


def test_a_result_without_gates_passes_nothing(here: Path, harness: Harness) -> None:
    a_line(harness("gate", "result"), "result", "no gates", "--rules")
    a_line(harness("gate", "result", "--baseline", "kept.json"), "no gates", "--rules")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no gates"),
        ("gates: []", "no gates"),
        ("- {max_drop: 1}", "give a mapping"),
        ("gates: {max_drop: 1}", "give a list"),
        ("gates: [max_drop]", "found the text 'max_drop'"),
        ("gates: [{task: t}]", "a gate without a rule"),
        ("gates: [{task: t, must_beat: false}]", "a gate without a rule"),
        ("gates: [{max_drop: .nan}]", "give a finite number"),
        ("gates: [{max_drop: 1e999}]", "give a finite number"),
        (f"gates: [{{max_drop: 1{'0' * 400}}}]", "a number of 401 characters"),
        ("gates: [{max_drop: -1}]", "give 0 or more"),
        ("gates: [{max_drop: '1'}]", "give a number"),
        ("gates: [{max_dorp: 1}]", "did you mean 'max_drop'"),
        ("gates: [{rules: {max_drop: 1}}]", "no key named 'rules'"),
        ("gates: [{max_drop: 1}]\nfamily_error: 0", "more than 0"),
        ("gates: [{max_drop: 1}]\nfamily_error: no", "give a number"),
        ("gates: [{max_worse_samples: {drop: 1}}]", "give either samples or percent"),
        ("gates: [{alpha_within: [6, 2]}]", "the smaller first"),
        ("gates: [", "not YAML"),
        ("gates: \x00", "not YAML"),
    ],
)
def test_rules_that_are_none_are_a_line(
    here: Path, harness: Harness, text: str, said: str
) -> None:  # fmt: skip
    (here / "rules.yaml").write_text(text)
    a_line(harness("gate", "result", "--rules", "rules.yaml"), "rules.yaml", said)


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), float("-inf")])
def test_a_limit_that_is_no_number_is_never_passed(here: Path, limit: float) -> None:
    gate = make_gate(
        min_value=limit, max_drop=limit, max_relative_drop=limit, min_tokens_per_second=limit, max_delta_ratio=limit,
        max_worse_samples=WorseSamples(drop=limit, samples=1), alpha_within=(limit, limit),
    )  # fmt: skip
    assert set(words(judge(here / "result", [gate])).values()) == {"invalid"}


# What a result is.


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_text(""), "not JSON"),
        (lambda path: path.write_bytes(path.read_bytes()[:500]), "not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "not JSON"),
        (lambda path: path.write_text("[" * 100_000), "not JSON"),
        (lambda path: path.write_text("[]"), "no JSON object"),
        (lambda path: path.write_text("{}"), "no schema version"),
        (lambda path: path.write_text('{"schema": 1}'), "broken or changed by hand"),
        (lambda path: path.write_text('{"schema": 99}'), "update the harness"),
        (lambda path: path.write_text(path.read_text().replace("100.0", "101.0")), "changed since it was written"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "command",
    [
        ("gate", "result", "--rules", "rules.yaml"),
        ("baseline", "result", "-o", "new.json"),
        ("compare", "result#m", "result#m+x"),
        ("rescore", "result", "--metric", "chrf", "--out", "new"),
    ],
)
def test_a_result_that_is_none_is_a_line(
    here: Path, harness: Harness, command: tuple[str, ...], edit: Callable[[Path], None], said: str
) -> None:  # fmt: skip
    edit(here / "result" / "result.json")
    a_line(harness(*command), "result.json", said)
    assert not [*here.glob("new*")]


MISSHAPEN: dict[str, Edit] = {
    "a score that is text": lambda d: d["scores"][0].update(value="high"),
    "scores that are a number": lambda d: d.update(scores=1),
    "a score that is a number": lambda d: d.update(scores=[1]),
    "n that is text": lambda d: d["scores"][0].update(n="many"),
    "a task without a name": lambda d: d["suite"]["tasks"][0].pop("name"),
    "metrics that are a number": lambda d: d["suite"]["tasks"][0].update(metrics=1),
    "metrics of numbers": lambda d: d["suite"]["tasks"][0].update(metrics=[1]),
    "a cost that is text": lambda d: d["costs"][0].update(value="fast"),
    "a weight that is a list": lambda d: d.update(weights=[[]]),
    "a cluster that is a list": lambda d: d["suite"]["tasks"][0].update(cluster=["kind"]),
    "a suite that is a list": lambda d: d.update(suite=[]),
    "steps that are text": lambda d: d.update(steps="done"),
    "a manifest that is a list": lambda d: d.update(manifest=[]),
    "a model that is a list": lambda d: d["scores"][0].update(model=["m"]),
    "a gate that is text": lambda d: d["suite"].update(gates=["max_drop"]),
    "a pattern that is a number": lambda d: d["suite"].update(gates=[{"task": 1, "max_drop": 1}]),
}


@pytest.mark.parametrize("edit", MISSHAPEN.values(), ids=MISSHAPEN)
@pytest.mark.parametrize("command", ["gate", "baseline", "compare"])
def test_a_result_of_another_shape_is_a_line(
    here: Path, harness: Harness, command: str, edit: Edit
) -> None:  # fmt: skip
    changed(here / "result", edit)
    more = {
        "gate": ("result", "--rules", "rules.yaml"),
        "baseline": ("result", "-o", "new.json"),
        "compare": ("result#m", "result#m+x"),
    }
    a_line(harness(command, *more[command]), "result.json")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"max_drop": "1"}, "suite.gates[0].max_drop: found the text '1'; give a number"),
        ({"max_drop": True}, "suite.gates[0].max_drop: found true; give a number"),
        ({"alpha_within": [2]}, "suite.gates[0].alpha_within"),
        ({"max_worse_samples": {"samples": 1}}, "suite.gates[0].max_worse_samples.drop: missing"),
        ({"a\n\x1b[2Jb": 1}, "suite.gates[0].a ⟦U+001B⟧[2Jb: no rule named"),
        ({"rules": {"max_drop": 1}}, "suite.gates[0].rules: no rule named 'rules'"),
        ({"../max_drop": 1}, "suite.gates[0].../max_drop: no rule named"),
        ({"max_dorp": 1}, "suite.gates[0].max_dorp: no rule named 'max_dorp'; did you mean 'max_drop'"),
    ],
)
def test_a_rule_of_a_result_that_is_none_is_a_line_where_it_would_be_judged(
    here: Path, harness: Harness, gate: dict[str, Any], said: str
) -> None:  # fmt: skip
    changed(here / "result", lambda d: d["suite"].update(gates=[gate]))
    a_line(harness("gate", "result"), "result.json", said)
    assert harness("gate", "result", "--rules", "rules.yaml").code == 0


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoilt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def edited(path: Path) -> None:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"s1", b"z1", 1)))
    else:
        spoilt(path)


FILES = ("rows.parquet", "samples.jsonl.gz", "generations.jsonl.gz")


@pytest.mark.parametrize("edit", [cut, spoilt, edited, Path.unlink])
@pytest.mark.parametrize("name", FILES)
def test_every_file_is_as_it_was_written_or_nothing_that_rests_on_it_is_judged(
    here: Path, harness: Harness, name: str, edit: Callable[[Path], None]
) -> None:  # fmt: skip
    edit(here / "result" / name)
    judged = judge(here / "result", [EVERY])
    found = reasons(judged)
    assert tuple(found) == QUALITY
    assert all(name in because for because in found.values()), found
    assert all(words(judged)[rule] == "pass" for rule in (*COSTS, *WEIGHTS))
    assert harness("gate", "result", "--rules", "rules.yaml").code == 5
    a_line(harness("baseline", "result", "-o", "new.json"), name)
    a_line(harness("compare", "result#m", "result#m+x"), name)
    a_line(harness("rescore", "result", "--metric", "chrf", "--out", "new"), name)


@pytest.mark.slow
@pytest.mark.parametrize("edit", [cut, spoilt, Path.unlink])
@pytest.mark.parametrize("name", FILES)
def test_nor_is_a_file_believed_that_no_digest_is_kept_of(
    here: Path, harness: Harness, name: str, edit: Callable[[Path], None]
) -> None:  # fmt: skip
    """As in a result that is older than digests."""
    document = json.loads((here / "result" / "result.json").read_text())
    del document["digest"], document["files"]
    (here / "result" / "result.json").write_text(json.dumps(document))
    edit(here / "result" / name)
    for command in (
        ("gate", "result", "--rules", "rules.yaml"),
        ("baseline", "result", "-o", "new.json"),
        ("compare", "result#m", "result#m+x", "--samples", "3"),
        ("rescore", "result", "--metric", "chrf", "--out", "new"),
    ):
        said = harness(*command)  # nothing is raised but what the door tells
        assert len(said.error.splitlines()) <= 1
    assert set(words(judge(here / "result", [EVERY])).values()) <= {"pass", "invalid", "fail", "inconclusive"}


LINES: dict[str, bytes] = {
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "a task alone": b'{"task": "t"}',
    "another kind": b'{"task": 1, "sample_id": [], "model": {}, "text": 0, "input": 3, "references": 4, "metadata": 5}',
    "not UTF-8": b'"\xff"',
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("name", FILES[1:])
def test_lines_that_are_no_records_are_told(
    here: Path, harness: Harness, name: str, line: bytes
) -> None:  # fmt: skip
    path = here / "result" / name
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + line + b"\n"))
    changed(here / "result", lambda document: None)
    if name == "samples.jsonl.gz":
        assert harness("gate", "result", "--rules", "rules.yaml").code in (2, 5)
    a_line(harness("rescore", "result", "--metric", "chrf", "--out", "new"), name)
    if name == "generations.jsonl.gz":
        a_line(harness("baseline", "result", "-o", "new.json"), name)


def test_an_empty_result_answers_no_gate(tmp_path: Path, harness: Harness) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)

    def empty(document: dict[str, Any]) -> None:
        document.update(scores=[], comparisons=[], answers=[], steps=[], costs=[], weights=[])

    bare = result(tmp_path / "bare", {BASE: []}, edit=empty)
    assert set(words(judge(bare, [EVERY])).values()) == {"invalid"}
    assert harness("gate", bare, "--rules", tmp_path / "rules.yaml").code == 5
    a_line(harness("baseline", bare, "-o", tmp_path / "new.json"), "bare")
    a_line(harness("compare", bare, bare), "bare")
    none = result(tmp_path / "none", {BASE: [], ADAPTER: []})  # it was asked nothing
    assert {rule: words(judge(none, [EVERY]))[rule] for rule in QUALITY} == dict.fromkeys(QUALITY, "invalid")
    a_line(harness("baseline", none, "-o", tmp_path / "new.json"), "none")
    without = result(
        tmp_path / "without", {BASE: points(N)}, edit=lambda d: d["suite"].update(tasks=[], models=[])
    )
    assert set(words(judge(without, [EVERY])).values()) == {"invalid"}


@pytest.mark.parametrize("n", [1, 2, 9])
def test_few_samples_pass_nothing_that_is_inferred(tmp_path: Path, n: int) -> None:
    few = result(tmp_path / "few", {BASE: points(n), ADAPTER: points(n)})
    found = words(judge(few, [EVERY]))
    assert all(found[rule] == "invalid" for rule in ("min_value", "max_drop", "max_relative_drop"))
    assert found["max_worse_samples"] == ("invalid" if n < 2 else "pass")  # these are counted


@pytest.mark.parametrize(("level", "word"), [(0.0, "fail"), (0.5, "pass"), (1.0, "pass")])
def test_rows_that_are_all_the_same_are_judged(tmp_path: Path, level: float, word: str) -> None:
    same = result(tmp_path / "same", {BASE: [0.5] * N, ADAPTER: [level] * N})
    gate = make_gate(max_drop=1, must_beat=level > 0.5, min_value=10)
    found = words(judge(same, [gate]))
    assert found.pop("must_beat", "pass") == "pass"
    assert found == {"min_value": word, "max_drop": word}
    level_ = result(tmp_path / "level", {BASE: [0.5] * N, ADAPTER: [0.5] * N})
    assert words(judge(level_, [make_gate(must_beat=True)])) == {"must_beat": "fail"}
    assert words(judge(level_, [make_gate(max_relative_drop=0)])) == {"max_relative_drop": "pass"}
    nothing = result(tmp_path / "nothing", {BASE: [0.0] * N, ADAPTER: [0.0] * N})
    assert words(judge(nothing, [make_gate(max_relative_drop=5)])) == {"max_relative_drop": "invalid"}


def test_no_sample_in_common_is_nothing_to_compare(here: Path, harness: Harness) -> None:
    ids = [f"z{n}" for n in range(N)]
    result(here / "other", {BASE: points(N), ADAPTER: points(N)}, ids=ids)
    judged = judge(here / "other", [make_gate(max_drop=1)], baseline=here / "kept.json")
    assert "other samples" in reasons(judged)["max_drop"]
    a_line(harness("compare", "result", "other"), "nothing can be compared", "0 samples in common")


def test_a_metric_that_is_missing_is_named(here: Path, harness: Harness) -> None:
    judged = judge(here / "result", [make_gate(metric="rogue", min_value=0)])
    assert "no metric named 'rogue'" in reasons(judged)["min_value"]
    a_line(harness("compare", "result#m", "result#m+x", "--metric", "rogue"), "no metric named 'rogue'")
    a_line(harness("rescore", "result", "--metric", "rogue", "--out", "new"), "did you mean 'rouge'")
    changed(here / "result", lambda d: d["suite"]["tasks"][0]["metrics"].append("chrf"))  # it was not scored
    judged = judge(here / "result", [make_gate(metric="chrf", min_value=0)])
    assert "no rows of chrf" in reasons(judged)["min_value"]


@pytest.mark.parametrize("command", ["gate", "baseline", "compare"])
def test_a_plug_in_that_is_not_installed_makes_only_its_gates_invalid(
    here: Path, harness: Harness, command: str
) -> None:  # fmt: skip
    def edit(document: dict[str, Any]) -> None:
        document["suite"]["tasks"][0]["metrics"].append("elsewhere")
        document["scores"] += [{**one, "metric": "far", "primary": False} for one in document["scores"][::2]]

    changed(here / "result", edit)
    if command != "gate":
        more = {"baseline": ("result", "-o", "new.json"), "compare": ("result#m", "result#m+x")}
        a_line(harness(command, *more[command]), "no metric named 'elsewhere'")
        return
    judged = judge(here / "result", [EVERY])
    assert set(words(judged).values()) == {"pass"}
    for metric in ("far", "elsewhere", "f*r"):
        judged = judge(here / "result", [make_gate(metric=metric, min_value=0)])
        assert "elsewhere" in reasons(judged)["min_value"], metric
    several = judge(here / "result", [make_gate(metric="*", min_value=0)]).verdicts
    assert {one.metric: one.verdict for one in several} == {
        "f1": "pass",
        "exact": "pass",
        "far": "invalid",
    }
    assert harness("gate", "result", "--rules", "rules.yaml").code == 0


# Steps that failed, and adapters that change nothing.


@pytest.mark.parametrize("state", ["failed", "skipped"])
@pytest.mark.parametrize(
    ("kind", "system", "invalid"),
    [
        ("load", None, (*QUALITY, "min_tokens_per_second")),
        ("train", ADAPTER, (*QUALITY, *COSTS, *WEIGHTS)),
        ("generate", ADAPTER, (*QUALITY, "min_tokens_per_second")),
        ("generate", BASE, QUALITY),
        ("score", ADAPTER, QUALITY),
        ("score", BASE, QUALITY),
        ("spectra", ADAPTER, WEIGHTS),
    ],
)
def test_a_step_that_failed_is_named_by_the_gates_that_need_it(
    here: Path, kind: str, system: System | None, invalid: tuple[str, ...], state: str
) -> None:
    task = "t" if kind in ("load", "generate", "score") else ""
    failed = step(kind, system, task=task, state=state, reason="out of memory")
    changed(here / "result", lambda d: d["steps"].append(failed))
    judged = judge(here / "result", [EVERY])
    found = reasons(judged)
    assert set(found) == set(invalid)
    assert all(f"'{failed['label']}' {state}: out of memory" in because for because in found.values()), found


def test_a_score_that_is_missing_since_its_step_failed_is_not_passed_over(
    tmp_path: Path, harness: Harness
) -> None:
    """The adapter left nothing but its steps."""

    def edit(document: dict[str, Any]) -> None:
        lost = [
            step(kind, ADAPTER, state="failed", reason="out of memory")
            for kind in ("train", "generate", "score")
        ]
        document["steps"] += lost

    folder = result(tmp_path / "result", {BASE: points(N)}, edit=edit)
    for gate in (EVERY, make_gate(adapter="x*", max_drop=1, must_beat=True, min_value=1)):
        judged = judge(folder, [gate])
        assert {one.verdict for one in judged.verdicts} == {"invalid"}
        assert all("failed: out of memory" in one.because for one in judged.verdicts if one.rule in QUALITY)


def test_an_adapter_that_changes_nothing_passes_nothing(here: Path) -> None:
    def alike(document: dict[str, Any]) -> None:
        for one in document["answers"]:
            one["texts"] = "same"

    changed(here / "result", alike)
    found = reasons(judge(here / "result", [EVERY, make_gate(must_beat=True)]))
    assert set(found) == {*QUALITY, *COSTS, *WEIGHTS, "must_beat"}
    assert all("inert" in because for because in found.values())


def test_an_update_of_zero_passes_nothing(here: Path) -> None:
    changed(here / "result", lambda d: d["weights"][0].update(status="zero", delta_ratio=0.0))
    found = reasons(judge(here / "result", [EVERY]))
    assert set(found) == {*QUALITY, *COSTS, *WEIGHTS}
    assert all("inert" in because for because in found.values())


# Numbers that are none.


def finite(document: dict[str, Any]) -> None:
    """Put zero in the place of each number of a score or a comparison that is not finite."""
    for record in (*document["scores"], *document["comparisons"]):
        record |= {
            name: 0.0
            for name, value in record.items()
            if isinstance(value, float) and not math.isfinite(value)
        }


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_rows_that_are_no_numbers_pass_nothing(tmp_path: Path, harness: Harness, number: float) -> None:
    folder = result(tmp_path / "result", {BASE: points(N), ADAPTER: [*points(N - 1), number]})
    with pytest.raises(ResultError, match="not a finite number"):
        judge(folder, [EVERY])
    document = json.loads((folder / "result.json").read_text())
    finite(document)
    write(folder, document)  # so that the rows alone hold it
    found = reasons(judge(folder, [EVERY, make_gate(must_beat=True)]))
    assert set(found) == {*QUALITY, "must_beat"}
    assert all("not finite" in because for because in found.values()), found
    a_line(harness("compare", f"{folder}#m", f"{folder}#m+x"), "rows.parquet")
    said = harness("baseline", folder, "-o", tmp_path / "new.json")
    a_line(said, "not finite")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, 1])
def test_costs_and_weights_that_are_no_numbers_pass_nothing(here: Path, number: float, place: int) -> None:
    """Wherever it stands: the largest of some numbers and NaN is either."""

    def edit(document: dict[str, Any]) -> None:
        document["costs"] += costs(ADAPTER)
        own = [one for one in document["costs"] if one["adapter"] == "x"]
        for one in own[3 * place : 3 * place + 3]:
            one["value"] = number
        many = [weights(ADAPTER, layer=f"h.{n}", part="delta") for n in range(2)]
        many += [weights(ADAPTER, layer=f"h.{n}", part="merged", alpha=3.0) for n in range(3)]
        many[place].update(delta_ratio=number, intruder_dimensions=number)
        many[place + 2].update(alpha=number)
        document["weights"] = many

    changed(here / "result", edit)
    gate = make_gate(
        min_tokens_per_second=1, max_adapter_megabytes=1e9, max_train_seconds=1e9, max_delta_ratio=1e9,
        max_intruder_dimensions=10**9, alpha_within=(1, 6),
    )  # fmt: skip
    with pytest.raises(ResultError, match="not a finite number"):
        judge(here / "result", [gate])


def test_layers_that_could_not_be_looked_at_are_not_within_a_limit(here: Path) -> None:
    lost = weights(ADAPTER, layer="h.1.q", status="failed: not finite")
    del lost["delta_ratio"], lost["intruder_dimensions"]
    changed(here / "result", lambda d: d["weights"].append(lost))
    found = reasons(judge(here / "result", [make_gate(max_delta_ratio=1, max_intruder_dimensions=5)]))
    assert set(found) == set(WEIGHTS)
    assert all("h.1.q" in because for because in found.values())


def test_a_cost_whose_hardware_nobody_knows_passes_no_baseline(here: Path) -> None:
    changed(here / "result", lambda d: d["manifest"].pop("hardware"))
    baseline.write(here / "kept.json", baseline.make(here / "result"))
    found = reasons(judge(here / "result", [make_gate(min_tokens_per_second=1, against="kept.json")]))
    assert "hardware" in found["min_tokens_per_second"]


# What a baseline is.


def of_first_row(**changes: Any) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        for system in document["systems"]:
            row = system["rows"]["s0"]
            row.update(changes)
            for key in [key for key, value in row.items() if value is None]:
                del row[key]

    return edit


def without_last_sample(document: dict[str, Any]) -> None:
    for system in document["systems"]:
        del system["rows"]["s59"]


KEPT: dict[str, Edit] = {
    "a newer schema": lambda d: d.update(schema=99),
    "a schema that is text": lambda d: d.update(schema="1"),
    "no schema": lambda d: d.pop("schema"),
    "no systems": lambda d: d.pop("systems"),
    "no tasks": lambda d: d.pop("tasks"),
    "no environment": lambda d: d.pop("environment"),
    "systems that are a mapping": lambda d: d.update(systems={}),
    "systems of numbers": lambda d: d.update(systems=[1, 2]),
    "tasks of numbers": lambda d: d.update(tasks=[1]),
    "a task without a digest": lambda d: d["tasks"][0].pop("samples"),
    "a task whose n is text": lambda d: d["tasks"][0].update(n="60"),
    "a task whose decode is text": lambda d: d["tasks"][0].update(decode="greedy"),
    "signatures that are a list": lambda d: d["tasks"][0].update(signatures=["f1"]),
    "an environment that is a list": lambda d: d.update(environment=[]),
    "revisions that are a list": lambda d: d.update(revisions=["r1"]),
    "a system without a model": lambda d: d["systems"][0].pop("model"),
    "a model that is a list": lambda d: d["systems"][0].update(model=["m"]),
    "shots that are text": lambda d: d["systems"][0].update(shots="0"),
    "rows that are a list": lambda d: d["systems"][0].update(rows=[]),
    "rows that are numbers": lambda d: d["systems"][0].update(rows={"s0": 1}),
    "no place": of_first_row(place=None),
    "a place that is text": of_first_row(place="0"),
    "a place that is there twice": of_first_row(place=1),
    "a row without a metric": of_first_row(f1=None),
    "a row of another length": of_first_row(f1=[1]),
    "a row that is a number": of_first_row(f1=1),
    "a row of text": of_first_row(f1=["1", "1"]),
    "a row of truths": of_first_row(f1=[True, True]),
    "a row of nothing": of_first_row(f1=[None, 1]),
    "NaN": of_first_row(f1=[float("nan"), 1]),
    "an infinite number": of_first_row(f1=[float("inf"), 1]),
    "an answer that is missing": of_first_row(answer=None),
    "an answer that is a number": of_first_row(answer=1),
    "a system twice": lambda d: d["systems"].append(d["systems"][0]),
    "a task twice": lambda d: d["tasks"].append(d["tasks"][0]),
    "a sample too few": without_last_sample,
}


@pytest.mark.parametrize("edit", KEPT.values(), ids=KEPT)
def test_a_baseline_of_another_shape_is_a_line_or_makes_its_gates_invalid(
    here: Path, harness: Harness, edit: Edit
) -> None:  # fmt: skip
    document = json.loads((here / "kept.json").read_text())
    edit(document)
    (here / "kept.json").write_text(json.dumps({**document, "digest": content_digest(document)}))
    a_line(harness("gate", "result", "--rules", "rules.yaml", "--baseline", "kept.json"), "kept.json")
    judged = judge(here / "result", [make_gate(max_drop=100, against="kept.json"), make_gate(min_value=0)])
    assert words(judged) == {"max_drop": "invalid", "min_value": "pass"}
    assert "kept.json" in reasons(judged)["max_drop"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"[]", "no JSON object"),
        (b"1", "no JSON object"),
        (b"{}", "not a baseline"),
        (b'{"schema": 1', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"schema": 1, "systems": []}', "changed by hand or cut short"),
        (b'{"schema": 1, "systems": [], "digest": [1]}', "changed by hand or cut short"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_baseline_is_a_line(
    here: Path, harness: Harness, content: bytes | None, said: str
) -> None:  # fmt: skip
    (here / "kept.json").unlink() if content is None else (here / "kept.json").write_bytes(content)
    a_line(harness("gate", "result", "--rules", "rules.yaml", "--baseline", "kept.json"), "kept.json", said)
    found = harness("gate", "result", "--rules", "rules.yaml")
    assert (found.code, found.error) == (5, "")


def test_rows_of_another_width_than_their_metric_gives_are_refused(here: Path) -> None:
    document = json.loads((here / "kept.json").read_text())
    for system in document["systems"]:
        for row in system["rows"].values():
            row["f1"] = [*row["f1"], 1]
    baseline.write(here / "kept.json", {key: value for key, value in document.items() if key != "digest"})
    judged = judge(here / "result", [make_gate(max_drop=100, against="kept.json"), make_gate(min_value=0)])
    assert words(judged) == {"max_drop": "invalid", "min_value": "pass"}


@pytest.mark.parametrize("width", [0, 1, 3])
def test_so_are_those_of_a_result(tmp_path: Path, width: int) -> None:
    from harness.results.rows import Rows, open_rows, write_rows

    folder = result(tmp_path / "result", {BASE: points(N), ADAPTER: points(N)})
    with open_rows(folder) as file:
        kept = {key: file.get(key) for key in (*file.keys(),)}
    wide = {key: Rows(ids=rows.ids, stats=np.ones((N, width))) for key, rows in kept.items() if rows}
    write_rows(folder / "rows.parquet", wide.items())
    changed(folder, lambda document: None)
    found = words(judge(folder, [EVERY, make_gate(must_beat=True)]))
    assert {rule: found[rule] for rule in (*QUALITY, "must_beat")} == dict.fromkeys(
        (*QUALITY, "must_beat"), "invalid"
    )


def test_a_sample_that_is_there_twice_is_not_counted_twice(tmp_path: Path) -> None:
    folder = result(tmp_path / "result", {BASE: points(N), ADAPTER: points(N)}, ids=["s"] * N)
    found = words(judge(folder, [EVERY]))
    assert {rule: found[rule] for rule in QUALITY} == dict.fromkeys(QUALITY, "invalid")


# Where it is written.


@pytest.mark.parametrize(
    "command",
    [
        ("gate", "result", "--rules", "rules.yaml", "--junit", "."),
        ("gate", "result", "--rules", "rules.yaml", "--junit", "rules.yaml/g.xml"),
        ("gate", "result", "--rules", "rules.yaml", "--comment", "."),
        ("baseline", "result", "-o", "."),
        ("baseline", "result", "-o", "rules.yaml/b.json"),
        ("compare", "result#m", "result#m+x", "--markdown", "."),
        ("rescore", "result", "--metric", "chrf", "--out", "rules.yaml"),
        ("rescore", "result", "--metric", "chrf", "--out", "rules.yaml/new"),
    ],
)
def test_a_place_that_cannot_be_written_is_a_line(
    here: Path, harness: Harness, command: tuple[str, ...]
) -> None:  # fmt: skip
    said = harness(*command)
    assert said.code == 2
    assert len(said.error.splitlines()) == 1
    assert said.error.startswith("error: ")


@pytest.mark.slow
def test_ten_thousand_gates_are_judged_in_seconds(tmp_path: Path) -> None:
    """Each draws, tests and sorts what others of the file ask too: done once, they took 4 s where they had taken 100."""
    scores = {System(model="m", adapter=f"x{n}"): points(800, gain=n / 100) for n in range(7)}
    folder = result(tmp_path / "result", {BASE: points(800), **scores})
    gates = [
        make_gate(adapter=f"x{n % 7}", **rule)
        for n in range(2_500)
        for rule in (
            {"max_drop": n % 50},
            {"must_beat": True},
            {"min_value": n % 90},
            {"max_relative_drop": n % 60},
        )
    ]
    before = time.monotonic()
    judged = judge(folder, gates)
    assert time.monotonic() - before < 60
    assert len(judged.verdicts) == 10_000
    assert {one.verdict for one in judged.verdicts} == {"pass", "fail", "inconclusive"}
