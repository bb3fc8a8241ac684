"""Files of the user's own project as plug-ins: one file each, named by his suite, in the ids of the steps that use them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import kinds, metrics, plugins
from harness.errors import SuiteError, UnknownName
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.plugins.choice import parse
from harness.plugins.files import plugin_file
from harness.suite.load import NOT_IN_SUITES, load_suite, load_task
from harness.types import Step
from tests.cli.words import harness

# One file for each group that a suite can bring: what it holds, and the part of the suite that names it.
KIND = """
from dataclasses import replace
from harness.kinds import Kind, generate

def ask(task, sample, shots):
    prompt = generate.ask(task, sample, shots)
    return replace(prompt, input=prompt.input[::-1])

KIND = Kind(
    name="backwards", choose_shots=generate.choose_shots, ask=ask, target=generate.target, answers={"write": generate.answer}
)
"""
METRIC = """
from harness.metrics import Metric

def metric(*, letter: str = "e", share: bool = True) -> Metric:
    def row(sample, generation):
        return float(letter in generation.text), 1.0

    def value(total):
        return (100.0 if share else 1.0) * total[..., :1] / total[..., 1:]

    return Metric(names=("has",), signature=f"has|letter:{letter}|version:1", unit="points", row=row, value=value)
"""
BACKEND = """
from harness.backends import Backend
from harness.types import Generation, Uri

class Parrot:
    def __init__(self, word):
        self.word = word

    def write(self, prompts, decode, overflow, adapter, done=frozenset()):
        for prompt in prompts:
            if prompt.sample_id not in done:
                yield Generation(sample_id=prompt.sample_id, text=self.word)

    def tokens(self, prompt, overflow, answer_tokens=0):
        return prompt.text, [0]

    def close(self):
        pass

BACKEND = Backend(
    schemes=("parrot",), about="they are birds", open=lambda model, pin, runtime: Parrot(Uri.parse(model.uri).place)
)
"""
DATA = """
from harness.data import Row

def splits(source, *, offline):
    return ("train", "test")

def rows(source, split, *, offline):
    for n in range(int(source.uri.partition(":")[2])):
        yield Row(where=f"{source.uri}:{n}", values={"id": str(n), "input": f"number {n}", "reference": f"NUMBER {n}"})

def pin(source, digests, *, offline):
    return source.uri
"""
ENGINE = """
from functools import partial
from pathlib import Path

def run(schedule, runner, progress):
    while (step := schedule.take()) is not None:
        progress.started(step)
        outcome = runner(step, partial(progress.progress, step))
        with Path("engine.log").open("a") as log:
            print(step.label, file=log)
        if schedule.settle(step, outcome):
            yield step, outcome
"""
RULE = """
from dataclasses import replace
from harness import plugins

RULE = replace(plugins.find("rules", "min_value").RULE, name="at_least")
"""
FAMILY = """
from dataclasses import replace
from harness import families

FAMILY = replace(families.find("llama"), name="cousins", model_types=())
"""
ARCHITECTURE = """
from dataclasses import replace
from pathlib import Path
from harness.neural.architectures import causal

def prompt_ids(reader, text):
    Path("architecture.log").touch()
    return causal.ARCHITECTURE.prompt_ids(reader, text)[::-1]

ARCHITECTURE = replace(
    causal.ARCHITECTURE,
    name="mirrored", recognises=lambda config: config.get("mirrored") is True, prompt_ids=prompt_ids,
)
"""
OBJECTIVE = """
from dataclasses import replace
from harness.neural.objectives import answers

OBJECTIVE = replace(answers.OBJECTIVE, name="renamed", unit="nats by another name")
"""
FILES = {  # group -> name of the file, what it holds
    "architectures": ("mirrored.py", ARCHITECTURE),
    "backends": ("parrot.py", BACKEND),
    "data": ("numbers.py", DATA),
    "engines": ("inline.py", ENGINE),
    "families": ("cousins.py", FAMILY),
    "kinds": ("backwards.py", KIND),
    "metrics": ("letters.py", METRIC),
    "objectives": ("renamed.py", OBJECTIVE),
    "rules": ("at_least.py", RULE),
}
SUITE = """
plugins: {plugins}
tasks:
  - name: t
    kind: {kind}
    source: {{uri: "file:data", columns: {{id: id}}, share: text}}
    prompt: "Say: $input"
    metrics: {metrics}
    primary: exact
