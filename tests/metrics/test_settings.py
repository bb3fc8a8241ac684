"""A metric has settings: in a suite with line numbers, on the command line, in signatures and in the names of scores."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import metrics, plugins
from harness.errors import SuiteError
from harness.plugins.choice import parse
from harness.suite.load import load_suite
from tests.cli.words import harness

SUITE = """
tasks:
  - name: t
    source: {{uri: "file:data"}}
    prompt: "$input"
    metrics: {metrics}
    primary: {primary}
models: [{{name: copy, uri: "echo:copy"}}]
weights: false
gates: [{{adapter: base, metric: "exact(ignore_case=false)", min_value: 50}}]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    (tmp_path / "data").mkdir()
    rows = [{"input": f"The cats sat {n}", "reference": f"the cat sat {n}"} for n in range(12)]
    (tmp_path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    yield tmp_path
    plugins.use(())


def suite(folder: Path, said: str, primary: str = "exact") -> str:
    (folder / "small.yaml").write_text(SUITE.format(metrics=said, primary=json.dumps(primary)))
    return str(folder / "small.yaml")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("[exact, {rouge: {stemmer: false}}]", ("exact", "rouge(stemmer=false)")),
        (
            "[exact, {bleu: {tokenize: zh, lowercase: true}}]",
            ("exact", "bleu(lowercase=true,tokenize=zh)"),  # in the order of their names
        ),
        ("[exact, {rouge: {stemmer: true}}]", ("exact", "rouge")),  # what is usual is not said
        ("[exact, {rouge: {}}, {chrf: {word_order: 2}}]", ("exact", "rouge", "chrf(word_order=2)")),
        ('[exact, "rouge( stemmer = false )"]', ("exact", "rouge(stemmer=false)")),
        ("[exact, {exact: {ignore_case: false}}]", ("exact", "exact(ignore_case=false)")),
    ],
)
def test_a_metric_and_its_settings_are_one_text(here: Path, said: str, expected: tuple[str, ...]) -> None:
    assert load_suite(suite(here, said)).tasks[0].metrics == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "[exact, {rouge: {stemer: false}}]",
            "small.yaml:6: tasks[0].metrics[1].rouge.stemer: no key named 'stemer'; did you mean 'stemmer'?",
        ),
        (
            "[exact, {rouge: {stemmer: 1}}]",
            "tasks[0].metrics[1].rouge.stemmer: found the number 1; give true or false",
        ),
        ("[exact, {bleu: {tokenize: inlt}}]", "no tokenize named 'inlt'; did you mean 'intl'?"),
        ("[exact, {f1: {fold: true}}]", "no key named 'fold'; there are none"),
        ("[exact, {rouge: {stemmer: [true]}}]", "metrics[1].rouge.stemmer: found a list; give one value"),
        ("[exact, {rogue: {stemmer: false}}]", "no metric named 'rogue'; did you mean 'rouge'?"),
        ("[exact, {rouge: false}]", "metrics[1]: found a mapping; give a metric and its settings"),
        ("[exact, {rouge: {}, bleu: {}}]", "metrics[1]: found a mapping; give a metric and its settings"),
        ('[exact, "rouge(stemmer)"]', "found 'rouge(stemmer)'; write NAME(SETTING=VALUE"),
        ("[exact, {exact: {ignore_case: true}}]", "metrics[1]: 'exact' is there twice"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_line(here: Path, said: str, message: str) -> None:
    with pytest.raises(SuiteError) as refused:
        load_suite(suite(here, said))
    assert message in str(refused.value)
    assert "small.yaml:6" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("m(a=1)", {"a": 1}),
        ("m(a=0.5,b=null)", {"a": 0.5, "b": None}),
        ('m(a="1",b="x, (y)",c="true")', {"a": "1", "b": "x, (y)", "c": "true"}),
        ("m(a=13a,b=-x.y)", {"a": "13a", "b": "-x.y"}),
        ('m(a="say \\"so\\"")', {"a": 'say "so"'}),
    ],
)
def test_a_choice_is_read_as_it_is_written(text: str, settings: dict[str, object]) -> None:
    choice = parse(text)
    assert choice.settings == settings
    assert str(choice) == text


@pytest.mark.parametrize("text", ["m()", "m(a)", "m(a=1,)", "m(a=1,a=2)", "m(a=[1])", "m(a='x y')"])
def test_what_is_no_choice_is_refused(text: str) -> None:
    with pytest.raises(SuiteError, match="write NAME"):
        parse(text)


def test_settings_stand_in_names_and_signature_and_move_the_score(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = suite(here, "[exact, {exact: {ignore_case: false}}, rouge, {rouge: {stemmer: false}}]", "rougeL")
    words = ("--workers", "0", "--device", "cpu", "--out", "R", "--json")
    assert harness(capsys, "run", path, *words).code == 1  # the gate names one of the two, and fails
    scores = {one["metric"]: one for one in json.loads(Path("R/result.json").read_text())["scores"]}
    assert scores["rouge1"]["value"] == 100.0
    assert scores["rouge1(stemmer=false)"]["value"] == 75.0
    assert "|stemmer:yes|" in scores["rouge1"]["signature"]
    assert "|stemmer:no|" in scores["rouge1(stemmer=false)"]["signature"]
    assert (scores["rougeL"]["primary"], scores["rougeL(stemmer=false)"]["primary"]) == (True, False)
    assert "ROUGE-L (stemmer=false)" in Path("R/report.html").read_text()
    assert harness(capsys, "verify", "R").code == 0
    judged = harness(capsys, "gate", "R")
    assert judged.code == 1
    assert "Exact match (ignore_case=false)" in judged.out + judged.err


def test_a_score_with_settings_may_decide(here: Path) -> None:
    chosen = suite(here, "[exact, {chrf: {word_order: 2}}]", "chrf(word_order=2)")
    assert load_suite(chosen).tasks[0].primary == "chrf(word_order=2)"


def test_rescore_takes_settings_as_scores_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = suite(here, "[exact, {exact: {ignore_case: false}}]")
    assert harness(capsys, "run", path, "--workers", "0", "--device", "cpu", "--out", "R").code == 1
    done = harness(capsys, "rescore", "R", "--metric", "bleu(tokenize=char,lowercase=true)")
    assert done.code == 0, done.err
    scores = {one["metric"] for one in json.loads(Path("R/result.json").read_text())["scores"]}
    assert "bleu(lowercase=true,tokenize=char)" in scores
    assert harness(capsys, "verify", "R").code == 0
    refused = harness(capsys, "rescore", "R", "--metric", "bleu(tokenise=char)")
    assert refused.code == 2
    assert "--metric bleu(tokenise=char): tokenise: no key named 'tokenise'; did you mean 'tokenize'?" in (
        " ".join(refused.err.split())
    )


WITH_SETTINGS = [
    "bleu(tokenize=char)",
    "chrf(word_order=2)",
    "exact(ignore_case=false)",
    "rouge(stemmer=false)",
]


@pytest.mark.parametrize("chosen", WITH_SETTINGS)
def test_another_setting_is_another_signature(chosen: str) -> None:
    usual, other = metrics.load(parse(chosen).name), metrics.load(chosen)
    assert usual.signature != other.signature
    assert [name.partition("(")[0] for name in other.names] == list(usual.names)
    assert metrics.score_names(chosen) == other.names
