"""Small things that commands say: what is refused names what would do."""

# ruff: noqa: E501 (a table is read along its lines)

from pathlib import Path

import pytest

from harness import text as words
from harness.errors import UnknownName
from tests.cli import project
from tests.cli.words import harness


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("baseline R -o b.json --metric nope", "--metric: no metric named 'nope'; known: exact"),
        ("weigh R", "R: a RESULT folder: add --against-scores"),
        (
            "weigh nope",
            "nope: found 'nope': no folder ",
        ),
        ("gate R --rules rules.yaml", ""),
    ],
)
def test_what_is_refused_names_what_would_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    project.make(tmp_path)
    (tmp_path / "rules.yaml").write_text("gates: [{recipe: nope, min_value: 1}]\n")
    capsys.readouterr()
    done = harness(capsys, *command.split())
    if command.startswith("gate"):
        assert done.code == 5
        shown = " ".join(done.out.split())
        assert "no recipe named 'nope'; there are none" in shown
        return
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error: {said}")
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("ending", ["", ".yaml", ".yml"])
def test_a_new_file_has_its_ending_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert harness(capsys, "new", "task", f"mine{ending}").out == "suites/tasks/mine.yaml\n"


def test_a_zero_is_never_negative() -> None:
    assert [words.number(one) for one in (-0.0, -0.04, -0.06, 0.0)] == ["0.0", "0.0", "−0.1", "0.0"]
    assert words.interval(-1e-9, -0.0) == f"[0.0,{words.SPACE}0.0]"


def test_equal_samples_cannot_tell_what_may_go_unseen() -> None:
    assert (
        words.unseen(0.0, 2) == "The smallest detectable difference is unknown: all 2 differences are equal."
    )
    assert words.unseen(0.0, 2, "With 2 test samples, ").endswith("unknown: all 2 differences are equal.")
    assert words.unseen(1.23, 2) == "Differences below about 1.2 may go unseen."
    assert words.unseen(0.0, 1).endswith("unknown: it takes at least two samples.")


@pytest.mark.parametrize(
    ("smallest", "said"),
    [(0.06, "0.06"), (0.1, "0.1"), (0.04, "0.04"), (0.004, "0.004"), (0.0005, "0.0005"), (12.34, "12.3")],
)
def test_a_small_detectable_difference_is_never_shown_as_zero(smallest: float, said: str) -> None:
    assert words.unseen(smallest, 9) == f"Differences below about {said} may go unseen."
    assert words.detectable(smallest) == said


def test_rounding_alone_is_no_detectable_difference() -> None:
    assert "all 9 differences are equal" in words.unseen(1e-12, 9)
    assert words.detectable(0.0) == "unknown"


def test_a_name_where_nothing_is_known_has_no_empty_list() -> None:
    assert str(UnknownName("adapter", "x", ())) == "no adapter named 'x'; there are none"


TASK = """\
source:
  uri: file:../../data
  columns: {input: message, reference: team}
prompt: "Which team?\\n$input\\nTeam:"
metrics: [exact]
primary: exact
"""
ROWS = "message,team\nMy wheel is bent,repair\nMay I rent a bike?,rental\n"
OTHER = "message,team\nMy bell is broken,repair\n"

Files = dict[str, str]


def checked(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], files: Files, name: str
) -> str:
    """Write files into an empty project and return what `harness check` prints."""
    monkeypatch.chdir(here)
    for place, text in files.items():
        (here / place).parent.mkdir(parents=True, exist_ok=True)
        (here / place).write_text(text, encoding="utf-8")
    done = harness(capsys, "check", name)
    return (done.out + done.err).replace(words.SPACE, " ")


