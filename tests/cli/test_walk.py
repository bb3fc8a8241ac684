"""A walk over every command with every argument wrong: a line and an exit code, and never a traceback.

Commands and their arguments are read from the program itself: one that no table below knows fails the walk.
"""

import shutil
from pathlib import Path

import pytest
import typer
from _pytest.mark import ParameterSet

from harness.cli import app
from tests.cli.project import BASELINE, RUN, make
from tests.cli.words import harness, told_in_a_line

# Each command as it works; what an argument below puts in place of its words comes last and so wins.
WORKS = {
    "run": RUN,
    "plan": "plan small.yaml --device cpu --store S",
    "check": "check small.yaml --store S",
    "show": "show suites/tasks/one.yaml --model echo:copy --store S",
    "report": "report R --store S --quiet",
    "verify": "verify R",
    "compare": "compare R#first R#copy",
    "rescore": "rescore R --metric f1 --out R2",
    "leaderboard": "leaderboard R -o board.csv",
    "view": "view R --bundle site --store S --no-verify",
    "import lm-eval-task": "import lm-eval-task capitals.yaml",
    "import answers": "import jsonl data/test.jsonl --id id --text dialogue --reference summary -o imported",
    "gate": "gate R",
    "baseline": BASELINE,
    "weigh": "weigh zoo:llama2-tiny --roles q --store S",
    "convert": "convert pickled --out converted",
    "export": "export R --to csv -o tables",
    "card": "card R --model first --adapter mine -o card.md",
    "list": "list tasks",
    "new": "new task fresh",
    "store ls": "store ls --store S",
    "store du": "store du --store S",
    "store verify": "store verify --store S",
    "store prune": "store prune --yes --keep small.yaml --device cpu --store S",
}

CAPITALS = """
task: capitals
dataset_path: json
dataset_kwargs: {data_files: {test: capitals.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: choices
doc_to_target: answer
metric_list: [{metric: acc}]
"""

SLOW = ("run", "report", "view", "import answers", "weigh", "export", "convert", "store prune")

# What an argument is: something to read or to write, a name, a switch, a choice.
RESULT, SUITE_FILE, TASK_FILE, FILE, MODEL, ADAPTER, READ_STORE = (
    *("result", "suite", "task", "file", "model", "adapter", "store that is read"),
)
NEW_FILE, NEW_FOLDER, NAME, SWITCH, CHOICE, NUMBER = (
    *("new file", "new folder", "name", "switch", "choice", "number"),
)

KINDS = {
    "suite": SUITE_FILE, "name": NAME, "task": NAME, "model": NAME, "adapter": NAME, "metric": NAME,
    "only": NAME, "device": NAME, "engine": NAME, "licence": NAME, "push": SWITCH, "roles": NAME, "uri": NAME, "to": NAME,
    "family": NAME, "form": NAME, "id_column": NAME, "text": NAME, "reference": NAME, "question": NAME, "system": NAME,
    "places": FILE, "path": FILE, "trust_code": SWITCH,
    "folder": RESULT, "bundle": NEW_FOLDER, "port": NUMBER,
    "result": RESULT, "results": RESULT, "a": RESULT, "b": RESULT, "baseline": FILE, "rules": FILE,
    "store": READ_STORE, "out": NEW_FILE, "junit": NEW_FILE, "comment": NEW_FILE, "markdown": NEW_FILE,
    "html": NEW_FILE, "csv": NEW_FILE, "parquet": NEW_FILE, "keep": SUITE_FILE, "against": MODEL,
    "limit": NUMBER, "workers": NUMBER, "seed": NUMBER, "n": NUMBER, "shots": NUMBER, "samples": NUMBER,
    "intruders_up_to": NUMBER, "inconclusive": CHOICE, "kind": CHOICE,
    "offline": SWITCH, "allow_remote_code": SWITCH, "quiet": SWITCH, "as_json": SWITCH, "shareable": SWITCH,
    "again": SWITCH, "allow_code": SWITCH, "verify": SWITCH, "check": SWITCH, "against_scores": SWITCH, "oracle": SWITCH,
    "split": SWITCH, "randomize": SWITCH, "yes": SWITCH, "names": SWITCH, "layers": SWITCH,
}  # fmt: skip
EXACTLY = {
    ("run", "out"): NEW_FOLDER, ("report", "out"): NEW_FOLDER, ("rescore", "out"): NEW_FOLDER,
    ("export", "out"): NEW_FOLDER, ("import answers", "out"): NEW_FOLDER, ("convert", "out"): NEW_FOLDER,
    ("convert", "model"): MODEL,
    ("weigh", "model"): MODEL, ("weigh", "adapter"): ADAPTER, ("show", "model"): MODEL, ("show", "task"): TASK_FILE,
    ("check", "name"): SUITE_FILE,
}  # fmt: skip
TOGETHER = {("report", "out"): ["--shareable"], ("weigh", "markdown"): ["--against-scores"]}
ENDINGS = {("leaderboard", "out"): ".csv", ("card", "out"): ".md"}