models: [{{name: copy, uri: "echo:copy"}}, {{name: upper, uri: "echo:upper"}}]
weights: false
gates: [{{model: copy, adapter: base, metric: "letters*", min_value: 10}}]
"""
RUN = ("--device", "cpu", "--out", "R", "--quiet")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project: a working folder with data and one file for each group."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    (tmp_path / "data").mkdir()
    rows = [
        {"id": f"s{n}", "input": f"den {n:02}", "reference": f"{n:02} ned"[::-1][::-1]} for n in range(24)
    ]
    rows = [{**row, "reference": row["input"][::-1]} for row in rows]
    (tmp_path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, text in FILES.values():
        (tmp_path / name).write_text(text)
    yield tmp_path
    plugins.use(())


def suite(
    folder: Path,
    *,
    listed: str = "[./backwards.py]",
    kind: str = "backwards",
    scored: str = '[exact, "./letters.py", {"./letters.py": {letter: "n"}}]',
) -> str:
    (folder / "small.yaml").write_text(SUITE.format(plugins=listed, kind=kind, metrics=scored))
    return str(folder / "small.yaml")


def steps(path: str, cache: Path) -> dict[str, list[Step]]:
    loaded = load_suite(path)
    found: dict[str, list[Step]] = {}
    for step in plan(loaded, pins(loaded, device="cpu", cache=cache)).steps:
        found.setdefault(step.kind, []).append(step)
    return found


WITH_ALL = """
plugins: {plugins}
tasks:
  - name: t
    kind: backwards
    source: {{uri: "numbers:24", columns: {{id: id}}, share: text}}
    prompt: "Say: $input"
    metrics: [exact, letters]
    primary: letters
    decode: {{max_new_tokens: 4}}
models: [{{name: polly, uri: "parrot:hello"}}{tiny}]
weights: false
gates: [{{model: polly, adapter: base, at_least: 10}}]
"""
TINY = ', {name: tiny, uri: "file:tiny", family: cousins}'
TRAINED = """
recipes:
  - {name: r, steps: 2, rank: 2, batch_size: 4, validation_samples: 0, objective: renamed}