def project_with(task: str = TASK, **data: str) -> Files:
    """The files of a task; the endings of its data are those of CSV files."""
    return {"suites/tasks/mine.yaml": task} | {f"data/{name}.csv": text for name, text in data.items()}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (  # the test set is the training set
            project_with(train=ROWS, test=ROWS),
            "task mine: 2 of 2 test samples (100 %) have the same input as a train sample",
        ),
        (
            project_with(train=ROWS, test=ROWS + "Where is it?,shop\n"),
            "task mine: 2 of 3 test samples (67 %) have the same input as a train sample",
        ),
        (
            project_with(test=ROWS + " ,shop\n ,repair\n"),
            "task mine: 2 samples have an empty input (data/test.csv:4 and 1 more); fill it in, or drop the row",
        ),
        (
            project_with(test="message,team\n"),
            "suites/tasks/mine.yaml:2: source.uri: data/test.csv: the test split is empty; add rows\n",
        ),
        (
            project_with() | {"data/test.xlsx": ""},
            "suites/tasks/mine.yaml:2: source.uri: data/test.xlsx: .xlsx files are not read; save it as CSV",
        ),
        (
            project_with(test=ROWS) | {"data/train.csv.gz": ""},
            "suites/tasks/mine.yaml:2: source.uri: data/train.csv.gz: .csv.gz files are not read; unpack it",
        ),
        (
            project_with(messages=ROWS),
            '; or take parts of messages.csv: `splits: {train: "messages.csv[:60%]", validation: "messages.csv[60%:80%]", ',
        ),
        (project_with(one=ROWS, two=ROWS), "or name it in `splits`; found one.csv, two.csv"),
        (
            project_with(TASK.replace("input: message", "input: mesage"), test=ROWS),
            "suites/tasks/mine.yaml:3: source.columns.input: data/test.csv:2: columns.input: no column named 'mesage'; did",
        ),
        (
            project_with(test="When may I rent a bike for my whole family of six?,shop\n" + ROWS),
            "known: When may I rent a bike for my whole fami…, shop (the first row of a CSV file is read as the names of",
        ),
        (
            project_with(TASK.replace("$input", "$input $tem"), test="message,team,team2\nx,y,z\n"),
            "suites/tasks/mine.yaml:4: prompt: data/test.csv:2: prompt of sample 'test-000001': no column named 'tem'; did you",
        ),
        (
            project_with(TASK.replace("$input", "$input $mesage"), test=ROWS),
            "no column named 'mesage'; known: input, which is the column 'message'",
        ),
        (
            project_with(
                TASK + 'by_family: {t5: {prompt: "$input $tem"}}\n', test="message,team,team2\nx,y,z\n"
            ),
            "suites/tasks/mine.yaml:7: by_family.t5.prompt: data/test.csv:2: prompt of sample",
        ),
        (
            project_with(TASK.replace("../../data", "data"), test=ROWS),
            "suites/tasks/mine.yaml:2: source.uri: suites/tasks/data: no such file or folder; a path starts at the folder of "
            "the file that names it: did you mean '../../data'?",
        ),
        (
            project_with(TASK.replace("../../data", "../../dta"), test=ROWS),
            "suites/tasks/mine.yaml:2: source.uri: .: no file named 'dta'; did you mean 'data'? (a path starts at the folder",
        ),
        (
            project_with(TASK.replace("source:", "source:\n  splits: {test: 'test.csv[:80]%'}"), test=ROWS),
            "suites/tasks/mine.yaml:2: source.splits.test: found 'test.csv[:80]%'; give the rows as [START:STOP]",
        ),
        (
            project_with(TASK + "labels: [repair, rental]\n", test=ROWS),
            "suites/tasks/mine.yaml:7: labels: no key named 'labels' here; write it below `source:`",
        ),
        (
            project_with(TASK.replace("  columns: {input: message, reference: team}\n", ""))
            | {"data/test.jsonl": '\n{"messages": [{"role": "user", "content": "Hi"}]}\n'},
            "suites/tasks/mine.yaml:2: source.uri: data/test.jsonl:2: no row of the test split is a sample: 1 of 1 have no",
        ),
        (
            project_with() | {"data/test.jsonl": '{"message": "x", "team":\n'},
            "data/test.jsonl:1: broken JSON at column 25: Expecting value",
        ),
    ],
)  # fmt: skip
def test_check_says_where_what_and_what_would_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: Files,
    said: str,
) -> None:
    assert said in checked(tmp_path, monkeypatch, capsys, files, "mine")


def test_splits_that_share_nothing_and_inputs_that_are_there_are_not_mentioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = checked(tmp_path, monkeypatch, capsys, project_with(train=OTHER, test=ROWS), "mine")
    assert [line.split(": ")[0] for line in shown.splitlines()] == ["task mine", "mine"]


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_every_command_names_the_line_that_names_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    suite = 'tasks: [mine]\nmodels: [{name: copy, uri: "echo:copy"}]\nweights: false\n'
    files = project_with(TASK.replace("reference: team", "reference: tem"), test=ROWS)
    checked(tmp_path, monkeypatch, capsys, {**files, "suites/all.yaml": suite}, "all")
    said = "error: suites/tasks/mine.yaml:3: source.columns.reference: data/test.csv:2: "
    assert harness(capsys, command, "all").err.startswith(said)