def commands() -> dict[str, list[str]]:
    """Every command of the program, and the names of its arguments."""
    found: dict[str, list[str]] = {}
    top = typer.main.get_command(app)
    for name, command in top.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        for full, one in (
            {f"{name} {more}": one for more, one in below.items()}.items() if below else [(name, command)]
        ):
            found[full] = [parameter.name for parameter in one.params if parameter.name != "help"]
    return found


def parameter(command: str, name: str) -> tuple[bool, str]:
    """Whether it is an option, and how it is written."""
    one = typer.main.get_command(app)
    for word in command.split():
        one = one.commands[word]  # type: ignore[attr-defined]
    found = next(each for each in one.params if each.name == name)
    return found.param_type_name == "option", found.opts[0]


def kind(command: str, name: str) -> str:
    return EXACTLY.get((command, name)) or KINDS[name]


ALL = [(command, name) for command, names in commands().items() for name in names]


def test_every_command_and_every_argument_is_walked() -> None:
    assert set(commands()) == set(WORKS)
    assert not [one for one in ALL if one not in EXACTLY and one[1] not in KINDS]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a RESULT, a store, a baseline, pickled weights and everything that can be wrong."""
    here = tmp_path_factory.mktemp("made")
    make(here)
    (here / "pickled").mkdir()
    (here / "pickled" / "pytorch_model.bin").write_bytes(b"no pickle")
    (here / "empty folder").mkdir()
    (here / "capitals.yaml").write_text(CAPITALS)
    (here / "capitals.jsonl").write_text('{"question": "Peru?", "choices": ["Cusco", "Lima"], "answer": 1}\n')
    (here / "empty.yaml").touch()
    (here / "text.json").write_text("not what it seems\n")
    (here / "loop.yaml").symlink_to("loop.yaml")
    (here / "memory.yaml").symlink_to("/proc/self/mem")
    (here / "full").symlink_to("/dev/full")
    for ending in (".csv", ".md"):
        (here / f"full{ending}").symlink_to("/dev/full")
    for name in ("R", "S", "adapter"):
        cut(here / name, here / f"cut {name}")
    for name in ("small.yaml", "rules.yaml", "base.json"):
        (here / f"cut {name}").write_bytes((here / name).read_bytes()[: (here / name).stat().st_size // 2])
    return here


def cut(folder: Path, copy: Path) -> None:
    """The folder with half of every file."""
    shutil.copytree(folder, copy)
    for path in (path for path in copy.rglob("*") if path.is_file()):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "here"
    shutil.copytree(made, copy, symlinks=True)
    monkeypatch.chdir(copy)
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    return copy


LONG, ODD = "x" * 300, "bad-\udcff-name"
UNREADABLE = [
    "nowhere",
    "nowhere.yaml",
    "empty folder",
    "empty.yaml",
    "text.json",
    "loop.yaml",
    "memory.yaml",
    LONG,
    ODD,
    "",
]


def wrong(command: str, name: str) -> list[str]:
    """What an argument may not be."""
    ending = ENDINGS.get((command, name), "")
    match kind(command, name):
        case "result":
            return [*UNREADABLE, "cut R", "R#nobody", "S"]
        case "suite" | "task":
            return [*UNREADABLE, "cut small.yaml", "R", "./" + LONG + ".yaml"]
        case "file":
            return [*UNREADABLE, "cut base.json", "cut rules.yaml", "R"]
        case "model":
            return [
                *UNREADABLE,
                "file:nowhere",
                "file:empty folder",
                "file:text.json",
                "zoo:none",
                "echo:none",
                "hub:",
                "pickled",
            ]
        case "adapter":
            return [*UNREADABLE, "cut adapter", "R", "hub:"]
        case "store that is read":
            return [
                "/proc/nothing",
                "text.json",
                "text.json/below",
                "cut S",
                "empty folder",
                "loop.yaml",
                LONG,
                ODD,
                "R",
            ]
        case "new file" | "new folder":
            return [
                f"{place}{ending}"
                for place in ("/proc/nothing/x", "text.json/below", "full", LONG, ODD, "loop.yaml/x")
            ]
        case "name":
            return ["", "nobody", LONG, ODD, "../..", "[/x]", "evaluate:./nothing.py", "a/b/c/d", "\x1b[2J"]
        case "choice":
            return ["", "neither", ODD]
        case "number":
            return ["", "one", "-1", "1" * 30]
    return []


def words(command: str, name: str, value: str) -> list[str]:
    """The command with one argument in another's place."""
    usual = WORKS[command].split()
    more = TOGETHER.get((command, name), [])
    is_option, written = parameter(command, name)
    if is_option:
        return [*usual, *more, written, value]
    places = len(command.split()) + [
        one for one in commands()[command] if not parameter(command, one)[0]
    ].index(name)
    return [*usual[:places], *more, value, *usual[places + 1 :]]


