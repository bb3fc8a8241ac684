"""What is not done is refused in one line with file, line and key; code runs only where the user trusts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import data
from harness.commands.import_lm_eval_task import import_lm_eval_task
from harness.errors import DataError, HarnessError, SuiteError
from harness.suite.load import load_suite
from harness.types import Suite

TASK = """\
task: made-up
dataset_path: json
dataset_kwargs: {data_files: {train: train.jsonl, test: test.jsonl}}
training_split: train
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}} ="
doc_to_target: gold
doc_to_choice: "{{[a, b]}}"
"""
CODE = """\
def shout(doc):
    return doc["q"].upper()


def process_docs(docs):
    return docs.map(lambda doc: {"q": doc["q"] + "!"})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "task.yaml").write_text(TASK, encoding="utf-8")
    (tmp_path / "utils.py").write_text(CODE, encoding="utf-8")
    for split, count in (("train", 4), ("test", 3)):
        rows = [{"q": f"{split} {n}", "a": "yes", "b": "no", "gold": n % 2} for n in range(count)]
        (tmp_path / f"{split}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
    return tmp_path


def suite(folder: Path, **said: object) -> Suite:
    entry = {"lm_eval": str(folder / "task.yaml"), **said}
    return load_suite({"name": "x", "tasks": [entry], "models": [{"name": "m", "uri": "zoo:llama2-tiny"}]})


def changed(folder: Path, line: str) -> None:
    """Give a key another value, or add it."""
    key = line.partition(":")[0]
    kept = [each for each in TASK.splitlines() if not each.startswith(f"{key}:")]
    (folder / "task.yaml").write_text("\n".join([*kept, line]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("class: !function utils.Task", "class: not done here: a task that is a Python class"),
        ("group: all", "group: not done here: a group has no samples"),
        ("task: [a, b]", "task: not done here: a group"),
        ("repeats: 3", "repeats: not done here: found 3 answers"),
        ("process_results: !function utils.score", "process_results: not done here"),
        ("doc_to_image: image", "doc_to_image: not done here: images"),
        ("use_prompt: promptsource", "use_prompt: not done here"),
        ("model_specific_prompt: x", "model_specific_prompt: a key that is not known here"),
        ("doc_to_txt: q", "did you mean 'doc_to_text'?"),
        ("output_type: loglikelihood", "output_type: 'loglikelihood' is not asked here"),
        ("metric_list: [{metric: mcc}]", "metric_list[0].metric: 'mcc' is not done here; done are acc"),
        ("metric_list: [{metric: !function utils.shout}]", "metric by !function utils.shout"),
        ("metric_list: [{metric: acc, aggregation: median}]", "metric_list[0].aggregation: 'median' of acc"),
        ("fewshot_config: {sampler: balanced}", "fewshot_config.sampler: 'balanced' is not done here"),
        ("fewshot_config: {fewshot_indices: [1]}", "fewshot_config.fewshot_indices: not done here"),
        ("num_fewshot: many", "num_fewshot: found 'many'"),
        ("filter_list: [{name: f, filter: [{function: map}]}]", "filter_list[0].filter[0].function: 'map'"),
        ("generation_kwargs: {num_beams: 4}", "generation_kwargs.num_beams: not done here"),
        ("dataset_kwargs: {data_files: {test: 'https://a.b/c.jsonl'}}", "https://a.b/c.jsonl is not fetched"),
        ("include: nowhere.yaml", "include: no file"),
        ("include: task.yaml", "includes itself"),
        ("doc_to_choice: [yes, no]", "found True among the choices"),
    ],
)
def test_what_is_not_done_is_refused_with_its_key_and_line(folder: Path, line: str, message: str) -> None:
    changed(folder, line)
    with pytest.raises(SuiteError) as refused:
        suite(folder, trust_code=True)
    assert message in str(refused.value)
    assert "task.yaml:" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("doc_to_text: '{{q.__class__}}'", "SecurityError: access to attribute '__class__'"),
        ("doc_to_text: '{{nothing}}'", "cannot be filled: 'nothing' is undefined"),
        ("doc_to_text: '{{q'", "it is no template"),
        ("doc_to_text: '{% for n in range(10**9) %}x{% endfor %}'", "Range too big"),
        ("doc_to_choice: '{{a}}'", "doc_to_choice: test split: document 1: gives 'yes', which is no list"),
        (
            "doc_to_target: '7'",
            "doc_to_target: test split: document 1: gives 7, which is none of the 2 choices",
        ),
        ("doc_to_text: '0'", "a prompt for each choice is not done here"),
        ("doc_to_text: gold", "gives the number of a choice"),
        ("num_fewshot: 9", "9 examples before a prompt, and there are 4 documents"),
        ("test_split: other", "no split 'other', only train, test"),
    ],
)
def test_a_document_that_cannot_be_asked_is_refused_in_one_line(
    folder: Path, line: str, message: str
) -> None:
    changed(folder, line)
    (task,) = suite(folder).tasks
    with pytest.raises(DataError) as refused:
        list(data.read(task.source, "test"))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_code_runs_only_where_the_suite_trusts_it(folder: Path) -> None:
    changed(folder, "doc_to_text: !function utils.shout")
    with pytest.raises(
        SuiteError, match=r"task.yaml:9: doc_to_text: !function utils.shout is Python code of .*utils.py"
    ):
        suite(folder)
    (task,) = suite(folder, trust_code=True).tasks
    assert [sample.input for sample in data.read(task.source, "test")] == ["TEST 0", "TEST 1", "TEST 2"]


