"""Write docs/reference.md: every key of suites, tasks, recipes and gates, from the records that YAML becomes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import get_type_hints

from harness.neural.rungs import LETTERS
from harness.suite import rules as suite_rules
from harness.suite import sweep
from harness.types import Adapter, Gate, Halving, Model, Prices, Recipe, ServerSettings, Suite, Task
from harness.types.suite import Decode, Source, Weighing
from tools.docs import comments, plugin_tables
from tools.docs.tables import code, table
from tools.docs.values import default, kind

HEAD = """\
# Every key of the YAML files

This page is written by `python -m tools.docs` from the records in `harness/types/suite.py` and from the plug-ins that come
with the harness. A key that is not listed here is refused, with the file, the line and the nearest known key.

Files are YAML 1.2: `1e-4` is a number, and `no` is a text. `harness new suite NAME` (or `task`, `recipe`) writes a commented
file to start from; `harness check NAME` checks a file. Paths in a file start at the folder of that file, except a gate's
baseline (`against`), which starts at the working folder.
"""

NAMED = "its name; letters, digits, `.`, `_` and `-`"
FILED = (
    f"{NAMED}. A file of its own is found by its file name, so the name must be the same and may be left out"
)
ABOUT = "a sentence for people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table of keys."""

    title: str
    record: type
    text: str
    name: str = NAMED
    ranges: Mapping[str, suite_rules.Range] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # fields that no file writes
    instead: Mapping[str, str] = field(default_factory=dict)  # key -> the value that a file writes
    means: Mapping[str, str] = field(
        default_factory=dict
    )  # key -> its meaning in a file, where a record has more


SECTIONS = (
    Section(
        title="A suite",
        record=Suite,
        text="A file `suites/NAME.yaml`, or any file whose path is given. It is run by `harness run NAME`.",
        name=FILED,
        instead={
            "tasks": "list of names, paths or mappings ([a task](#a-task))",
            "models": "list of mappings ([a model](#a-model))",
            "recipes": "list of names, paths or mappings ([a recipe](#a-recipe))",
            "adapters": "list of mappings ([an adapter](#an-adapter))",
            "weights": "true, false or a mapping ([weights](#weights))",
            "gates": "list of mappings ([a gate](#a-gate))",
            "across": "`all`, `own` or a list of names of tasks",
            "plugins": "list of paths, or a mapping of group to paths",
        },
        means={
            "plugins": "files of your own project: metrics, kinds of task and more, see [plug-ins](extending.md)"
        },
    ),
    Section(
        title="A task",
        record=Task,
        text="A file `suites/tasks/NAME.yaml`, or a mapping in a suite's `tasks`.",
        name=FILED,
        instead={
            "source": "mapping ([source](#source))",
            "decode": "mapping ([decode](#decode))",
            "metrics": "list of [metrics](#metrics)",
            "primary": "one of the [scores](#metrics)",
        },
        means={
            "metrics": "how answers are scored",
            "kind": "what is asked of a model, and how an answer is read, see [kinds](#kinds)",
            "settings": "settings of the [kind](#kinds), by name",
            "trivial": "trivial rules that are scored beside the models, see [other names](#other-names)",
        },
    ),
    Section(
        title="source",
        record=Source,
        text="In a task: where its samples come from. See [own data](own-data.md).",
        instead={"columns": "mapping of role to column, or columns", "splits": "mapping of split to name"},
        means={
            "columns": "which column is the `id`, the `input`, the `reference`, and what else the [kind](#kinds) reads; "
            "`reference` and `choices` may have several: `[a, b]`",
            "splits": "which file, or split of the hub, is `train`, `validation`, `test`; or a part: `data.json[:90%]`",
        },
    ),
    Section(
        title="decode",
        record=Decode,
        text="In a task: how an answer is written.",
        ranges=suite_rules.DECODE_RANGES,
    ),
    Section(
        title="A model",
        record=Model,
        text="A mapping in a suite's `models`. See [own model](own-model.md).",
        means={
            "uri": "`./FOLDER`, `OWNER/NAME` of the hub, `zoo:NAME`, `http://HOST/v1#MODEL` on a server, or `echo:RULE` "
            "for a rule that answers",
            "chat": "auto: the tokenizer's chat template where it has one; on a server, its chat API where it has one",
        },
    ),
    Section(
        title="server",
        record=ServerSettings,
        text="In a model on a server: how the server is asked. No key moves an answer. See [servers](servers.md).",
        means={
            "prices": "what the tokens cost ([prices](#prices)); without it, tokens are counted and money is not"
        },
    ),
    Section(
        title="prices",
        record=Prices,
        text="In a model's `server`: what a million tokens cost.",
    ),
    Section(
        title="A recipe",
        record=Recipe,
        text="A file `adapters/NAME.yaml`, or a mapping in a suite's `recipes`. See [recipes](recipes.md).",
        name=FILED,
        ranges=suite_rules.RECIPE_RANGES,
        instead={
            "objective": "name, or a mapping with `name` and its settings ([objectives](#objectives))",
            "sweep": "mapping of key to list of numbers",
            "halving": "mapping ([halving](#halving))",
            "start": "name of a recipe of the suite, or a mapping with `recipe` and `task`",
        },
        means={
            "rank": "of the update; an adapter's size grows with it",
            "sweep": f"a recipe for each combination, at most {sweep.MOST}. Keys that can be swept: "
            + ", ".join(f"{code(key)}" for key in LETTERS),
        },
    ),
    Section(
        title="halving",
        record=Halving,
        text="In a recipe, beside `sweep`. See [recipes](recipes.md#halving).",
        instead={"keep": "number, or a fraction such as `1/2`; more than 0 and less than 1"},
    ),
    Section(
        title="An adapter",
        record=Adapter,
        text="A mapping in a suite's `adapters`: an adapter that exists already. See [existing adapters](adapters.md).",
        means={
            "uri": "`./FOLDER`, `OWNER/NAME` of the hub, or `http://HOST/v1#NAME` on the server of its base"
        },
    ),
    Section(
        title="weights",
        record=Weighing,
        text="In a suite: `true` (the defaults below), `false`, or a mapping. See [weights](weights.md).",
    ),
    Section(
        title="A gate",
        record=Gate,
        text="A mapping in a suite's `gates`, or in a file of gates, with a [rule](#rules) or more. See [gates](gates.md).",
        name="how verdicts call it; its rule and limit by default",
        without=("rules",),
    ),
)


def page() -> str:
    """Return the page."""
    parts = [
        HEAD,
        *(_section(section) for section in SECTIONS),
        *plugin_tables.tables(),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _section(section: Section) -> str:
    rows = list(_rows(section))
    return f"## {section.title}\n\n{section.text}\n\n" + table(("key", "value", "default", "meaning"), rows)


def _rows(section: Section) -> Iterator[tuple[str, str, str, str]]:
    hints = get_type_hints(section.record, include_extras=True)
    said = comments.of_fields(section.record)
    own = {"name": section.name, "about": ABOUT, **section.means}
    for each in fields(section.record):
        if each.name in section.without:
            continue
        value = section.instead.get(each.name) or kind(hints[each.name])
        if (limits := section.ranges.get(each.name)) is not None:
            value += f", {limits[0]}"
        without = "" if each.name == "name" else default(each)
        meaning = own.get(each.name) or said[each.name]
        yield code(each.name), value, without, comments.sentence(_quoted(meaning))


def _quoted(comment: str) -> str:
    """Return a comment for people: `None` is a key that is left out."""
    return comment.replace("None:", "without it:").replace("None is resolved", "without it, it is resolved")
