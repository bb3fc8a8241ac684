"""The suite file: what it may say, and what bad input gets. Every message names file, line and key."""

# ruff: noqa: E501 (a table is read along its lines)

import re
from pathlib import Path

import pytest

from harness.errors import SuiteError, UnknownName
from harness.files import shipped
from harness.suite.load import load_model, load_recipes, load_suite, load_task, with_adapters
from harness.suite.named import available
from harness.types import Recipe

GOOD = """\
name: small
about: A suite for this test.
tasks:
  - name: chats
    source:
      uri: embedded:dialogues
      columns: {id: id, input: dialogue, reference: summary}
    prompt: "Sum up: $input"
    metrics: [rouge]
    primary: rougeL
models:
  - {name: copy, uri: "echo:copy"}
  - name: tiny
    uri: zoo:llama2-tiny
recipes:
  - name: short
    steps: 10
    learning_rate: 1e-4
adapters:
  - {name: mine, base: tiny, uri: "file:trained"}
train_on: [chats]
base_shots: [0, 2]
limit: 5
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load_recipe(name: str) -> Recipe:
    """The recipe of a file that does not sweep."""
    (recipe,) = load_recipes(name)
    return recipe


def refusal(path: Path) -> str:
    with pytest.raises(SuiteError) as caught:
        load_suite(str(path))
    return str(caught.value)


def test_a_suite_is_read_whole(here: Path) -> None:
    suite = load_suite(str(write(here / "small.yaml", GOOD)))
    assert [task.name for task in suite.tasks] == ["chats"]
    assert [model.uri for model in suite.models] == ["echo:copy", "zoo:llama2-tiny"]
    assert suite.recipes[0].learning_rate == 1e-4
    assert suite.adapters[0].uri == f"file:{here / 'trained'}"
    assert (suite.base_shots, suite.limit, suite.train_on) == ((0, 2), 5, ("chats",))


BAD = [
    # (what is written, what stands there instead, the message)
    ("about: A", "abuot: A", "small.yaml:2: abuot: no key named 'abuot'; did you mean 'about'?"),
    ("base_shots: [0, 2]", "gate: []", "small.yaml:22: gate: no key named 'gate'; did you mean 'gates' or 'name' or 'adapters'?"),
    ("      columns:", "      colums:", "small.yaml:7: tasks[0].source.colums: no key named 'colums'; did you mean 'columns'?"),
    ("limit: 5", "limit: five", "small.yaml:23: limit: found the text 'five'; give a whole number"),
    ("limit: 5", "limit: 2.5", "small.yaml:23: limit: found the number 2.5; give a whole number"),
    ("limit: 5", "limit: true", "small.yaml:23: limit: found true; give a whole number"),
    ("limit: 5", "limit: 0", "small.yaml:23: limit: found the number 0; give 1 or more"),
    ("limit: 5", "weights: no", "small.yaml:23: weights: found the text 'no'; give true or false"),
    ("limit: 5", "across: chats", "small.yaml:23: across: found the text 'chats'; give a list or 'all' or 'own'"),
    ("limit: 5", "across: [chat]", "small.yaml:23: across[0]: no task in this suite named 'chat'; did you mean 'chats'?"),
    ("limit: 5", "limit: 5\nlimit: 6", "small.yaml:24: limit: given twice, first on line 23; keep one"),
    ("limit: 5", "limit: [5", "small.yaml:24: not YAML: "),
    ("name: small\n", "name: small\n about: x\n", "small.yaml:2: not YAML: column 7: this line is indented otherwise than the line above it"),
    ("  - name: tiny\n    uri", "  - name: tiny\n   uri", "small.yaml:14: not YAML: column 4: this line is indented otherwise than the line above it"),
    ("  - name: tiny\n    uri", "  - name: tiny\n\turi", "small.yaml:14: not YAML: column 1: a tab; write spaces"),
    ("about: A", "about: one: A", "small.yaml:2: not YAML: column 11: a second ': ' in a line; put a text that contains ': ' into quotes"),
    ("about: A", "about: @A", "small.yaml:2: not YAML: column 8: a text that begins with '@'; put it into quotes"),
    ("about: A", 'about: "A" a', "small.yaml:2: not YAML: column 12: more text behind a closing quote"),
    ("about: A", 'about: "\\d', "small.yaml:2: not YAML: column 10: a backslash before 'd' within double quotes"),
    ("about: A", 'about: "A', "small.yaml:2: not YAML: column 8: the quote that begins here ends on line 8, with more text behind it; close it"),
    ("limit: 5", "limit: 'A", "small.yaml:23: not YAML: column 8: the quote is not closed; close it"),
    ("base_shots: [0, 2]", "base_shots: [0, 2", "small.yaml:23: not YAML: column 6: a comma is missing, or the bracket of line 22 is not closed"),
    ("limit: 5", "limit: .inf", "small.yaml:23: limit: found .inf; give a finite number"),
    ("limit: 5", "about2: !!python/name:os.system x", "small.yaml:23: about2: found the tag"),
    ("about: A suite for this test.", "about: x\n---\nabout: y", "small.yaml:3: a second document begins; keep one, and no `---`"),
    ("about: A suite for this test.", "about: &a x\nname2: *a", "small.yaml:3: name2: found the alias *a; write the value out"),
    ("base_shots: [0, 2]", "across: &tasks [chats]\nbase_shots:\n  - 0\n  - *tasks", "small.yaml:25: base_shots[1]: found the alias *tasks; write the value out"),
    ("name: small", "name: 'a/b'", "small.yaml:1: name: found 'a/b'; use letters, digits"),
    ("name: small", "name: 5", "small.yaml:1: name: found the number 5; give text"),
    ("    metrics: [rouge]", "    metrics: [rouge, rogue]", "small.yaml:9: tasks[0].metrics[1]: no metric named 'rogue'; did you mean 'rouge'?"),
    ("    metrics: [rouge]", "    metrics: rouge", "small.yaml:9: tasks[0].metrics: found the text 'rouge'; give a list"),
    ("    metrics: [rouge]", "    metrics: [rouge, rouge]", "small.yaml:9: tasks[0].metrics[1]: 'rouge' is there twice"),
    ("    metrics: [rouge]", "    metrics: []", "small.yaml:9: tasks[0].metrics: an empty list; name at least one"),
    ("    primary: rougeL", "    primary: rouge-l", "small.yaml:10: tasks[0].primary: no score among the task's metrics named 'rouge-l'; did you mean 'rougeL'"),
    ("    primary: rougeL", "    about: x", "small.yaml:4: tasks[0].primary: missing; add `primary:`"),
    ("    primary: rougeL", "    primary: rougeL\n    kind: generat", "tasks[0].kind: no task kind named 'generat'; did you mean 'generate'?"),
    ("    primary: rougeL", "    primary: rougeL\n    trivial: [led-3]", "tasks[0].trivial[0]: no trivial rule named 'led-3'; did you mean 'lead-3'?"),
    ("    primary: rougeL", "    primary: rougeL\n    shots: -1", "tasks[0].shots: found the number -1; give 0 or more"),
    ("    primary: rougeL", "    primary: rougeL\n    overflow: keep-strat", "tasks[0].overflow: no overflow named 'keep-strat'; did you mean 'keep-start'"),
    ("    primary: rougeL", "    primary: rougeL\n    decode: {max_new_tokens: 0}", "tasks[0].decode.max_new_tokens: found the number 0; give 1 or more"),
    ("    primary: rougeL", "    primary: rougeL\n    decode: {stop: ['']}", "tasks[0].decode.stop: found an empty text"),
    ("    primary: rougeL", "    primary: rougeL\n    decode: {stop: x}", "tasks[0].decode.stop: found the text 'x'; give a list"),
    ("    prompt: \"Sum up: $input\"", "    prompt: Sum up", "small.yaml:8: tasks[0].prompt: $input occurs 0 times in 'Sum up'"),
    ("    prompt: \"Sum up: $input\"", "    prompt: 7", "small.yaml:8: tasks[0].prompt: found the number 7; give text"),
    ("    prompt: \"Sum up: $input\"", "    prompt: $input $summary", "small.yaml:8: tasks[0].prompt: $summary is the reference answer"),
    ("    prompt: \"Sum up: $input\"", "    prompt: $input for 5 $", "small.yaml:8: tasks[0].prompt: a lone '$'"),
    ("embedded:dialogues", "embedded:dialogs", "small.yaml:6: tasks[0].source.uri: no embedded data set named 'dialogs'; did you mean 'dialogues' or 'medical-yesno'?"),
    ("embedded:dialogues", "samples.csv", "small.yaml:6: tasks[0].source.uri: found 'samples.csv', which names no place; did you mean 'hub:samples.csv'?"),
    ("embedded:dialogues", "hubb:a/b", "small.yaml:6: tasks[0].source.uri: no scheme named 'hubb'; did you mean 'hub'?"),
    ("embedded:dialogues", "hub:../x", "small.yaml:6: tasks[0].source.uri: found 'hub:../x'; write hub:OWNER/NAME"),
    ("embedded:dialogues", "hub:a/b/c", "small.yaml:6: tasks[0].source.uri: found 'hub:a/b/c'; write hub:OWNER/NAME"),
    ("{id: id, input: dialogue,", "{id: id, inptu: dialogue,", "tasks[0].source.columns.inptu: no key named 'inptu'; did you mean 'input'?"),
    ("    prompt:", "      splits: {tset: a.csv}\n    prompt:", "tasks[0].source.splits.tset: no split named 'tset'; did you mean 'test'?"),
    ("    prompt:", "      splits: {train: a.csv}\n    prompt:", "small.yaml:8: tasks[0].source.splits: no test split; name the one that is measured on"),
    ("{id: id, input: dialogue,", "{choices: topic, input: dialogue,", "tasks[0].source.columns.choices: the kind 'generate' reads no choices; leave the key out"),
    ("    prompt:", "      config: small\n    prompt:", "small.yaml:8: tasks[0].source.config: embedded: sources have no configurations; leave the key out"),
    ("    metrics: [rouge]", "    metrics: [rouge, 'evaluate:./mine.py']", "small.yaml:9: tasks[0].metrics[1]: no file "),
    ("limit: 5", "limit: " + "1" * 5000, "small.yaml:23: limit: found a number of 5,000 characters; give a shorter one"),
    ("limit: 5", "limit: 1" + "0" * 20, "small.yaml:23: limit: found 100000000000000000000; give a number of at most 18 digits"),
    ("limit: 5", "limit: !!int five", "small.yaml:23: limit: found 'five'; give the plain value"),
    ("about: A suite for this test.", "about: " + "[" * 3000, "small.yaml: nested too deeply; write it with fewer levels"),
    ("about: A suite for this test.", 'about: "\\ud800"', "small.yaml:2: about: contains a lone surrogate, \\ud800; write valid Unicode"),
    ("    prompt:", "      share: txt\n    prompt:", "tasks[0].source.share: no share named 'txt'; did you mean 'text'?"),
    ("zoo:llama2-tiny", "''", "small.yaml:14: models[1].uri: found an empty text; write ./PATH"),
    ("file:trained", "hub:a/b@main", "adapters[0].uri: found 'hub:a/b@main'; write hub:a/b and `revision: main`"),
    ("file:trained", "echo:copy", "small.yaml:20: adapters[0].uri: no scheme named 'echo'; known: file, http, https, hub"),
    ('"file:trained"}', '"file:trained", revision: main}', "small.yaml:20: adapters[0].revision: a folder has no revisions; leave it out"),
    ("echo:copy", "echo:cpoy", "small.yaml:12: models[0].uri: no echo rule named 'cpoy'; did you mean 'copy'"),
    ("echo:copy", "echo:", "models[0].uri: found 'echo:', which names no place; write the place after the colon: echo:…"),
    ("zoo:llama2-tiny", "zoo:lama2-tiny", "small.yaml:14: models[1].uri: no tiny model named 'lama2-tiny'; did you mean 'llama2-tiny'"),
    ("zoo:llama2-tiny", "http://localhost:8000", "models[1].uri: found 'http://localhost:8000'; write http://HOST/v1#MODEL"),
    ("zoo:llama2-tiny", "gs:a", "small.yaml:14: models[1].uri: no scheme named 'gs'; known: echo, file, http, https, hub, zoo"),
    ("zoo:llama2-tiny", "gpt2", "models[1].uri: found 'gpt2': no folder "),
    ("zoo:llama2-tiny", "hub:a/b@main", "models[1].uri: found 'hub:a/b@main'; write hub:a/b and `revision: main`"),
    ("zoo:llama2-tiny", "zoo:llama2-tiny\n    family: lama", "models[1].family: no family named 'lama'; did you mean 'llama'"),
    ("zoo:llama2-tiny", "zoo:llama2-tiny\n    dtype: fp16", "models[1].dtype: no dtype named 'fp16'; did you mean 'float16'"),
    ("zoo:llama2-tiny", "zoo:llama2-tiny\n    revision: main", "models[1].revision: zoo: models have no revisions; leave it out"),
    ("  - name: tiny", "  - name: copy", "small.yaml:13: models[1]: 'copy' is there twice; keep one, or rename it"),
    ("  - name: tiny", "  - name: ti ny", "small.yaml:13: models[1].name: found 'ti ny'; use letters"),
    ("base: tiny", "base: tony", "small.yaml:20: adapters[0].base: no model named 'tony'; did you mean 'tiny'"),
    ("name: mine", "name: short", "small.yaml:20: adapters[0].name: 'short' is a recipe too"),
    ("train_on: [chats]", "train_on: [chat]", "small.yaml:21: train_on[0]: no task in this suite named 'chat'; did you mean 'chats'?"),
    ("train_on: [chats]", "train_on: []", "small.yaml:15: recipes: no task to train on; add `train_on: [chats]`"),
    ("base_shots: [0, 2]", "base_shots: [-1]", "small.yaml:22: base_shots[0]: found the number -1; give 0 or more"),
    ("base_shots: [0, 2]", "base_shots: [0, 0]", "small.yaml:22: base_shots[1]: 0 is there twice"),
    ("    steps: 10", "    epochs: 1\n    steps: 10", "small.yaml:18: recipes[0].steps: found both of epochs and steps; give one"),
    ("    steps: 10", "    rank: 8", "small.yaml:16: recipes[0]: found neither of epochs and steps; give one"),
    ("    steps: 10", "    steps: '10'", "small.yaml:17: recipes[0].steps: found the text '10'; give a whole number"),
    ("    steps: 10", "    steps: 10\n    rank: 0", "recipes[0].rank: found the number 0; give 1 or more"),
    ("    steps: 10", "    steps: 10\n    dropout: 1", "recipes[0].dropout: found the number 1.0; give from 0 to less than 1"),
    ("    steps: 10", "    steps: 10\n    targets: [qq]", "recipes[0].targets[0]: no target named 'qq'; "),
    ("    steps: 10", "    steps: 10\n    targets: [q, all-linear]", "recipes[0].targets: all-linear contains every other target"),
    ("    steps: 10", "    steps: 10\n    micro_batch_size: 3", "recipes[0].micro_batch_size: 3 does not divide batch_size 16"),
    ("    steps: 10", "    steps: 10\n    seeds: [1, 1]", "recipes[0].seeds[1]: 1 is there twice"),
    ("    steps: 10", "    steps: 10\n    schedule: cosin", "recipes[0].schedule: no schedule named 'cosin'; did you mean 'cosine'"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("good", "bad", "message"), BAD, ids=[bad.strip()[:60] for _, bad, _ in BAD])
def test_a_mistake_is_told_with_line_and_key(here: Path, good: str, bad: str, message: str) -> None:
    assert good in GOOD
    assert message in refusal(write(here / "small.yaml", GOOD.replace(good, bad, 1)))


def test_every_mistake_in_a_record_gets_a_line(here: Path) -> None:
    text = GOOD.replace("    metrics: [rouge]", "    metrics: rouge\n    shots: x")
    assert refusal(write(here / "small.yaml", text)).splitlines() == [
        "small.yaml:9: tasks[0].metrics: found the text 'rouge'; give a list",
        "small.yaml:10: tasks[0].shots: found the text 'x'; give a whole number",
    ]


@pytest.mark.parametrize("key", ["tasks", "models"])
def test_a_list_that_must_not_be_empty(here: Path, key: str) -> None:
    text = re.sub(rf"(?ms)^{key}:\n(?:^ .*?\n)+", f"{key}: []\n", GOOD)
    assert f"{key}: an empty list; name at least one" in refusal(write(here / "small.yaml", text))


def test_a_list_that_is_none(here: Path) -> None:
    assert "small.yaml:1: tasks: found the text 'dialogues'; give a list" in refusal(
        write(here / "small.yaml", "tasks: dialogues\nmodels: []\n")
    )


@pytest.mark.parametrize(
    ("text", "found"), [("- a\n- b\n", "a list"), ("just words\n", "the text 'just words'")]
)
def test_a_file_that_is_no_mapping(here: Path, text: str, found: str) -> None:
    assert (
        refusal(write(here / "small.yaml", text))
        == f"small.yaml:1: found {found}; give a mapping of keys to values"
    )


def test_names_of_files_are_looked_up(here: Path) -> None:
    write(here / "suites" / "mine.yaml", "tasks: [chats]\nmodels: [{name: copy, uri: 'echo:copy'}]\n")
    task = GOOD.split("tasks:\n")[1].split("models:\n")[0].replace("  - name: chats\n", "")
    write(here / "suites" / "tasks" / "chats.yaml", re.sub(r"(?m)^    ", "", task))
    suite = load_suite("mine")
    assert (suite.name, suite.tasks[0].name, suite.tasks[0].primary) == ("mine", "chats", "rougeL")
    assert available("suite")["mine"] == here / "suites" / "mine.yaml"
    assert "quickstart" in available("suite")


def test_an_own_file_wins_over_a_shipped_one(here: Path) -> None:
    shipped_recipe = load_recipe("lora-r8")
    write(here / "adapters" / "lora-r8.yaml", "rank: 9\nsteps: 1\n")
    assert shipped_recipe.rank == 8
    assert load_recipe("lora-r8").rank == 9


def test_recipes_are_found_beside_the_suites_folder(here: Path) -> None:
    write(here / "far" / "adapters" / "odd.yaml", "rank: 3\nsteps: 1\n")
    text = GOOD.replace(
        "recipes:\n  - name: short\n    steps: 10\n    learning_rate: 1e-4\n", "recipes: [odd]\n"
    )
    assert load_suite(str(write(here / "far" / "suites" / "small.yaml", text))).recipes[0].rank == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tasks: [dialoges]\nmodels: []\n",
            "s.yaml:1: tasks[0]: no task named 'dialoges'; did you mean 'dialogues'",
        ),
        (
            "tasks: [dialogues]\nmodels: [{name: a, uri: 'echo:copy'}]\nrecipes:\n  - lora-r9\n",
            "s.yaml:4: recipes[0]: no recipe named 'lora-r9'; did you mean 'lora-r8'",
        ),
        ("tasks: [my/task.yaml]\nmodels: []\n", "s.yaml:1: tasks[0]: no file "),
    ],
)
def test_an_unknown_file_is_told_with_near_names(here: Path, text: str, message: str) -> None:
    assert message in refusal(write(here / "s.yaml", text))


def test_an_unknown_suite(here: Path) -> None:
    with pytest.raises(UnknownName, match="no suite named 'quikstart'; did you mean 'quickstart'"):
        load_suite("quikstart")
    with pytest.raises(
        SuiteError, match=r"nowhere/x\.yaml: no file .*; give the path of a suite, or its name"
    ):
        load_suite("nowhere/x.yaml")


def test_a_task_is_called_as_its_file(here: Path) -> None:
    write(here / "adapters" / "mine.yaml", "name: yours\nsteps: 1\n")
    with pytest.raises(SuiteError, match=r"mine\.yaml:1: name: found 'yours'; name it as its file, 'mine'"):
        load_recipe("mine")


def test_a_mistake_in_a_task_file_names_that_file(here: Path) -> None:
    write(
        here / "suites" / "tasks" / "mine.yaml",
        "source: {uri: embedded:dialogues}\nprompt: $input\nmetrics: [rogue]\nprimary: x\n",
    )
    write(here / "suites" / "s.yaml", "tasks: [mine]\nmodels: []\n")
    assert "suites/tasks/mine.yaml:3: metrics[0]: no metric named 'rogue'" in refusal(
        here / "suites" / "s.yaml"
    )


def test_file_paths_start_at_the_file_that_names_them(here: Path) -> None:
    text = GOOD.replace("embedded:dialogues", "file:data/chats").replace("zoo:llama2-tiny", "file:../model")
    suite = load_suite(str(write(here / "suites" / "small.yaml", text)))
    assert suite.tasks[0].source.uri == f"file:{here}/suites/data/chats"
    assert suite.models[1].uri == f"file:{here}/model"


def test_a_shipped_suite_finds_its_baseline_unless_the_user_has_that_file_and_no_other_suite_does(
    here: Path,
) -> None:
    def against(name: str) -> set[str | None]:
        return {gate.against for gate in load_suite(name).gates}

    mine = "reports/baselines/ci.json"
    (theirs,) = against("ci") - {None, "base"}
    assert theirs is not None and Path(theirs) == shipped.folder("suites").parent / mine
    other = write(here / "other.yaml", GOOD + f"gates: [{{max_drop: 1, against: {mine}}}]\n")
    assert against(str(other)) == {mine}
    write(here / mine, "{}")
    assert against("ci") == {None, "base", mine}


@pytest.mark.parametrize("name", ["quickstart", "quickstart-full", "samsum", "sweep-quickstart"])
def test_shipped_suites_are_sound(here: Path, name: str) -> None:
    suite = load_suite(name)
    assert suite.name == name
    assert len(suite.models) == 4


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (shipped.folder("suites") / "tasks").glob("*.yaml"))
)
def test_shipped_tasks_are_sound(name: str) -> None:
    assert load_task(name).name == name


@pytest.mark.parametrize("name", sorted(path.stem for path in shipped.folder("adapters").glob("*.yaml")))
def test_shipped_recipes_are_sound(name: str) -> None:
    recipes = load_recipes(name)
    assert recipes[0].name == name or all(recipe.name.startswith(f"{name}-") for recipe in recipes)


def test_the_classic_recipe() -> None:
    recipe = load_recipe("lora-r16")
    assert (recipe.rank, recipe.alpha, recipe.dropout, recipe.targets) == (16, 32.0, 0.05, ("q", "v"))


def test_three_seeds_are_the_quickstart_otherwise() -> None:
    from dataclasses import replace

    three = load_recipe("quickstart-3-seeds")
    assert three.seeds == (0, 1, 2)
    one = load_recipe("quickstart")
    assert replace(three, name="quickstart", about=one.about, seeds=(0,)) == one


def test_starters_pass_as_they_are(here: Path) -> None:
    write(here / "suites" / "tasks" / "my-task.yaml", shipped.starter("task", "my-task"))
    write(here / "adapters" / "my-recipe.yaml", shipped.starter("recipe", "my-recipe"))
    suite = (
        shipped.starter("suite", "my-suite")
        .replace("[dialogues]", "[my-task]")
        .replace("[quickstart]", "[my-recipe]")
    )
    write(here / "suites" / "my-suite.yaml", suite)
    loaded = load_suite("my-suite")
    assert (loaded.tasks[0].name, loaded.recipes[0].name) == ("my-task", "my-recipe")
    assert load_suite(str(write(here / "suites" / "plain.yaml", shipped.starter("suite", "plain")))).recipes


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ("falcon-tiny", "zoo:falcon-tiny"),
        ("zoo:falcon-tiny", "zoo:falcon-tiny"),
        ("hub:a/b", "hub:a/b"),
        ("echo:copy", "echo:copy"),
        ("google/flan-t5-base", "hub:google/flan-t5-base"),
    ],
)
def test_a_model_outside_any_suite(given: str, uri: str) -> None:
    assert load_model(given).uri == uri


def test_a_model_outside_any_suite_may_have_a_revision_and_any_folder_name(here: Path) -> None:
    of_the_hub = load_model("hub:a/b@v1.0")
    assert (of_the_hub.name, of_the_hub.uri, of_the_hub.revision) == ("b", "hub:a/b", "v1.0")
    (here / "my model (2)").mkdir()
    mine = load_model("my model (2)")
    assert (mine.name, mine.uri) == ("my-model-2-", f"file:{here / 'my model (2)'}")


def test_paths_of_a_suite_start_at_its_file_and_those_of_the_command_line_at_the_working_folder(
    here: Path,
) -> None:
    for folder in ("model", "suites/model", "suites/lora", "lora"):
        (here / folder).mkdir(parents=True)
    text = GOOD.replace("zoo:llama2-tiny", "./model").replace("file:trained", "lora")
    text = text.replace("embedded:dialogues", "./samples.csv")
    suite = load_suite(str(write(here / "suites" / "small.yaml", text)))
    assert suite.models[1].uri == f"file:{here / 'suites/model'}"
    assert suite.adapters[0].uri == f"file:{here / 'suites/lora'}"
    assert suite.tasks[0].source.uri == f"file:{here / 'suites/samples.csv'}"
    assert load_model("./model").uri == f"file:{here / 'model'}"
    assert with_adapters(suite, ["mine=./lora"]).adapters[0].uri == f"file:{here / 'lora'}"
    moved = with_adapters(suite, ["mine=someone/lora@abc"]).adapters[0]
    assert (moved.uri, moved.revision) == ("hub:someone/lora", "abc")


def test_a_path_and_its_uri_are_one_suite(here: Path) -> None:
    suites = [
        load_suite(str(write(here / "small.yaml", GOOD.replace("zoo:llama2-tiny", f'"{uri}"'))))
        for uri in ("file:model", "file:./model", "./model", f"{here}/model", f"file:{here}/model")
    ]
    assert all(suite == suites[0] for suite in suites)


def test_an_unknown_model_outside_any_suite() -> None:
    with pytest.raises(
        UnknownName, match="falcon-tinny: no tiny model named 'falcon-tinny'; did you mean 'falcon-tiny'"
    ):
        load_model("falcon-tinny")