CHOICE = """\
kind: choice
source:
  uri: file:../../data
  columns: {input: q, choices: options, reference: answer}
prompt: "$input"
metrics: [accuracy]
primary: accuracy
"""


def of_choice(options: str, answer: str, task: str = CHOICE) -> Files:
    row = f'{{"q": "Which?", "options": {options}, "answer": {answer}}}\n'
    return {"suites/tasks/mine.yaml": task, "data/test.jsonl": row}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (of_choice('["a", ""]', '"a"'), "data/test.jsonl:1: column 'options': choice 2 of 2 is empty; fill it in, or drop"),
        (
            of_choice('["1", "2", "3"]', "1"),
            "data/test.jsonl:1: column 'answer': the right choice is the number 1, which is the text of one choice and the "
            "place, from 0, of another, '2'; write it as a text (\"1\") or as a letter",
        ),
        (
            of_choice('["1", "2", "3"]', '"1"'),
            "1 right choice taken as the text of a choice, and not as the label, letter or number of another",
        ),
        (
            of_choice('["B", "A"]', '"A"'),
            "1 right choice taken as the text of a choice, and not as the label, letter or number of another",
        ),
        (
            of_choice('["x", "y"]', '"x"', CHOICE.replace("[accuracy]", "[accuracy, rouge]")),
            "suites/tasks/mine.yaml:6: metrics[1]: rouge compares written texts, and a task of kind choice writes none; use",
        ),
    ],
)  # fmt: skip
def test_check_says_what_is_wrong_with_choices(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: Files,
    said: str,
) -> None:
    assert said in checked(tmp_path, monkeypatch, capsys, files, "mine")


@pytest.mark.parametrize(
    ("options", "answer"),
    [('["0", "1"]', "1"), ('["A", "B"]', '"B"'), ('["3", "4"]', "4"), ('["x", "y"]', "1"), ('["x", "y"]', '"b"')],
)  # fmt: skip
def test_a_right_choice_that_can_be_one_choice_only_is_taken_unsaid(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: str,
    answer: str,
) -> None:
    shown = checked(tmp_path, monkeypatch, capsys, of_choice(options, answer), "mine")
    assert [line.split(": ")[0] for line in shown.splitlines()] == ["task mine", "mine"]


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (
            "{max_drop: 1, against: copy, adapter: base}",
            "suites/all.yaml:4: gates[0].against: found 'copy', a name in this suite; write `against: base`",
        ),
        (
            "{min_value: 0.5, adapter: base}",
            "suites/all.yaml:4: gates[0].min_value: 0.5 is almost no demand: exact runs from 0 to 100; write 50 for 50 %",
        ),
        (
            "{min_value: 500, adapter: base}",
            "suites/all.yaml:4: gates[0].min_value: 500 can never be reached: exact runs from 0 to 100; write at most 100",
        ),
        ("{min_value: 50, adapter: base}", ""),
        ("{min_value: 0, adapter: base}", ""),
    ],
)
def test_check_doubts_a_gate_that_can_hardly_be_meant(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    gate: str,
    said: str,
) -> None:
    suite = f'tasks: [mine]\nmodels: [{{name: copy, uri: "echo:copy"}}]\nweights: false\ngates: [{gate}]\n'
    files = {**project_with(test=ROWS), "suites/all.yaml": suite}
    shown = checked(tmp_path, monkeypatch, capsys, files, "all")
    assert said in shown
    assert ("gates[0]" in shown) == bool(said)


def test_a_model_whose_folder_is_at_fault_is_named_by_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "models" / "broken"
    broken.mkdir(parents=True)
    (broken / "config.json").write_text("{}")
    suite = "tasks: [mine]\nmodels:\n  - {name: good, uri: zoo:llama2-tiny}\n  - {name: bad, uri: ../models/broken}\n"
    files = {**project_with(train=ROWS, test=OTHER), "suites/all.yaml": suite}
    shown = checked(tmp_path, monkeypatch, capsys, files, "all")
    assert "suites/all.yaml:4: models[1]: model 'bad': " in shown
