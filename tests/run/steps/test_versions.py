"""A step's id holds its version; a change of what it does must raise it, or old answers are taken for new ones."""

import ast
import hashlib
import io
import json
import sys
import tokenize
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

import harness
from harness import plugins

PACKAGE = Path(harness.__file__).parent
TABLE = Path(__file__).parent / "versions.json"
KINDS = [kind for kind in plugins.own_names("steps") if kind != "report"]
# A report draws what others found; `harness report` draws a changed page again.

# Files that cannot move a result. Their imports are not followed either.
LEFT_OUT = {
    "__init__.py": "the package's version, and a shortcut to the frames of a RESULT",
    "types/*": "records only; every field of a step's spec is part of the step's id",
    "errors.py": "wording",
    "commands/progress.py": "what a terminal shows",
    "report/*": "pages, which show results",
    "results/*": "a RESULT folder is made of results",
    "files/hardware.py": "says where a run took place",
    "run/store.py": "keeps what steps wrote",
    "plugins/__init__.py": "finds a file by its name; the files of the group are followed instead",
    "plugins/files.py": "runs a file of the user's, whose digest is part of the step's id",
    "plan/pins.py": "finds the folder of what a spec pins by revision or digest",
    "checkpoints/remembered.py": "keeps digests of files, which are in a spec",
    "files/installed.py": "finds versions of libraries, which are in a step's id",
    "checkpoints/hub.py": "downloads files of a pinned commit",
    "files/shipped.py": "finds files that came with the package",
    "files/yaml.py": "quotes what was found in messages",
}
# A file whose code counts, and whose imports do not.
NOT_FOLLOWED = {
    "run/steps/__init__.py": "opens the model that a step asks for; steps that ask for one import models/ themselves",
}


def file_of(module: str) -> str | None:
    """Return the file of a module of the package, relative to the package; None for a name that is no module."""
    place = Path(*module.split(".")[1:])
    names = [place / "__init__.py", *([place.with_suffix(".py")] if place.name else [])]
    return next((str(name) for name in names if (PACKAGE / name).is_file()), None)


def is_lookup(node: ast.AST) -> bool:
    """Return whether a node of a syntax tree is `plugins.find(…)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "find"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "plugins"
    )


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"))


@cache
def imported(file: str) -> frozenset[str]:
    """Return the files of the package that a file may load: imports anywhere in the file, and groups of plug-ins."""
    modules: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import, which this test does not follow"
            modules.update([node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Call) and is_lookup(node):
            group = ast.literal_eval(node.args[0])
            package = plugins.GROUPS[group]
            files = PACKAGE.joinpath(*package.split(".")).glob("*.py")
            modules.update(f"harness.{package}.{path.stem}" for path in files)
    own = [module.split(".") for module in modules if module.partition(".")[0] == "harness"]
    packages = {".".join(parts[:stop]) for parts in own for stop in range(1, len(parts) + 1)}
    return frozenset(found for found in map(file_of, packages) if found)


def left_out(file: str) -> bool:
    return any(fnmatch(file, pattern) for pattern in LEFT_OUT)


@cache
def sources(kind: str) -> tuple[str, ...]:
    """Return the files that decide what a step's result is: all that its file imports, directly or through others."""
    found: set[str] = set()
    waiting = [f"run/steps/{kind}.py"]
    while waiting:
        file = waiting.pop()
        if file in found or left_out(file):
            continue
        found.add(file)
        if file not in NOT_FOLLOWED:
            waiting += imported(file)
    return tuple(sorted(found))


def code(text: str) -> str:
    """Return Python source without docstrings, comments and blank lines, whatever Python's version reads it.

    Neither a dump of the syntax tree nor a list of tokens will do: both change between versions of Python.
    """
    lines = text.split("\n")  # as tokenize counts them: splitlines knows other ends of lines
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body and ast.get_docstring(node) is not None else None
            if first is not None and first.end_lineno is not None:
                lines[first.lineno - 1 : first.end_lineno] = [""] * (first.end_lineno - first.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())


