"""Every block of README.md and docs/ says what it is, and is what it says; what cannot run is counted."""

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness import plugins
from harness.suite.lm_eval_task import document
from harness.suite.load import load_recipes, load_rules, load_suite, load_task
from tests.docs.fences import DATA, LANGUAGES, PAGES, ROOT, RUN, Fence, fences, write_files
from tests.docs.words import harness_commands, in_blocks, in_text, unknown

ALL = [fence for page in PAGES for fence in fences(page)]

# Blocks that no test runs, by page. Each says why. A new one is counted here by hand, so that they do not grow unseen.
NOT_RUN = {
    "README.md": 2,
    "adapters.md": 1,
    "bring-what-you-have.md": 2,
    "first-run.md": 2,
    "judges.md": 1,
    "own-model.md": 1,
    "servers.md": 1,
    "view.md": 2,
}

TASK = {
    "source": {
        "uri": "embedded:dialogues",
        "columns": {"id": "id", "input": "dialogue", "reference": "summary"},
    },
    "prompt": "Summarise.\n\n$input\n\nSummary:",
    "metrics": ["rouge"],
    "primary": "rougeL",
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plugins.use(())


@pytest.mark.parametrize("fence", ALL, ids=str)
def test_every_block_says_what_it_is(fence: Fence) -> None:
    assert fence.language in LANGUAGES
    if fence.language in DATA:
        assert fence.file, "say which file it is: ```csv file=NAME"
    if fence.language == "yaml":
        assert fence.file or fence.part, "begin with `# suites/mine.yaml` or `# part of a suite`"
    assert set(fence.settings) <= {"file", "exit"}
    if fence.reason is not None:
        assert fence.language in RUN and fence.file is None
        assert len(fence.reason.split()) >= 3, "say why in some words"


def test_the_blocks_that_no_test_runs_are_counted() -> None:
    found: dict[str, int] = {}
    for fence in ALL:
        if fence.reason is not None:
            found[fence.page.name] = found.get(fence.page.name, 0) + 1
    assert found == NOT_RUN


def test_most_blocks_run() -> None:
    runnable = [fence for fence in ALL if fence.language in RUN and fence.file is None]
    assert sum(fence.runs for fence in runnable) > 2 * sum(NOT_RUN.values())


def data_of(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("fence", [fence for fence in ALL if fence.language == "yaml"], ids=str)
def test_yaml_is_what_it_says(fence: Fence, tmp_path: Path) -> None:
    write_files(fence.page, tmp_path)
    data = data_of(fence.text)
    if fence.file is not None:
        check_file(tmp_path / fence.file, data)
        return
    path = tmp_path / "part.yaml"
    path.write_text(json.dumps(completed(fence.part, data)))  # JSON is YAML
    check_file(path, data_of(path.read_text()))


def only_gates(data: dict[str, Any]) -> bool:
    """Whether the keys are those of a file of gates."""
    return "gates" in data and set(data) <= {"gates", "family_error", "plugins"}


def completed(part: str | None, data: dict[str, Any]) -> dict[str, Any]:
    """The whole that a block is a part of: what it leaves out is as simple as can be."""
    if part == "task":
        return {**TASK, **data}
    if part == "recipe":
        counts = {"epochs", "steps"} & {*data, *data.get("sweep", ())}
        return data if counts else {"epochs": 1, **data}
    if only_gates(data):
        return data
    bases = {one["base"] for one in data.get("adapters", ())} or {"llama2-tiny"}
    whole: dict[str, Any] = {
        "tasks": [{"name": name, **TASK} for name in data.get("train_on", ["own"])],
        "models": [{"name": base, "uri": "zoo:llama2-tiny"} for base in bases],
        **data,
    }
    if "recipes" in data and "train_on" not in data:
        whole["train_on"] = [whole["tasks"][0] if isinstance(whole["tasks"][0], str) else "own"]
    if "train_on" in data and "recipes" not in data:
        whole["recipes"] = ["quickstart"]
    return whole


def check_file(path: Path, data: dict[str, Any]) -> None:
    """Read a file as the harness reads a file with such keys."""
    if only_gates(data):
        assert load_rules(str(path))[0]
    elif "models" in data:
        assert load_suite(str(path)).tasks
    elif "doc_to_text" in data:
        assert document(path).data["metrics"]
    elif "source" in data:
        assert load_task(str(path)).metrics
    else:
        assert load_recipes(str(path))


@pytest.mark.parametrize("fence", [fence for fence in ALL if fence.language in DATA], ids=str)
def test_data_are_what_they_say(fence: Fence) -> None:
    if fence.language == "csv":
        rows = list(csv.reader(StringIO(fence.text), strict=True))
        assert len({len(row) for row in rows}) == 1
    elif fence.language == "json":
        json.loads(fence.text)
    else:
        assert all(isinstance(json.loads(line), dict) for line in fence.text.splitlines())


@pytest.mark.parametrize("fence", [one for one in ALL if one.language == "python"], ids=str)
def test_python_compiles(fence: Fence) -> None:
    compile(fence.text, str(fence), "exec")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_program_has_every_command_and_option_that_a_page_names(page: Path) -> None:
    missing = [(where, words) for where, words in harness_commands(page) if unknown(words)]
    assert missing == []


def test_a_command_or_an_option_that_the_program_lacks_is_found() -> None:
    assert unknown(["run", "quickstart", "--limit", "2", "--store=x"]) is None
    assert unknown(["store", "ls"]) is None
    assert unknown(["rum", "quickstart"]) == "rum"
    assert unknown(["store", "list"]) == "list"
    assert unknown(["run", "quickstart", "--limits=2"]) == "--limits"
    assert sum(len(list(harness_commands(page))) for page in PAGES) > 50


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file_and_a_section(page: Path) -> None:
    """As a reader of the Markdown follows them; the build of the site checks them once more."""
    text = re.sub(
        r"^ *```.*?^ *```$|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        place, _, anchor = link.partition("#")
        if place.startswith(("https:", "http:")):
            continue
        target = page.parent / place if place else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The sections of a page, as GitHub and MyST name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_has_every_target_that_a_page_names(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    targets |= {
        f"bench-{name}" for name in re.findall(r"^BENCHMARKS := (.*)", makefile, re.MULTILINE)[0].split()
    }
    for where, line in (*in_blocks(page), *in_text(page)):
        if found := re.match(r"make ([a-z][a-z-]*)(?![A-Za-z-])", line):
            assert found[1] in targets, where
