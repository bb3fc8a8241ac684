"""METEOR is nltk's, with data or without; what data is missing is said before anything runs.

The data is small, in the format of nltk's own: a WordNet of two sets of synonyms, a Punkt that knows one abbreviation.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import metrics
from harness.types import Generation, Sample
from tests.cli.words import harness

SYNONYMS = {"noun": [("car", "auto")], "adj": [("big", "great")], "verb": [], "adv": []}
LETTER = {"noun": "n", "adj": "a", "verb": "v", "adv": "r"}
STEMS = "meteor(split=none,synonyms=false)"
WORDS = st.lists(st.sampled_from("the car auto cars runs running big . Mr. Oslo".split()), max_size=8)


def write_wordnet(
    folder: Path, version: str = "3.0", synonyms: Mapping[str, Sequence[Sequence[str]]] = SYNONYMS
) -> None:
    folder.mkdir(parents=True)
    for name, sets in synonyms.items():
        head = f"  1 A stand-in for WordNet {version} Copyright nobody\n"
        data, index = head, head
        for words in sets:
            offset = len(data)
            listed = " ".join(f"{word} 0" for word in words)
            data += f"{offset:08d} 00 {LETTER[name]} {len(words):02x} {listed} 000 | a gloss\n"
            index += "".join(f"{word} {LETTER[name]} 1 0 1 0 {offset:08d}  \n" for word in words)
        (folder / f"data.{name}").write_text(data)
        (folder / f"index.{name}").write_text(index)
        (folder / f"{name}.exc").write_text("")
    (folder / "lexnames").write_text("00\tall\t1\n")
    for name in ("cntlist.rev", "index.sense"):
        (folder / name).write_text("")


def write_punkt(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "abbrev_types.txt").write_text("mr\n")
    for name in ("collocations.tab", "sent_starters.txt", "ortho_context.tab"):
        (folder / name).write_text("")


def score(name: str, answer: str, *references: str) -> float:
    metric = metrics.load(name)
    assert metric.row is not None and metric.value is not None
    sample = Sample(id="1", input="", references=references)
    row = metric.row(sample, Generation(sample_id="1", text=answer))
    return float(metric.value(np.array(row))[0])


@pytest.mark.parametrize(
    ("answer", "references", "expected"),
    [
        ("the car stopped", ("the car stopped",), 1 - 0.5 * (1 / 3) ** 3),  # 3 words in 1 chunk
        (
            "the car stopped",
            ("the auto stopped",),
            2 / 3 * (1 - 0.5 * (2 / 2) ** 3),
        ),  # 2 words in 2 chunks
        ("cars", ("car",), 1 - 0.5),  # by stem, 1 word in 1 chunk
        ("THE CAR", ("the car",), 1 - 0.5 * (1 / 2) ** 3),
        ("a", ("the car", "a"), 0.5),  # the best reference
        ("the", ("the car",), 10 * 0.5 / (0.5 + 9) * 0.5),  # P = 1, R = 1/2: 10PR / (R + 9P)
        ("", ("the car",), 0.0),
        ("the car", ("",), 0.0),
    ],
)
def test_words_and_stems_are_as_calculated_by_hand(
    answer: str, references: tuple[str, ...], expected: float
) -> None:
    assert score(STEMS, answer, *references) == pytest.approx(100 * expected, rel=1e-12)


def test_the_example_of_nltks_documentation() -> None:
    answer = "It is a guide to action which ensures that the military always obeys the commands of the party"
    references = (
        "It is a guide to action that ensures that the military will forever heed Party commands",
        "It is the guiding principle which guarantees the military forces always being under the command of the Party",
        "It is the practical guide for the army always to heed the directions of the party",
    )
    assert round(score(STEMS, answer, *references) / 100, 4) == 0.6944


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_a_row_is_nltks_own_score(answer: list[str], references: list[list[str]]) -> None:
    from nltk.tokenize import NLTKWordTokenizer
    from nltk.translate.meteor_score import meteor_score

    class Empty:
        def synsets(self, word: str) -> list[str]:
            return []

    words = NLTKWordTokenizer().tokenize
    texts = [" ".join(text) for text in references]
    found = score(STEMS, " ".join(answer), *texts)
    wanted = meteor_score([words(text) for text in texts], words(" ".join(answer)), wordnet=Empty())
    assert found == pytest.approx(100 * wanted, rel=1e-12)


def test_the_score_is_the_mean_of_the_samples() -> None:
    metric = metrics.load(STEMS)
    assert metric.value is not None
    assert metric.value(np.array([1.5, 3.0])).tolist() == [50.0]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which nltk looks for its data."""
    import nltk.data

    (tmp_path / "data").mkdir()
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "data")])
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