train_on: [t]
"""


@pytest.mark.slow
@pytest.mark.parametrize("trained", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_suite_runs_with_one_file_for_each_group(
    here: Path, capsys: pytest.CaptureFixture[str], trained: bool
) -> None:
    """With a model of torch's for the groups that serve training, and without one for all others."""
    assert set(FILES) == set(plugins.GROUPS) - set(NOT_IN_SUITES)
    listed = "{" + ", ".join(f"{group}: [./{name}]" for group, (name, _) in FILES.items()) + "}"
    text = WITH_ALL.format(plugins=listed, tiny=TINY if trained else "")
    if trained:
        from tests.neural.conftest import make_folder

        make_folder("llama", here / "tiny")
        config = json.loads((here / "tiny" / "config.json").read_text())
        (here / "tiny" / "config.json").write_text(json.dumps({**config, "mirrored": True}))
        text += TRAINED
    (here / "all.yaml").write_text(text)
    done = harness(capsys, "run", "all.yaml", "--engine", "inline", "--workers", "0", *RUN)
    assert done.code == 0, done.err
    result = json.loads(Path("R/result.json").read_text())
    assert {score["value"] for score in result["scores"] if score["model"] == "polly"} == {100.0, 0.0}
    assert "score t, polly" in (here / "engine.log").read_text()
    assert json.loads(Path("R/verdicts.json").read_text())["verdicts"][0]["rule"] == "at_least"
    if trained:
        (record,) = [
            json.loads(path.read_text()) for path in (here / "store" / "done").glob("*/trained.json")
        ]
        assert record["loss_unit"] == "nats by another name"
        assert (here / "architecture.log").exists()
        assert [model["family"] for model in result["suite"]["models"]] == [None, "cousins"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_suite_runs_with_files_of_a_list(
    here: Path, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    done = harness(capsys, "run", suite(here), "--workers", workers, *RUN)
    assert done.code == 0, done.err
    result = json.loads(Path("R/result.json").read_text())
    scores = {(one["model"], one["metric"]): one for one in result["scores"]}
    assert scores["copy", "exact"]["value"] == 100.0  # the kind asked for the input backwards
    assert scores["copy", "letters"]["value"] == 100.0
    assert scores["upper", "letters(letter=n)"]["value"] == 0.0
    assert scores["copy", "letters"]["low"] is not None
    assert "|file:letters(letter=n)|script:" in scores["copy", "letters(letter=n)"]["signature"]
    assert {one["metric"] for one in result["comparisons"]} >= {"letters", "letters(letter=n)"}


@pytest.mark.slow
def test_a_source_of_data_is_a_file_too(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The group of a source must be named: nothing in its file says so.
    path = suite(here, listed="{data: [numbers.py]}", kind="generate", scored='[exact, "./letters.py"]')
    (here / "small.yaml").write_text(Path(path).read_text().replace("file:data", "numbers:12"))
    before = {step.label: step.id for kind in steps(path, here / "digests").values() for step in kind}
    assert harness(capsys, "run", path, "--workers", "0", *RUN).code == 0
    result = json.loads(Path("R/result.json").read_text())
    assert {
        one["value"] for one in result["scores"] if (one["model"], one["metric"]) == ("upper", "exact")
    } == {100.0}
    (here / "numbers.py").write_text(DATA + "\n# another\n")
    after = {step.label: step.id for kind in steps(path, here / "digests").values() for step in kind}
    assert not before.items() & after.items()


def test_a_file_stands_in_the_ids_of_the_steps_that_use_it(here: Path) -> None:
    before = steps(suite(here), here / "digests")
    (here / "letters.py").write_text(METRIC + "\n# another\n")
    other = steps(suite(here), here / "digests")
    assert before["load"] == other["load"]
    assert [step.id for step in before["generate"]] == [step.id for step in other["generate"]]
    assert {step.id for step in before["score"]}.isdisjoint(step.id for step in other["score"])
    (here / "backwards.py").write_text(KIND + "\n# another\n")
    third = steps(suite(here), here / "digests")
    assert before["load"] == third["load"]
    assert {step.id for step in before["generate"]}.isdisjoint(step.id for step in third["generate"])


@pytest.mark.parametrize(
    ("group", "moved"),
    [
        ("objectives", {"train tiny + r", "generate t, tiny + r"}),
        ("architectures", {"train tiny + r", "generate t, tiny", "generate t, tiny + r"}),
    ],
)
def test_a_file_stands_in_the_ids_of_training_and_of_answers_that_it_can_move(
    here: Path, group: str, moved: set[str]
) -> None:
    listed = "{" + ", ".join(f"{group}: [./{name}]" for group, (name, _) in FILES.items()) + "}"
    text = WITH_ALL.format(plugins=listed, tiny=', {name: tiny, uri: "zoo:llama2-tiny"}') + TRAINED
    (here / "all.yaml").write_text(text)
    before = steps("all.yaml", here / "digests")
    name, code = FILES[group]
    (here / name).write_text(f"{code}\n# another\n")
    after = steps("all.yaml", here / "digests")
    kinds_of_steps = ("load", "train", "generate")
    labels = {step.id: step.label for kind in kinds_of_steps for step in before[kind]}
    kept = {step.id for kind in kinds_of_steps for step in after[kind]}
    assert {label for step, label in labels.items() if step not in kept} == moved


def test_a_kind_that_asks_what_a_backend_cannot_do_is_refused_before_a_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "backwards.py").write_text(KIND.replace('"write"', '"head"'))
    for command in ("check", "plan", "run"):
        done = harness(capsys, command, suite(here))
        assert done.code == 2
        assert "task t, kind backwards: model copy cannot give the output of a head" in done.err
        assert "leave out the task, or add a model that can" in done.err
    assert not list((here / "store" / "done").glob("*"))


def test_a_list_finds_each_files_group_by_what_the_file_defines(here: Path) -> None:
    loaded = load_suite(suite(here, listed="[./backwards.py, ./letters.py]", scored="[exact, letters]"))
    assert loaded.plugins == {
        "kinds": {"backwards": str(here / "backwards.py")},
        "metrics": {"letters": str(here / "letters.py")},
    }
    assert loaded.tasks[0].metrics == ("exact", "letters.py")
    assert (
        load_suite(suite(here, listed="{kinds: [backwards.py]}")).plugins["kinds"] == loaded.plugins["kinds"]
    )


@pytest.mark.parametrize(
    ("file", "text", "listed", "message"),
    [
        (
            "generate.py",
            KIND,
            "[./generate.py]",
            "the harness has 'generate' among its kinds; rename the file",
        ),
        ("rouge.py", METRIC, "[./rouge.py]", "the harness has 'rouge' among its metrics; rename the file"),
        ("both.py", KIND + METRIC, "[./both.py]", "both.py defines kinds and metrics; say which group"),
        ("none.py", "x = 1", "[./none.py]", "none.py defines none of ARCHITECTURE"),
        ("torn.py", "def (", "[./torn.py]", "torn.py:1: invalid syntax; fix the plug-in"),
        ("x.py", KIND, "[./y.py]", "no file"),
        ("x.py", KIND, "[./x.txt]", "found the text './x.txt'; give the path of a Python file"),
        ("x.py", KIND, "{kind: [./x.py]}", "no group of plug-ins named 'kind'; did you mean 'kinds'"),
        ("x.py", KIND, "{steps: [./x.py]}", "no group of plug-ins named 'steps'"),
        ("x.py", KIND, "./x.py", "found the text './x.py'; give a list of paths"),
        ("sub/backwards.py", KIND, "[./backwards.py, ./sub/backwards.py]", "is named so too; rename one"),
    ],
)
def test_a_file_that_cannot_be_a_plug_in_is_refused_with_its_line(
    here: Path, file: str, text: str, listed: str, message: str
) -> None:
    (here / "sub").mkdir()
    (here / file).write_text(text)
    with pytest.raises(SuiteError) as refused:
        load_suite(suite(here, listed=listed, kind="generate"))
    assert message in str(refused.value)
    assert "small.yaml:2: plugins" in str(refused.value) or "torn" in file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0\ndef metric(): ...", "letters.py: cannot be imported: ZeroDivisionError: division by zero"),
        (
            "import data\ndef metric(): ...",
            "; a plug-in cannot import 'data', which lies beside it, since only the plug-in's own bytes are part of the ids",
        ),
        ("import nowhere.at_all\ndef metric(): ...", "ModuleNotFoundError: No module named 'nowhere'"),
        ("x = 1", "letters.py: has no `metric() -> Metric`"),
        ("def metric(): return 3", "its `metric()` returns no harness.metrics.Metric"),
    ],
)
def test_a_file_that_is_no_metric_is_refused_with_the_tasks_line(here: Path, text: str, message: str) -> None:
    (here / "letters.py").write_text(text)
    with pytest.raises(SuiteError) as refused:
        load_suite(suite(here, scored='[exact, "./letters.py"]'))
    assert message in str(refused.value)
    assert "tasks[0].metrics[1]" in str(refused.value)


