"""A split that a run reads and that the data do not have is named before any work, with what would do."""

from pathlib import Path

import pytest

from tests.cli.words import harness

SUITE = """\
tasks:
  - name: t
    source: {uri: "file:.", columns: {input: q, reference: a}, splits: SPLITS}
    prompt: $input
    metrics: [f1]
    primary: f1
models: [{name: a, uri: zoo:falcon-tiny}]
recipes: [{name: r, rank: 2, steps: 1, validation_samples: CHECKED}]
train_on: [t]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").write_text("q,a\n" + "".join(f"q{row},a{row}\n" for row in range(10)))
    return tmp_path


def suite(splits: str, checked: int) -> None:
    Path("s.yaml").write_text(SUITE.replace("SPLITS", splits).replace("CHECKED", str(checked)))


@pytest.mark.parametrize("command", ["check", "plan", "run"])
@pytest.mark.parametrize(
    ("splits", "checked", "said"),
    [
        (
            '{train: "d.csv[:80%]", test: "d.csv[80%:]"}',
            2,
            "no validation split, which training needs to choose",
        ),
        ("{test: d.csv}", 0, "no train split, which training and few-shot prompts need; add the split"),
    ],
)
def test_a_missing_split_is_refused(
    capsys: pytest.CaptureFixture[str], command: str, splits: str, checked: int, said: str
) -> None:
    suite(splits, checked)
    done = harness(capsys, command, "s.yaml", "--store", "store")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not list(Path("store").glob("done/*"))


def test_without_validation_the_same_data_are_planned(capsys: pytest.CaptureFixture[str]) -> None:
    suite('{train: "d.csv[:80%]", test: "d.csv[80%:]"}', 0)
    assert harness(capsys, "plan", "s.yaml", "--store", "store").code == 0
