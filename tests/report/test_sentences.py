"""What every face of a report says of RESULTs of many shapes: true, in the right number, without a minus zero."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.commands import leaderboard as boards
from harness.compare import side_by_side
from harness.compare.records import SideBySide
from harness.exports import csv as tables
from harness.report import board, card, html, markdown, page, terminal
from harness.report import side_by_side as compared
from harness.report.answer import Field
from harness.report.figures import Figures, WeightFigures
from harness.report.page import Page, TaskPage
from harness.results import Result, read
from harness.results.document import read_document, write_document
from harness.terminal.consoles import PlainConsole
from harness.types import Comparison, System

from .shapes import COPY, SHAPES, A, B, Shape, make, tuned

MINUS_ZERO = re.compile(r"(?<![\w.-])[-−]0(?:\.0+)?(?![\w.:–-])")
UNREAD = re.compile(r"<(?:style|script|svg|head)\b.*?</(?:style|script|svg|head)>|<[^>]+>", re.DOTALL)
NO_FIGURES = Figures(
    differences={},
    fronts={},
    forgetting=None,
    losses=None,
    choosing=None,
    weights=WeightFigures(alphas=None, histogram=None, ratios=None, spectra={}),
)
NOUNS = (
    "system|sample|adapter|base|model|task|recipe|seed|run|step|note|line|difference|test sample|tested pair"
)
ONE_OF_MANY = re.compile(rf"(?<![\d.,#])1 (?:{NOUNS})s\b|\bbest of 1\b|\bamong the 1\b")
MANY_OF_ONE = re.compile(rf"(?<![\d.,#\w])(?:[2-9]|\d\d+) (?:{NOUNS})(?![\w-])")
DISAGREE = re.compile(
    r"\b1 (?:beat|score|show|were|have|share|do|are)\b"
    r"|(?<![\d.,])(?:[2-9]|\d\d+) (?:beats|scores|shows|was|has|shares|does|is)\b"
    r"|\b(?:both|all) \w+ \w+s (?:was|has|beats|scores)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a shape's RESULT, made on first use."""
    folder = tmp_path_factory.mktemp("shapes")
    found: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in found:
            found[name] = make(folder / str(len(found)), SHAPES[name])
        return found[name]

    return of


def printed(found: Page) -> str:
    out = io.StringIO()
    terminal.show(found, PlainConsole(file=out, width=400))
    return out.getvalue()