def test_a_wrong_setting_of_a_file_is_refused_with_its_line(here: Path) -> None:
    with pytest.raises(
        SuiteError, match=r"metrics\[1\]\.\./letters\.py\.leter: no key named 'leter'; did you"
    ):
        load_suite(suite(here, scored='[exact, {"./letters.py": {leter: n}}]'))


def test_nothing_of_a_listed_file_runs_before_it_is_named(here: Path) -> None:
    (here / "idle.py").write_text(f"open({str(here / 'it-ran')!r}, 'w')\n" + KIND)
    load_suite(suite(here, listed="[./backwards.py, ./idle.py]"))
    assert not (here / "it-ran").exists()


def test_a_file_runs_once_however_often_it_is_named(here: Path) -> None:
    count = here / "runs"
    (here / "backwards.py").write_text(
        f"with open({str(count)!r}, 'a') as file:\n    file.write('x')\n" + KIND
    )
    load_suite(suite(here))
    assert kinds.find("backwards", "here") is kinds.find("backwards", "there")
    assert count.read_text() == "x"


def test_a_file_is_known_to_the_suite_that_names_it_and_to_no_other(here: Path) -> None:
    load_suite(suite(here))
    assert kinds.find("backwards").name == "backwards"
    with pytest.raises(UnknownName, match="no task kind named 'backwards'"):
        load_suite(suite(here, listed="[]"))
    assert "backwards" not in plugins.names("kinds")


def test_a_file_that_changed_after_it_was_named_is_not_run(here: Path) -> None:
    plugins.use([plugin_file("kinds", here / "backwards.py")])
    (here / "backwards.py").write_text(KIND + "\n# other\n")
    with pytest.raises(SuiteError, match="changed after it was named; run the command again"):
        kinds.find("backwards")