def test_documents_are_processed_before_they_are_asked(folder: Path) -> None:
    changed(folder, "process_docs: !function utils.process_docs")
    (task,) = suite(folder, trust_code=True).tasks
    assert next(data.read(task.source, "test")).input == "test 0! ="


def test_the_pin_changes_with_the_task_file_its_code_and_its_data(folder: Path) -> None:
    from harness.files.regular import file_digest

    changed(folder, "process_docs: !function utils.process_docs")
    (task,) = suite(folder, trust_code=True).tasks
    pins = {data.pin(task.source, file_digest)}
    for name in ("task.yaml", "utils.py", "test.jsonl"):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        pins.add(data.pin(task.source, file_digest))
    assert len(pins) == 4


def test_examples_of_a_suite_for_bases_are_refused(folder: Path) -> None:
    entry = {"lm_eval": str(folder / "task.yaml")}
    models = [{"name": "m", "uri": "zoo:llama2-tiny"}]
    with pytest.raises(SuiteError, match="base_shots: the prompts of made-up have the examples"):
        load_suite({"name": "x", "tasks": [entry], "models": models, "base_shots": [0, 2]})


def test_an_imported_task_asks_what_the_task_file_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    file, remarks = import_lm_eval_task(folder / "task.yaml", shots=2)
    assert (str(file), remarks) == ("suites/tasks/made-up.yaml", [])
    models = [{"name": "m", "uri": "zoo:llama2-tiny"}]
    (imported,) = load_suite({"name": "x", "tasks": ["made-up"], "models": models}).tasks
    (read,) = suite(folder, shots=2).tasks
    assert imported.prompt == read.prompt
    assert imported.metrics == read.metrics
    for split in ("train", "test"):
        assert list(data.read(imported.source, split)) == list(data.read(read.source, split))
    with pytest.raises(HarnessError, match="exists already"):
        import_lm_eval_task(folder / "task.yaml")


def test_an_import_that_fails_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    changed(folder, "doc_to_text: '{{nothing}}'")
    before = sorted(folder.rglob("*"))
    with pytest.raises(DataError):
        import_lm_eval_task(folder / "task.yaml")
    assert [path for path in sorted(folder.rglob("*")) if path.is_file()] == [
        path for path in before if path.is_file()
    ]


def test_the_command_line_says_a_refusal_in_one_line(folder: Path) -> None:
    changed(folder, "class: !function utils.Task")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "import", "lm-eval-task", "task.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "task.yaml:10: class: not done here" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'doc_to_text: "{{nowhere}} ="',
            "doc_to_text: .*cannot be filled: 'nowhere' is undefined; the document",
        ),
        ('doc_to_target: "{{nowhere}}"', "doc_to_target: .*cannot be filled: 'nowhere' is undefined"),
        ('doc_to_choice: "{{[a, nowhere.x]}}"', "doc_to_choice: .*cannot be filled: 'nowhere' is undefined"),
        ('description: "{{nowhere}}"', "description: .*cannot be filled: 'nowhere' is undefined"),
        ('doc_to_text: "{{q + 1}}"', "doc_to_text: .*a value in the document is missing or of another type"),
    ],
)
def test_a_template_that_fails_is_named_by_its_own_key_and_line(folder: Path, line: str, said: str) -> None:
    changed(folder, line)
    number = (folder / "task.yaml").read_text().splitlines().index(line) + 1
    (task,) = suite(folder).tasks
    with pytest.raises(DataError, match=rf"task\.yaml:{number}: {said}"):
        list(data.read(task.source, "test"))