def faces(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page that is made from a RESULT."""
    result = read(folder)
    found = page.build(result)
    yield "terminal", printed(found)
    yield "markdown", markdown.render(found, NO_FIGURES)
    yield "html", UNREAD.sub(" ", html.render(found, NO_FIGURES))
    for system in {score.system for score in result.scores if score.system.adapter}:
        yield f"card of {system}", card.render(card.build(result, system))
    ranked, runs = boards.make([folder], verified=False)
    for ending, draw in board.KINDS.items():
        yield f"board{ending}", draw(ranked, dict.fromkeys(runs, "x"), "harness leaderboard x")


def sentences(task: TaskPage) -> str:
    assert task.answer
    rest = (task.answer.power, task.answer.settled, task.answer.seeds)
    return " ".join([*terminal.plain_sentences(task), *rest]).replace("\N{NO-BREAK SPACE}", " ")


def reversed_pairs(result: Result, system: System) -> list[Comparison]:
    """Return the comparisons whose whole interval says that another system is better."""
    field = Field(result, result.suite.tasks[0])
    found = (field.between(other, system) for other in field.scores if other != system)
    ends = [(pair, sorted(map(field.better, (pair.low, pair.high)))) for pair in found if pair is not None]
    return [pair for pair, (low, _) in ends if low > 0]


def agree(text: str) -> None:
    for fault in (ONE_OF_MANY, MANY_OF_ONE, DISAGREE):
        assert not (found := fault.search(text)), text[max(0, found.start() - 60) : found.end() + 40]


def holds(result: Result) -> None:
    """Check that no system is called best that another one beats, and what the answer opens with."""
    (task,) = page.build(result).tasks
    text = sentences(task)
    models = [line for line in task.lines if line.role != "trivial"]
    rules = [line for line in task.lines if line.role == "trivial"]
    sign = -1 if task.lower_is_better else 1
    values = {line.system: sign * line.score.value for line in task.lines}
    for line in task.lines:
        if line.best:
            assert not reversed_pairs(result, line.system)
            assert values[line.system] > min(values[other.system] for other in models)
            assert all(values[line.system] > values[rule.system] for rule in rules)
        if line.mark.startswith(("best", "joint")) and not line.best:
            assert " model, " in line.mark
    if rules and max(values[rule.system] for rule in rules) > max(values[one.system] for one in models):
        assert text.startswith(f"On {task.facts.name}, no model beats the rule “"), text
        assert not any(line.best for line in task.lines)
    if len({line.score.value for line in models}) == 1 < len(models):
        assert "score the same" in text
        assert not any(line.mark for line in task.lines)
        assert not re.search("highest|lowest|chosen as the best", text)
    assert "trained here" not in text
    assert not MINUS_ZERO.search(text), text
    assert not re.search(r"below about 0\.0\b", text)
    agree(text)


@pytest.mark.parametrize("name", SHAPES)
def test_no_system_is_called_best_that_another_beats(made: Callable[[str], Path], name: str) -> None:
    holds(read(made(name)))


skills = st.sampled_from([0.0, 0.2, 0.21, 0.5, 0.52, 0.8, 1.0])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    skills=st.dictionaries(
        st.sampled_from([A, B, tuned(A), tuned(B), tuned(B, "more"), COPY]), skills, min_size=1
    ),
    samples=st.sampled_from([1, 2, 12]),
    lower=st.booleans(),
    alike=st.booleans(),
    recipe=st.sampled_from(["lora", None]),
)
def test_no_system_is_called_best_that_another_beats_whatever_they_score(
    tmp_path_factory: pytest.TempPathFactory,
    skills: dict[System, float],
    samples: int,
    lower: bool,
    alike: bool,
    recipe: str | None,
) -> None:
    if not any(not system.is_trivial for system in skills):
        skills = {**skills, A: 0.5}
    shape = Shape(skills=skills, samples=samples, lower=lower, alike=alike, recipe=recipe)
    holds(read(make(tmp_path_factory.mktemp("shape") / "r", shape)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["all zeros", "rule best", "adapter worse", "one sample", "less is better", "overlap"]
)
def test_no_face_shows_a_minus_zero_or_a_wrong_number(made: Callable[[str], Path], name: str) -> None:
    for face, text in faces(made(name)):
        plain = text.replace("\\", "").replace("&#43;", "+")
        assert not (found := MINUS_ZERO.search(plain)), (
            face,
            plain[max(0, found.start() - 60) : found.end() + 20],
        )
        if not face.endswith(".csv"):
            agree(plain)


def test_a_table_for_a_spreadsheet_has_no_minus_zero(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", SHAPES["all zeros"])
    document = read_document(folder)
    for record in (*document["scores"], *document["comparisons"]):
        record |= {key: -0.0 for key, value in record.items() if isinstance(value, float) and value == 0}
    write_document(folder, document)
    assert "-0.0" in (folder / "result.json").read_text()
    tables.export(folder, str(tmp_path / "out"))
    ranked, runs = boards.make([folder], verified=False)
    texts = [path.read_text() for path in (tmp_path / "out").glob("*.csv")]
    for table in (*texts, board.table(ranked, dict.fromkeys(runs, "x"), "harness")):
        cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
        assert "-0.0" not in cells


def test_the_only_system_is_the_best_of_none(made: Callable[[str], Path]) -> None:
    (task,) = page.build(read(made("one base"))).tasks
    assert "alpha, the only base that was tried, has Token F1" in sentences(task)
    assert not task.lines[0].mark
    (task,) = page.build(read(made("three seeds alone"))).tasks
    assert "alpha with recipe lora, the only recipe that was tried, has Token F1" in sentences(task)


def test_a_rule_that_no_model_beats_stands_in_front_and_qualifies_the_best_model(
    made: Callable[[str], Path],
) -> None:
    found = page.build(read(made("rule best")))
    (task,) = found.tasks
    best = next(line for line in task.lines if line.system == tuned(A))
    assert best.mark == "best model, behind copy of the input"
    assert "+ lora (best model, behind copy of the input)" in printed(found)
    assert '<span class="tag">best model, behind copy of the input</span>' in html.render(found, NO_FIGURES)
    assert "| alpha + lora (best model, behind copy of the input) |" in markdown.render(found, NO_FIGURES)
    assert "the rule is 47.9 [43.4, 52.8] ahead of alpha + lora (p_holm < 0.001)" in sentences(task)


def test_supplied_adapters_were_not_trained_here_and_nothing_says_on_what(
    made: Callable[[str], Path],
) -> None:
    for name in ("supplied adapters", "supplied adapters, base best"):
        found = page.build(read(made(name)))
        assert "trained" not in sentences(found.tasks[0])
        assert "no adapter was trained on it" not in html.render(found, NO_FIGURES)
    elsewhere = page.build(read(made("trained elsewhere")))
    assert "no adapter was trained on it" in html.render(elsewhere, NO_FIGURES)


def test_a_single_seed_above_a_recipes_mean_does_not_make_the_lead_untrue(
    made: Callable[[str], Path],
) -> None:
    (task,) = page.build(read(made("a seed above the mean"))).tasks
    assert (
        "beta + lora scores highest of 6 systems tried (2 bases and 4 adapters), "
        "if a recipe counts by the mean of its seeds: Token F1 76.4" in sentences(task)
    )


def test_adapters_that_were_not_compared_with_a_base_are_not_said_to_equal_it(tmp_path: Path) -> None:
    shape = Shape(skills={A: 0.3, tuned(A): 0.7, tuned(B): 0.5})
    (task,) = page.build(read(make(tmp_path / "r", shape))).tasks
    assert "Of 2 adapters, 1 beats its base and 1 was not compared with its base" in sentences(task)


def test_what_test_and_training_share_stands_in_the_answer_of_every_face(made: Callable[[str], Path]) -> None:
    said = (
        "1 of 400 test samples (under 1 %), of which 24 were asked, has the same input as a training sample, and "
        "73 of 400 test samples (18 %), of which 24 were asked, share 13 words "
        "in a row with a training sample: a system that was trained on them may score lower on new samples."
    )
    found = page.build(read(made("overlap")))
    (task,) = found.tasks
    assert said in sentences(task)
    shown = printed(found).replace("\N{NO-BREAK SPACE}", " ")
    assert shown.index(said) < shown.index("against its base")
    text = markdown.render(found, NO_FIGURES).replace("\N{NO-BREAK SPACE}", " ")
    assert said in next(part for part in text.split("\n\n") if "scores highest" in part)
    answer = html.render(found, NO_FIGURES).replace("\N{NO-BREAK SPACE}", " ")
    assert said in answer[: answer.index('<section id="scores"')]
    limits = card.render(card.build(read(made("overlap")), tuned(A))).replace("\N{NO-BREAK SPACE}", " ")
    assert f"- On talks: {said}" in limits


def both(made: Callable[[str], Path], tmp_path: Path, name: str, *, better: bool) -> SideBySide:
    shape = SHAPES[name]
    skills = {system: skill + (0.3 if better else 0.0) for system, skill in shape.skills.items()}
    other = make(tmp_path / "other", Shape(skills=skills, samples=shape.samples, alike=shape.alike))
    return side_by_side(str(made(name)), str(other))


@pytest.mark.parametrize(
    ("name", "better", "said"),
    [
        ("one base and its adapter", True, "both systems do better in B."),
        ("one base", True, "alpha does better in B."),
        ("one base", False, "alpha does not differ significantly in A and B."),
        ("all zeros", False, "none of 3 systems differs significantly in A and B."),
    ],
)
def test_a_comparison_counts_systems_in_the_right_number(
    made: Callable[[str], Path], tmp_path: Path, name: str, better: bool, said: str
) -> None:
    found = both(made, tmp_path, name, better=better)
    text = compared.answer(found, found.tasks[0])
    assert text.startswith(f"talks, Token F1: {said}")
    agree(text)


def test_a_comparison_of_two_systems_names_both_whole(made: Callable[[str], Path]) -> None:
    folder = made("one base and its adapter")
    found = side_by_side(f"{folder}#alpha", f"{folder}#alpha+lora")
    assert "alpha + lora does better than alpha." in compared.answer(found, found.tasks[0])