def test_a_path_starts_at_the_folder_of_the_file_that_names_it(here: Path) -> None:
    (here / "tasks").mkdir()
    (here / "tasks" / "letters.py").write_text(METRIC)
    (here / "tasks" / "u.yaml").write_text(
        'source: {uri: "file:../data"}\nprompt: "$input"\nmetrics: ["./letters.py"]\nprimary: letters\n'
    )
    task = load_task(str(here / "tasks" / "u.yaml"))
    assert task.metrics == ("letters.py",)
    assert metrics.load(task.metrics[0]).names == ("letters",)


def test_copies_of_a_project_share_the_steps_of_its_files_and_other_bytes_share_none(here: Path) -> None:
    there = Path(shutil.copytree(here, here.parent / "there"))
    ours, theirs = (steps(suite(folder), folder / "digests.json") for folder in (here, there))
    for kind in ("generate", "score", "compare"):
        assert [step.id for step in ours[kind]] == [step.id for step in theirs[kind]]
    (there / "letters.py").write_text(METRIC + "\n# another\n")
    other = steps(suite(there), there / "digests.json")
    assert not {step.id for step in other["score"]} & {step.id for step in ours["score"]}


@pytest.mark.slow
def test_a_result_says_where_a_file_lay_so_that_it_can_be_verified_from_elsewhere(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(suite(here))
    path.write_text(path.read_text().partition("gates:")[0])  # which are judged again without the file
    assert harness(capsys, "run", str(path), "--workers", "0", *RUN).code == 0
    document = json.loads((here / "R" / "result.json").read_text())
    assert document["suite"]["tasks"][0]["metrics"] == ["exact", "letters.py", "letters.py(letter=n)"]
    assert document["manifest"]["scripts"] == {"letters.py": str(here / "letters.py")}
    (here / "away").mkdir()
    monkeypatch.chdir(here / "away")
    plugins.use(())  # as a process begins
    assert "not recomputed: t: letters.py" in harness(capsys, "verify", "../R").out
    plugins.use(())
    done = harness(capsys, "verify", "../R", "--allow-code")
    assert done.code == 0 and f"runs {here / 'letters.py'} (sha256 " in done.err
    assert "not recomputed: t: letters.py" not in done.out


def test_a_file_with_several_scores_puts_its_name_before_each(here: Path) -> None:
    (here / "letters.py").write_text(METRIC.replace('names=("has",)', 'names=("has", "per")'))
    loaded = load_suite(suite(here, scored='[exact, {"./letters.py": {letter: x}}]'))
    chosen = loaded.tasks[0].metrics[1]
    assert metrics.score_names(chosen) == ("letters.has(letter=x)", "letters.per(letter=x)")
    plugins.use(())  # as in a process that reads a RESULT and no suite
    assert metrics.gives(chosen, "letters.per(letter=x)")
    assert not metrics.gives(chosen, "letters.per")
    assert not metrics.gives(parse(chosen).name, "letters.per(letter=x)")


@pytest.mark.slow
def test_gates_on_a_file_are_judged_where_the_users_own_rules_name_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harness(capsys, "run", suite(here), "--workers", "0", *RUN).code == 0
    gate = 'gates: [{model: copy, adapter: base, metric: "letters", min_value: 10}]\n'
    (here / "gates.yaml").write_text(gate)
    plugins.use(())  # as a process begins
    assert harness(capsys, "gate", "R", "--rules", "gates.yaml").code == 5
    (here / "gates.yaml").write_text("plugins: [./letters.py]\n" + gate)
    assert harness(capsys, "gate", "R", "--rules", "gates.yaml").code == 0


@pytest.mark.slow
def test_answers_are_scored_again_by_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = harness(capsys, "run", suite(here, scored="[exact]"), "--workers", "0", *RUN)
    assert done.code == 5, done.err  # the gate names a metric that is not there yet
    done = harness(capsys, "rescore", "R", "--metric", "./letters.py(letter=n)")
    assert done.code == 0, done.err
    scores = {
        (one["model"], one["metric"]): one["value"]
        for one in json.loads(Path("R/result.json").read_text())["scores"]
    }
    assert scores["copy", "letters(letter=n)"] == 100.0