def cases() -> list[ParameterSet]:
    found = []
    for command, name in ALL:
        if kind(command, name) != SWITCH:
            marks = [pytest.mark.nightly if command in SLOW else pytest.mark.slow]
            found.append(pytest.param(command, name, marks=marks, id=f"{command}-{name}"))
    return found


@pytest.mark.parametrize(("command", "name"), cases())
def test_a_wrong_argument_is_told_in_a_line(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    unsound = []
    for value in wrong(command, name):
        done = harness(capsys, *words(command, name, value))
        to_be_written = kind(command, name) in (NEW_FILE, NEW_FOLDER) and not value.startswith(ODD)
        codes = (2, 3) if to_be_written else (0, 1, 2, 3)
        damage = (
            command == "store verify" and done.code == 3 and "damaged" in done.out
        )  # is what it is to tell
        if done.code not in codes or not (done.code == 0 or damage or told_in_a_line(done)):
            unsound.append(f"{words(command, name, value)}: exit {done.code}\n{done.out}\n{done.err}")
    assert not unsound, "\n".join(unsound)


@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=pytest.mark.slow if one in SLOW else []) for one in WORKS]
)
def test_every_command_of_the_walk_works_as_it_stands(
    here: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    done = harness(capsys, *WORKS[command].split())
    assert done.code == (2 if command == "convert" else 0), done.err  # what is pickled there is no pickle


@pytest.mark.parametrize(
    "command", ["report R", "report R --shareable -o copy", "export R --to csv -o tables"]
)
@pytest.mark.parametrize("name", ["rows.parquet", "generations.jsonl.gz", "samples.jsonl.gz"])
def test_nothing_is_shown_of_a_result_whose_files_are_missing(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    (here / "R" / name).unlink()
    page = (here / "R" / "report.html").read_bytes()
    done = harness(capsys, *command.split())
    assert (done.code, done.out) == (2, "")
    assert name in done.err
    assert told_in_a_line(done)
    assert (here / "R" / "report.html").read_bytes() == page
    assert not (here / "copy").exists()
