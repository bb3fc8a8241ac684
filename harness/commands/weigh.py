"""One model's weights, and adapters', as a table, a page or a file: no suite and no data."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from harness import backends, families
from harness.checkpoints import adapter as lora
from harness.checkpoints.locate import locate_adapter
from harness.commands.progress import counting
from harness.errors import AdapterError, HarnessError, UnknownName
from harness.files.hardware import machine
from harness.files.json_lines import write_text, writing
from harness.plan.pins import pins
from harness.report import weight_tables
from harness.report.weighed import WeightSection, columns, section
from harness.suite.load import load_model
from harness.terminal.printed import say
from harness.types import Adapter, Model, Suite, Weighing, WeightRow
from harness.weights.analyse import Look, analyse
from harness.weights.files import check_writable, write_csv, write_parquet
from harness.weights.kept import Kept
from harness.weights.read import NOT_ASKED, places


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRequest:
    """Whose weights are looked at, and how."""

    model: str  # a uri, or the name of one of the tiny models
    adapters: tuple[str, ...] = ()  # folders, or hub:OWNER/NAME
    against: str | None = None  # another model
    weighing: Weighing = field(default_factory=Weighing)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFiles:
    """Where to write what was found."""

    html: Path | None = None
    csv: Path | None = None
    parquet: Path | None = None


Begin = Callable[[str, int | None], Callable[[], None]]  # a label and a total -> what to call for each layer


def weighing(
    roles: str | None, *, oracle: bool, split: bool, randomize: bool, intruders_up_to: int | None
) -> Weighing:
    """What the command line says of it; `roles` with commas between."""
    found = Weighing(oracle=oracle, split=split, randomize=randomize)
    if intruders_up_to is not None:
        found = replace(found, intruders_up_to=intruders_up_to)
    if roles is None:
        return found
    names = tuple(filter(None, (name.strip() for name in roles.split(","))))
    for name in names or ("",):
        if name not in get_args(families.Role):
            raise UnknownName("role", name, get_args(families.Role), "--roles")
    return replace(found, roles=names)


def weigh(asked: WeightRequest, files: WeightFiles, *, offline: bool, store: Path, command: str) -> None:
    """Prints tables and writes the files; whatever cannot be written is said before the work."""
    for option, path in (("--html", files.html), ("--csv", files.csv), ("--parquet", files.parquet)):
        if path:
            check_writable(path, option)
    models, adapters = named(asked, offline=offline)
    with counting() as begin:
        rows = list(_rows(models, adapters, asked.weighing, begin, offline=offline, store=store))
    found = section(rows, (models[0].name, models[1].name) if len(models) > 1 else None)
    weight_tables.show(found)
    if files.csv:
        with writing(files.csv):
            write_csv(rows, files.csv)
    if files.parquet:
        with writing(files.parquet):
            write_parquet(rows, files.parquet)
    if files.html:
        with writing(files.html):
            _write_page(found, files.html, _title(models, adapters), command)
    for path in filter(None, (files.html, files.csv, files.parquet)):
        say(f"written  {path}")


def named(asked: WeightRequest, *, offline: bool) -> tuple[list[Model], dict[str, Path]]:
    """The models, and the adapters' folders, each under a name of its own."""
    if (Path(asked.model) / "result.json").is_file():
        raise HarnessError(
            f"{asked.model}: a RESULT folder: add --against-scores, or name a model: file:FOLDER"
        )
    for one in (asked.model, asked.against):
        if one is not None and one.startswith("echo:"):
            raise HarnessError(f"{one}: a rule, which has no weights; name a model: zoo:NAME or file:FOLDER")
    models = [load_model(one) for one in (asked.model, asked.against) if one is not None]
    if len({one.name for one in models}) < len(models):
        names = _distinct([one.uri for one in models])
        models = [replace(model, name=name) for model, name in zip(models, names, strict=True)]
    folders = [_adapter(one, offline) for one in asked.adapters]
    places = [
        one if one.startswith("hub:") else str(Path(one.removeprefix("file:")).resolve())
        for one in asked.adapters
    ]
    return models, dict(zip(_distinct(places), folders, strict=True))


def _adapter(place: str, offline: bool) -> Path:
    uri = place if place.startswith(("hub:", "file:")) else f"file:{place}"
    folder = locate_adapter(Adapter(name="adapter", base="", uri=uri), None, offline=offline)
    if not folder.is_dir():
        raise AdapterError(f"--adapter {place}: no such folder; an adapter is a folder in PEFT's layout")
    lora.read_settings(folder, "weighed")
    return folder


def _distinct(places: Sequence[str]) -> list[str]:
    """As much of each path's end as tells them apart: `run-1/final` and `run-2/final` of two adapters named `final`."""
    parts = [place.rpartition(":")[2].strip("/").split("/") for place in places]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len({*names}) == len(names):
            return names
    return [f"{'/'.join(one)}#{number}" for number, one in enumerate(parts, 1)]


def _rows(
    models: Sequence[Model],
    adapters: dict[str, Path],
    weighing: Weighing,
    begin: Begin,
    *,
    offline: bool,
    store: Path,
) -> Iterator[WeightRow]:
    """The base's, then for each adapter those of its update and of both together; the other model's last."""
    found = pins(
        Suite(name="weigh", tasks=(), models=tuple(models)), offline=offline, cache=store / "digests.json"
    )
    look = Look(threads=machine().cores, kept=Kept(store / "findings"))
    for model in models:
        pin = found.models[model.name]
        folder, family = backends.folder(model, pin, offline=offline), families.find(pin.family or "generic")
        parts: list[tuple[str | None, Path | None]] = [(None, None)]
        if model is models[0]:
            parts += adapters.items()
        for name, adapter in parts:
            total = _layers(folder, family, weighing) if adapter is None else None
            done = begin(model.name if name is None else f"{model.name} + {name}", total)
            for row in analyse(
                folder, family, adapter, model=model.name, adapter_name=name, weighing=weighing, look=look
            ):
                if row.status != NOT_ASKED:
                    done()
                yield row


def _layers(folder: Path, family: families.Family, weighing: Weighing) -> int:
    """How many will come, by names alone."""
    found = places(folder, family, split=weighing.split)
    return sum(one.role in weighing.roles for one in found)


def _title(models: Sequence[Model], adapters: dict[str, Path]) -> str:
    first = (
        " + ".join([models[0].name, *adapters])
        if len(adapters) < 3
        else f"{models[0].name} + {len(adapters)} adapters"
    )
    return " beside ".join([first, *(one.name for one in models[1:])])


def _write_page(found: WeightSection, path: Path, title: str, command: str) -> None:
    from harness.report import drawing

    with drawing.pen() as pen:
        from harness.report import figures, html

        drawn = figures.draw_weights(found, pen)
        page = html.render_weights(found, drawn, title, columns(found.rows), command)
        write_text(path, page)
