"""Laws over all groups of plug-ins, and over the house that they stand in."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

import harness
from harness import plugins
from harness.errors import SuiteError, UnknownName
from harness.plugins.files import mark, plugin_file

PACKAGE = Path(harness.__file__).parent
CONTRACT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
][0]

# What each plug-in of a group defines. A group that is not named here has a value of its singular's name: RULE = Rule(…).
DEFINES = {
    "data": ("splits", "rows", "pin"),
    "engines": ("run",),
    "exports": ("PLACE", "PAGES", "export"),
    "imports": ("OPTIONS", "read"),
    "metrics": ("metric",),
    "steps": ("VERSION", "LIBRARIES", "run"),
}

# Imports of a plug-in past its door. The list should become shorter.
PAST: set[str] = set()
ROUND: list[list[str]] = []  # rooms that import each other


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


FILES = tuple(sorted(PACKAGE.rglob("*.py")))
OWN = [(group, name) for group in plugins.GROUPS for name in plugins.own_names(group)]


@pytest.mark.slow
@pytest.mark.parametrize("group", plugins.GROUPS)
def test_every_group_is_looked_up_by_name_in_the_code(group: str) -> None:
    """A group that nothing looks up would be accepted and then ignored."""
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "plugins.find"
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == group
    ]
    assert found, f'nothing calls plugins.find("{group}", …)'


LOOKED_UP = ("data", "exports", "families", "imports", "kinds", "metrics")


@pytest.mark.slow
@pytest.mark.parametrize("group", LOOKED_UP)
def test_no_plug_in_is_imported_past_its_door(group: str) -> None:
    """Whoever imports a plug-in by name does without those of others."""
    own = {f"harness.{plugins.GROUPS[group]}.{name}" for name in plugins.own_names(group)}
    found = {
        f"{module} imports {other}"
        for module, path in MODULES.items()
        for other in imports(path)
        if other in own and not module.startswith(f"harness.{plugins.GROUPS[group]}.")
    }
    assert found <= PAST


@pytest.mark.parametrize(("group", "name"), OWN)
def test_every_plug_in_defines_what_its_group_asks_for(group: str, name: str) -> None:
    module = plugins.find(group, name)
    for part in DEFINES.get(group, (mark(group),)):
        assert hasattr(module, part), f"{module.__name__} has no {part}"


@pytest.mark.parametrize("group", plugins.GROUPS)
def test_an_unknown_name_is_answered_with_the_near_ones(group: str) -> None:
    near = plugins.own_names(group)[0]
    with pytest.raises(UnknownName, match=f"here: no .*{near}x'; did you mean .*'{near}'"):
        plugins.find(group, f"{near}x", "here")


@pytest.mark.parametrize("group", plugins.GROUPS)
def test_own_names_cannot_be_shadowed(group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = plugins.own_names(group)[0]
    evil = tmp_path / f"{name}.py"
    evil.write_text("raise SystemError('shadowed')\n")
    described = tmp_path / "evil-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(f"[harness.{group}]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._entry_points.cache_clear()
    file = plugin_file(group, evil)
    plugins.use([file])
    try:
        assert name in {point.name for point in plugins.others(group)}
        assert plugins.find(group, name).__name__.startswith("harness.")
        with pytest.raises(SuiteError, match=f"the harness has '{name}' among its {group}; rename the file"):
            plugins.refuse_taken(file, "here")
    finally:
        plugins.use(())
        plugins._entry_points.cache_clear()


def test_nothing_is_imported_before_it_is_named() -> None:
    program = (
        "import json, sys\n"
        "from harness import plugins\n"
        "found = {group: plugins.names(group) for group in plugins.GROUPS}\n"
        "places = {f'harness.{plugins.GROUPS[group]}.{name}' for group in found for name in found[group]}\n"
        "print(json.dumps(sorted(places & sys.modules.keys())))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("group", plugins.GROUPS)
def test_the_folder_of_a_group_holds_plug_ins_alone(group: str) -> None:
    folder = PACKAGE.joinpath(*plugins.GROUPS[group].split("."))
    assert (folder / "__init__.py").is_file()
    others = [
        path.relative_to(PACKAGE).as_posix()
        for path in folder.iterdir()
        if path.name not in ("__init__.py", "__pycache__") and path.stem not in plugins.own_names(group)
    ]
    assert others == []


# The house.


def contract_names() -> list[str]:
    return [name for layer in CONTRACT["layers"] for name in layer.split(" : ")]


def test_the_import_contract_names_exactly_what_is_there() -> None:
    there = [path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    there += [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    assert sorted(contract_names()) == sorted(there)


def test_no_class_name_stands_in_two_modules() -> None:
    places: dict[str, set[str]] = {}
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(path.relative_to(PACKAGE).as_posix())
    found = {name: sorted(paths) for name, paths in places.items() if len(paths) > 1}
    assert found == {}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imports(path: Path) -> Iterator[str]:
    """Yield the modules of the package that a file imports, wherever in the file but for its types alone."""
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in below if name in MODULES)
            if any(name not in MODULES for name in below):
                yield node.module
        waiting += ast.iter_child_nodes(node)


def open_still(importer: str, imported: str) -> bool:
    """Return whether pyproject.toml leaves an import out of the contract, because it runs up the floors as yet."""
    for line in CONTRACT.get("ignore_imports", ()):
        patterns = line.split(" -> ")
        if all(fnmatch(name, pattern) for name, pattern in zip((importer, imported), patterns, strict=True)):
            return True
    return False


def edges() -> dict[str, set[str]]:
    return {
        name: {other for other in imports(path) if other != name and not open_still(name, other)}
        for name, path in MODULES.items()
    }


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected parts of more than one node (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        path.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in path:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            part = path[path.index(node) :]
            del path[path.index(node) :]
            found.extend([sorted(part)] if len(part) > 1 else [])

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def test_no_modules_import_each_other_in_a_circle_also_not_lazily() -> None:
    assert circles(edges()) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for name, others in edges().items():
        if name.count("."):
            room = name.split(".")[1]
            rooms.setdefault(room, set()).update(other.split(".")[1] for other in others if other.count("."))
    found = circles({room: others - {room} for room, others in rooms.items()})
    assert [circle for circle in found if circle not in ROUND] == []


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == [["a", "b", "c"]]