WITH_DATA = """
from nltk.corpus import wordnet
from nltk.tokenize import word_tokenize
from nltk.translate.meteor_score import meteor_score
from harness import metrics
from harness.types import Generation, Sample

assert metrics.unready("meteor") is None
metric = metrics.load("meteor")
for answer, references in (
    ("the car stopped", ["the auto stopped"]),
    ("Mr. Ray is great. He came.", ["Mr. Ray is big. He left.", "nobody"]),
):
    sample = Sample(id="1", input="", references=tuple(references))
    found = metric.row(sample, Generation(sample_id="1", text=answer))
    assert found == (meteor_score([word_tokenize(text) for text in references], word_tokenize(answer)), 1.0)
    print(found[0], word_tokenize(answer))
"""


@pytest.mark.slow
def test_with_data_it_is_what_nltk_and_evaluate_compute(places: Path) -> None:
    """In a process of its own, because nltk opens its WordNet once."""
    write_wordnet(places / "corpora" / "wordnet")
    write_punkt(places / "tokenizers" / "punkt_tab" / "english")
    done = subprocess.run(
        [sys.executable, "-c", f"import nltk.data; nltk.data.path[:] = [{str(places)!r}]\n{WITH_DATA}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert float(first.split()[0]) == pytest.approx(
        1 - 0.5 * (1 / 3) ** 3, rel=1e-12
    )  # by synonyms, 3 words in 1 chunk
    assert "'Mr.', 'Ray', 'is', 'great', '.', 'He', 'came', '.'" in second


SUITE = """
tasks:
  - name: chats
    source: {uri: "embedded:dialogues", columns: {id: id, input: dialogue, reference: summary}, licence: Apache-2.0}
    prompt: "$input Summary:"
    metrics: [METRIC]
    primary: PRIMARY
models: [{name: first, uri: "echo:first-line"}]
weights: false
limit: 10
"""


def test_missing_data_is_said_by_check_with_the_command_that_fetches_it(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = places.parent / "small.yaml"
    path.write_text(SUITE.replace("METRIC", "meteor").replace("PRIMARY", "meteor"))
    done = harness(capsys, "check", "small.yaml", "--device", "cpu")
    assert done.code == 2
    assert (
        "small.yaml:6: tasks[0].metrics[0]: nltk's data wordnet and punkt_tab are not on this machine; run `python -m "
        "nltk.downloader wordnet punkt_tab`, or write `meteor: {synonyms: false, split: none}`"
    ) in " ".join(done.err.split())
    write_punkt(places / "tokenizers" / "punkt_tab" / "english")
    assert "data wordnet is not" in str(metrics.unready("meteor"))
    assert metrics.unready("meteor(synonyms=false)") is None
    assert metrics.unready(STEMS) is metrics.unready("bleu") is metrics.unready("evaluate:accuracy") is None
    path.write_text(
        SUITE.replace("METRIC", "{meteor: {synonyms: false, split: none}}").replace("PRIMARY", STEMS)
    )
    done = harness(capsys, "check", "small.yaml", "--device", "cpu")
    assert done.code == 0, done.err


@pytest.mark.slow
def test_another_wordnet_is_refused(places: Path) -> None:
    write_wordnet(places / "corpora" / "wordnet", version="3.1")
    program = (
        f"import nltk.data; nltk.data.path[:] = [{str(places)!r}]\n"
        "from harness import metrics\nmetrics.unready('meteor(split=none)')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (
        "meteor: nltk's data wordnet is WordNet 3.1, not 3.0, and the numbers would be others" in done.stderr
    )