@cache
def digest(file: str) -> str:
    text = code((PACKAGE / file).read_text(encoding="utf-8"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def now() -> dict[str, dict[str, object]]:
    """Return what the table should hold: the version of each step, and a digest of each source's code."""
    files = sorted({file for kind in KINDS for file in sources(kind)})
    return {
        "versions": {kind: plugins.find("steps", kind).VERSION for kind in KINDS},
        "sources": {file: digest(file) for file in files},
    }


def recorded() -> dict[str, dict[str, object]]:
    table: dict[str, dict[str, object]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_step_has_another_version(kind: str) -> None:
    table = recorded()
    changed = [file for file in sources(kind) if table["sources"].get(file) != digest(file)]
    advice = "then `python tests/run/steps/test_versions.py` writes the table anew"
    kept = " and in harness/weights/cache.py, which keeps findings" if kind == "spectra" else ""
    assert not changed, (
        f"step {kind} runs {', '.join(changed)}, which changed: raise VERSION in harness/run/steps/{kind}.py{kept} "
        f"if a result can differ, {advice}"
    )
    version = plugins.find("steps", kind).VERSION
    assert table["versions"].get(kind) == version, (
        f"step {kind} has VERSION {version}: see that it is meant, {advice}"
    )


def test_the_table_names_no_source_that_is_gone() -> None:
    gone = recorded()["sources"].keys() - now()["sources"].keys()
    assert not gone, f"no step runs these: run `python tests/run/steps/test_versions.py`: {sorted(gone)}"


ANSWERING = (
    *(
        "backends/__init__.py",
        "backends/hf.py",
        "backends/echo.py",
        "tasks/prompts.py",
        "checkpoints/adapter.py",
        "checkpoints/safetensors.py",
    ),
    *(
        "families/__init__.py",
        "families/llama.py",
        "families/t5.py",
        "kinds/generate.py",
        "files/json_lines.py",
    ),
    *(
        f"neural/{name}.py"
        for name in ("huggingface", "load", "encode", "pristine", "kernels", "cache", "memory", "padding")
    ),
    *(f"neural/architectures/{name}.py" for name in ("__init__", "causal", "seq2seq")),
    *(
        f"neural/decode/{name}.py"
        for name in ("__init__", "answer", "batch", "choose", "plain", "sessions", "slices")
    ),
    *(
        f"neural/lora/{name}.py"
        for name in ("__init__", "by_peft", "config", "factors", "files", "fit", "linear")
    ),
)
NAMED = {
    "load": ("data/__init__.py", "data/file.py", "data/hub.py", "data/embedded.py", "tasks/overlap.py"),
    "train": (
        *ANSWERING,
        *(f"neural/train/{name}.py" for name in ("__init__", "batches", "checkpoint", "loop", "precision")),
        *(f"neural/train/{name}.py" for name in ("halving", "lessons", "prepare", "schedule")),
        "neural/rungs.py",
        *("neural/objectives/__init__.py", "neural/objectives/answers.py"),
    ),
    "generate": ANSWERING,
    "score": (
        "scoring/accumulate.py",
        "tasks/rules.py",
        "metrics/rouge.py",
        "stats/intervals.py",
    ),
    "foreign": ("scoring/accumulate.py", "metrics/evaluate.py"),
    "spectra": (
        *(
            "checkpoints/adapter.py",
            "checkpoints/safetensors.py",
            "families/gpt2.py",
            "weights/dense.py",
            "weights/pool.py",
        ),
        *("weights/analyse.py", "weights/cache.py", "weights/quantised.py", "weights/oracle.py"),
    ),
    "compare": (
        "scoring/comparisons.py",
        "stats/significance.py",
        "metrics/bleu.py",
        "scoring/questions.py",
    ),
}


@pytest.mark.parametrize("kind", NAMED)
def test_what_can_move_a_result_is_among_its_sources(kind: str) -> None:
    assert set(NAMED[kind]) - set(sources(kind)) == set()
    assert {f"run/steps/{kind}.py", "run/steps/__init__.py"} <= set(sources(kind))


def test_what_cannot_move_a_result_is_not() -> None:
    assert not [file for kind in KINDS for file in sources(kind) if file.startswith(("report/", "gates/"))]
    assert not [file for file in sources("load") if file.startswith(("neural/", "weights/", "metrics/"))]
    assert not [file for file in sources("score") if file.startswith(("neural/", "weights/", "backends/"))]


def test_every_exclusion_names_a_file_that_is_there() -> None:
    for pattern in (*LEFT_OUT, *NOT_FOLLOWED):
        assert list(PACKAGE.glob(pattern)), pattern


def test_no_source_loads_a_module_in_a_way_that_is_not_followed() -> None:
    """Only `plugins.find("GROUP", …)`, with the group's name as it stands, is followed."""
    for file in now()["sources"]:
        for node in ast.walk(tree(file)):
            if not isinstance(node, ast.Call):
                continue
            loads = ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__")
            if loads or is_lookup(node):
                assert isinstance(node.args[0], ast.Constant), (
                    f"{file}:{node.lineno}: a name made at run time"
                )
                own = str(node.args[0].value).startswith("harness")
                assert not (loads and own), f"{file}:{node.lineno}: write it as an import"


def test_prose_is_no_code_and_every_other_character_is() -> None:
    plain = 'def f(x: str) -> str:\n    return f"# {x}"\n'
    prose = '"""A file."""\n\n# why\ndef f(x: str) -> str:  # what\n    """Return.\n\n    """\n\n    return f"# {x}"\n'
    assert code(prose) == code(plain)
    for other in (
        plain.replace("# {x}", "#  {x}"),
        plain.replace("str", "int"),
        plain.replace("    r", "  r"),
    ):
        assert code(other) != code(plain)
    assert code('x = """\n# kept\n"""\n') != code('x = """\n# told\n"""\n')


if __name__ == "__main__":
    TABLE.write_text(json.dumps(now(), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TABLE} written\n")
